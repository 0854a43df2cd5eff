"""Verdicts of the study of adaptation without labels, by the rule of adaptation_plan, and the figure of differences."""

from collections.abc import Sequence

import numpy as np

from analysis.adaptation_plan import CONTROLS, LEAST_PEOPLE, METHODS, REAL_CONTROLS, WHERE, Where
from analysis.pieces import Row
from analysis.study import markdown
from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.spread import Difference, macro_interval, paired_difference
from semgjax.pages.style import BLUE, CYCLE, DOUBLE, GREY, MARKS, Picture, legend_below, name_axes, new_figure

COMPARED: dict[str, dict[str, tuple[str, ...]]] = {
    "simulated": dict.fromkeys(METHODS, CONTROLS),
    "real": REAL_CONTROLS,
}
"""study -> method -> its controls"""
SAYS = {
    "simulated": "Simulated people who differ; error in percent of characters.",
    "real": "Real signals in a made-up order (spliced), github.com/aljazfrancic/myo-readings-dataset; error in percent "
    "of events, linear discriminant.",
}


def counts_of(rows: Sequence[Row], study: str, method: str, where: Where) -> dict[str, Counts]:
    """Wrong operations of each person, those of every kind counted as substitutions."""
    prefix = "same_" if where == "same" else ""
    return {
        f"{row['group']}/{row['person']}": Counts(int(row[f"{prefix}keys"]), int(row[f"{prefix}wrong"]))
        for row in rows
        if row["study"] == study and row["method"] == method
    }


def compared(rows: Sequence[Row], study: str, method: str, control: str, where: Where) -> Difference | None:
    """Method less control over the people who have both; None with nobody."""
    ours, others = (counts_of(rows, study, name, where) for name in (method, control))
    both = sorted(ours.keys() & others.keys())
    return paired_difference({p: ours[p] for p in both}, {p: others[p] for p in both}) if both else None


def passes(found: Sequence[Difference | None]) -> bool:
    """The rule: below every control, every interval wholly below 0, and no fewer people than the plan asks for."""
    return bool(found) and all(
        one is not None and one.users >= LEAST_PEOPLE and one.interval is not None and one.interval[1] < 0
        for one in found
    )


def answers(rows: Sequence[Row]) -> str:
    """Tables of both studies as Markdown; those without rows are left out."""
    parts = []
    for study, methods in COMPARED.items():
        lines = [
            _line(rows, study, method, controls, where)
            for where in WHERE
            for method, controls in methods.items()
            if counts_of(rows, study, method, where) and not (method.startswith("events") and where == "same")
        ]
        if lines:
            people = max(len(counts_of(rows, study, method, "other")) for method in methods)
            head = ["tested on", "method", "error (%)", "against each control (points)", "people", "verdict"]
            caption = f"{SAYS[study]} {people} people; 95 % over people, paired.\n"
            parts.append(f"{caption}\n{markdown(head, lines)}{_errors_table(rows, study)}")
    return "\n".join(parts) or "no method has its rows yet"


def _line(rows: Sequence[Row], study: str, method: str, controls: Sequence[str], where: Where) -> list[str]:
    found = [compared(rows, study, method, control, where) for control in controls]
    said = "; ".join(f"{control} {_points(one)}" for control, one in zip(controls, found, strict=True))
    people = min((one.users for one in found if one is not None), default=0)
    return [
        f"the {where} session",
        method,
        _mean(rows, study, method, where),
        said,
        str(people),
        "passes" if passes(found) else "does not pass",
    ]


def _errors_table(rows: Sequence[Row], study: str) -> str:
    """Errors of the controls, which have no verdict."""
    controls = dict.fromkeys(name for names in COMPARED[study].values() for name in names)
    lines = [
        [name, *(_mean(rows, study, name, where) for where in WHERE)]
        for name in controls
        if counts_of(rows, study, name, "other")
    ]
    return markdown(["control", "other session (%)", "same session (%)"], lines)


def _mean(rows: Sequence[Row], study: str, method: str, where: Where) -> str:
    counts = list(counts_of(rows, study, method, where).values())
    ends = macro_interval(counts)
    mean = float(np.mean([one.rate for one in counts if one.rate is not None]))
    return f"{mean:.1f}" if ends is None else f"{mean:.1f} [{ends[0]:.1f}, {ends[1]:.1f}]"


def _points(one: Difference | None) -> str:
    if one is None:
        return "not run"
    ends = "" if one.interval is None else f" [{one.interval[0]:+.2f}, {one.interval[1]:+.2f}]"
    return f"{one.mean:+.2f}{ends}"


def differences_figure(rows: Sequence[Row]) -> Picture:
    """Each method less each of its controls with its interval, tested on the other session; a panel for each study."""
    studies = [study for study in COMPARED if any(row["study"] == study for row in rows)]
    most = max(len(COMPARED[study]) for study in studies)
    figure, panels = new_figure(DOUBLE, 30.0 + 14.0 * most, 1, len(studies))
    for axes, study in zip(panels, studies, strict=True):
        methods = [method for method in COMPARED[study] if counts_of(rows, study, method, "other")]
        for place, method in enumerate(methods):
            for index, control in enumerate(COMPARED[study][method]):
                one = compared(rows, study, method, control, "other")
                if one is not None and one.interval is not None:
                    at = place + 0.2 * (index - 1)
                    name = ("nothing", "random", "shuffled, another's")[index] if place == 0 else None
                    color = CYCLE[index] if index else BLUE
                    axes.plot(one.interval, [at, at], color=color, lw=1.3)
                    axes.plot([one.mean], [at], color=color, marker=MARKS[index], ms=5, ls="none", label=name)
        axes.axvline(0.0, color=GREY, lw=1.0)
        axes.set_yticks(range(len(methods)), methods)
        name_axes(axes, f"Difference, {study} people (points)")
    legend_below(figure)
    figure.caption = "Error minus that of each control, on a session that was not adapted to. Bars: 95 % over people."
    return figure
