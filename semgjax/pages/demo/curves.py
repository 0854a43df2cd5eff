"""The figures of the demo's report.

Each model has one colour and one mark everywhere: the teacher black squares, the distilled student purple diamonds,
its size from scratch orange dots. Marks and lightness distinguish them without colour too.
"""

from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from semgjax.data.sessions import Session, read_emg
from semgjax.measures import CER
from semgjax.pages.axis_names import log_amounts, short_number
from semgjax.pages.captions import curve_words, runs_words
from semgjax.pages.demo.views import (
    ReportInputs,
    RunView,
    heldout_cer,
    is_number,
    role_of,
    user_cers,
    validation_points,
)
from semgjax.pages.law_curves import curve_figure
from semgjax.pages.law_plot import draw_size_curve
from semgjax.pages.marks import blocking
from semgjax.pages.stretch import draw_bands, keys_in
from semgjax.pages.style import DOUBLE, POINTS, Picture, legend_below, name_axes, new_figure
from semgjax.scaling.decide.evidence import gather
from semgjax.scaling.profile import LEVEL

COLOURS = {"teacher": "#111111", "distilled": "#AA3377", "from scratch": "#D55E00"}
MARKS = {"teacher": "s", "distilled": "D", "from scratch": "o"}
_BESIDE = 150.0  # mm: a wider figure has its panels beside each other


def emg_figure(session: Session, start: int, stop: int, width: float = DOUBLE) -> Picture:
    """Samples [start, stop) of all electrodes as lines, all rings on one scale, and the keys or events."""
    emg, rings = read_emg(session, start, stop), len(session.band.rings)
    figure, bands = new_figure(width, 33.0 * max(rings, 2), rings, 1, grid=False, sharex=True)
    draw_bands(bands, emg, keys_in(session, start, stop), width - 36.0, session.band)
    bands[-1].set_xlabel("time (s)", fontsize=POINTS)
    return figure


