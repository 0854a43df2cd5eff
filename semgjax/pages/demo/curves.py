"""The figures of the demo's report.

Each model has one colour and one mark everywhere: the teacher black squares, the distilled student purple diamonds,
its size from scratch orange dots. Marks and lightness distinguish them without colour too.
"""

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from semgjax.data.sessions import Session, read_emg
from semgjax.pages.demo.views import (
    ReportInputs,
    RunView,
    heldout_cer,
    is_number,
    role_of,
    user_cers,
    validation_points,
)
from semgjax.pages.law_plot import plot_size_curve, short_number
from semgjax.pages.stretch import SETTINGS, draw_bands, keys_in

COLOURS = {"teacher": "#111111", "distilled": "#AA3377", "from scratch": "#D55E00"}
MARKS = {"teacher": "s", "distilled": "D", "from scratch": "o"}
WIDTH = 9.0  # inches; 96 pixels each on a wide screen


def emg_figure(session: Session, start: int, stop: int) -> Figure:
    """Samples [start, stop) of all 32 channels as lines, both bands on one scale, and the keys pressed."""
    emg = read_emg(session, start, stop)
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH, 7.4), dpi=180, layout="constrained")
        bands = figure.subplots(2, 1, sharex=True)
        draw_bands(bands, emg, keys_in(session, start, stop))
        bands[1].set_xlabel("seconds")
    return figure


def learning_figure(inputs: ReportInputs) -> Figure:
    """Training loss, and CER on the validation sessions, against the step."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH, 4.4), dpi=150, layout="constrained")
        loss, error = figure.subplots(1, 2)
        for run in _drawn(inputs):
            style = _style(inputs, run)
            lines = [(line["step"], line["ctc"]) for line in run.metrics if is_number(line.get("ctc"))]
            label = _name(inputs, run)
            if lines:
                loss.plot(*zip(*lines, strict=True), label=label, **style)
            points = validation_points(run)
            if points:
                mark = MARKS.get(role_of(inputs, run) or "", "o")
                error.plot(*zip(*points, strict=True), marker=mark, ms=4.5, label=label, **style)
        loss.set_yscale("log")
        loss.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        loss.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        loss.yaxis.set_minor_formatter(NullFormatter())
        loss.set_title("training loss (CTC, nats per key, logarithmic)", loc="left", fontsize=10.5)
        error.set_title("CER on validation sessions (%)", loc="left", fontsize=10.5)
        error.set_ylim(bottom=0.0)
        for axes in (loss, error):
            axes.set_xlabel("step")
            axes.set_xlim(left=0)
            axes.grid(color="0.9", lw=0.7)
        _legend_below(figure, error if not loss.lines else loss, columns=3)
    return figure


def scaling_figure(inputs: ReportInputs) -> Figure:
    """The fitted curve with the ladder's runs and users; student and scratch run are no part of the fit."""
    points = [(run.result["params"], cer) for run in inputs.ladder for cer in user_cers(run).values()]
    users = np.array(points, np.float64).reshape(-1, 2).T
    with matplotlib.rc_context({**SETTINGS, "text.parse_math": True}):
        figure = plot_size_curve(
            inputs.fit,
            users_points=(users[0], users[1]) if len(points) else None,
            size_label="parameters",
            y_label="CER on held-out users",
            until=2.0 * float(inputs.fit.table.sizes.max()),
        )
        figure.set_size_inches(WIDTH, 5.6)
        axes = figure.axes[0]
        for line in axes.get_lines():
            if np.array_equal(line.get_xdata(), inputs.fit.table.sizes):
                line.set_color("#6B6B6B")  # the three models have their own colours on top
        for role, run in inputs.trio:
            cer = heldout_cer(run)
            if is_number(cer):
                outside = "" if role == "teacher" else " (not part of the fit)"
                style: dict[str, Any] = {"ms": 8.5, "color": COLOURS[role], "mec": "white", "zorder": 5}
                axes.plot([run.result["params"]], [cer], MARKS[role], label=role + outside, **style)
                axes.set_ylim(top=max(axes.get_ylim()[1], 1.05 * cer))
        _legend_below(figure, axes, columns=3)
    return figure


def _legend_below(figure: Figure, axes: Axes, columns: int) -> None:
    """The entries of `axes` under the figure, in place of a legend inside it."""
    handles, labels = axes.get_legend_handles_labels()
    legend = axes.get_legend()
    if legend is not None:
        legend.remove()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False, fontsize=9.5)


def users_figure(inputs: ReportInputs) -> Figure:
    """CER of the three models for each held-out user, and their means."""
    cers = {role: user_cers(run) for role, run in inputs.trio}
    users = sorted(set().union(*cers.values()))
    names = [*users, "mean of users"]
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTH, 1.5 + 0.42 * len(names)), dpi=150, layout="constrained")
        axes = figure.subplots()
        rows = {name: -float(i) - (0.3 if i == len(users) else 0.0) for i, name in enumerate(names)}
        means = {role: heldout_cer(run) for role, run in inputs.trio}
        for name, row in rows.items():
            found = {role: means[role] if name == names[-1] else cers[role].get(name) for role in cers}
            known = {role: cer for role, cer in found.items() if is_number(cer)}
            if known:
                axes.plot([min(known.values()), max(known.values())], [row, row], color="0.8", lw=2.5, zorder=1)
            for role, cer in known.items():
                axes.plot([cer], [row], MARKS[role], ms=9, color=COLOURS[role], mec="white", zorder=3)
        axes.axhline(rows[names[-1]] + 0.65, color="0.6", lw=0.8)
        for role in cers:
            axes.plot([], [], MARKS[role], ms=9, color=COLOURS[role], label=role)
        axes.set_yticks(list(rows.values()), [name if len(name) <= 32 else f"{name[:31]}\u2026" for name in names])
        axes.set_ylim(min(rows.values()) - 0.6, 0.6)
        axes.set_xlim(left=0.0)
        axes.xaxis.set_major_locator(MaxNLocator(10))
        axes.set_xlabel("CER (%), lower is better")
        axes.grid(axis="x", color="0.9", lw=0.7)
        figure.legend(loc="outside upper left", ncols=3, frameon=False)
    return figure


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