def learning_figure(inputs: ReportInputs, width: float = DOUBLE) -> Picture:
    """Training loss, and CER on the validation sessions, against the step."""
    columns = 2 if width >= _BESIDE else 1
    figure, (loss, error) = new_figure(width, 66.0, 2 // columns, columns)
    for run in _drawn(inputs):
        style = _style(inputs, run)
        lines = [(line["step"], line["ctc"]) for line in run.metrics if is_number(line.get("ctc"))]
        label = _name(inputs, run)
        if lines:
            loss.plot(*zip(*lines, strict=True), label=label, **style)
        points = validation_points(run)
        if points:
            mark = MARKS.get(role_of(inputs, run) or "", "o")
            error.plot(*zip(*points, strict=True), marker=mark, ms=4, label=label, **style)
    if loss.lines:
        loss.set_yscale("log")
        log_amounts(loss, "y")
    error.set_ylim(bottom=0.0)
    for axes in (loss, error):
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    name_axes(loss, "Training step (count)", f"Training loss (nats per {inputs.measure.thing})")
    name_axes(error, "Training step (count)", "Error rate on validation sessions (%)")
    legend_below(figure)
    return figure


def scaling_figure(inputs: ReportInputs, width: float = DOUBLE) -> Picture:
    """The fitted curve with the ladder's runs and users; student and scratch run are no part of the fit."""
    points = [(run.result["params"], cer) for run in inputs.ladder for cer in user_cers(run).values()]
    users = np.array(points, np.float64).reshape(-1, 2).T
    fit = inputs.fit
    codes = blocking(fit)
    figure, (axes,) = new_figure(width, 78.0)
    extra = draw_size_curve(
        axes, fit, (users[0], users[1]) if len(points) else None, y_label=f"{_long_name(inputs)} on held-out users (%)",
        until=2.0 * float(fit.table.sizes.max()), codes=codes, colour="#6B6B6B",  # the models' own colours lie on top
    )  # fmt: skip
    for role, run in inputs.trio:
        cer = heldout_cer(run)
        if is_number(cer):
            outside = "" if role == "teacher" else " (not part of the fit)"
            style: dict[str, Any] = {"ms": 7, "color": COLOURS[role], "mec": "white", "zorder": 6}
            axes.plot([run.result["params"]], [cer], MARKS[role], label=role + outside, **style)
            axes.set_ylim(top=max(axes.get_ylim()[1], 1.05 * cer))
    legend_below(figure, extra=extra)
    figure.caption = f"{runs_words(fit)} {curve_words(fit, LEVEL, codes)}"
    return figure


def crowd_figure(inputs: ReportInputs, width: float = DOUBLE) -> Picture:
    """Error against training users with the fitted curve and its bands."""
    return curve_figure(gather(inputs.users_fit), width=width)


def users_figure(inputs: ReportInputs, width: float = DOUBLE) -> Picture:
    """CER of the three models for each held-out user, and their means."""
    cers = {role: user_cers(run) for role, run in inputs.trio}
    users = sorted(set().union(*cers.values()))
    names = [*users, "mean of users"]
    figure, (axes,) = new_figure(width, 22.0 + 7.5 * len(names), grid=False)
    rows = {name: -float(i) - (0.3 if i == len(users) else 0.0) for i, name in enumerate(names)}
    means = {role: heldout_cer(run) for role, run in inputs.trio}
    for name, row in rows.items():
        found = {role: means[role] if name == names[-1] else cers[role].get(name) for role in cers}
        known = {role: cer for role, cer in found.items() if is_number(cer)}
        if known:
            axes.plot([min(known.values()), max(known.values())], [row, row], color="0.8", lw=2.5, zorder=1)
        for role, cer in known.items():
            axes.plot([cer], [row], MARKS[role], ms=7, color=COLOURS[role], mec="white", zorder=3)
    axes.axhline(rows[names[-1]] + 0.65, color="0.6", lw=0.8)
    for role in cers:
        axes.plot([], [], MARKS[role], ms=7, color=COLOURS[role], label=role)
    longest = 32 if width >= _BESIDE else 18
    shown = [name if len(name) <= longest else f"{name[: longest - 1]}\u2026" for name in names]
    axes.set_yticks(list(rows.values()), shown)
    axes.set_ylim(min(rows.values()) - 0.6, 0.6)
    axes.set_xlim(left=0.0)
    axes.xaxis.set_major_locator(MaxNLocator(10 if width >= _BESIDE else 5))
    name_axes(axes, f"{_long_name(inputs)}, lower is better (%)", "Held-out user (name)")
    axes.grid(axis="x", color="0.9", lw=0.7)
    legend_below(figure)
    return figure


def _long_name(inputs: ReportInputs) -> str:
    return "Character error rate" if inputs.measure is CER else "Event error rate"


def _drawn(inputs: ReportInputs) -> tuple[RunView, ...]:
    return (*inputs.ladder, inputs.scratch, inputs.distilled)


def _name(inputs: ReportInputs, run: RunView) -> str:
    role = role_of(inputs, run)
    return f"{run.result['preset']}, {short_number(run.result['params'])}" + (f" ({role})" if role else "")


def _style(inputs: ReportInputs, run: RunView) -> dict[str, Any]:
    """A run's line: the three models in their colours, the rest of the ladder grey and dashed."""
    role = role_of(inputs, run)
    if role is not None:
        return {"color": COLOURS[role], "lw": 2.0}
    others = [other for other in inputs.ladder if role_of(inputs, other) is None]
    place = [other.name for other in others].index(run.name)
    dashes = ((0, (5, 1.5)), (0, (1.2, 1.2)), (0, (5, 1.2, 1.2, 1.2)))
    return {
        "color": str(round(0.62 - 0.28 * place / max(1, len(others) - 1), 3)),
        "lw": 1.5,
        "ls": dashes[place % 3],
    }
