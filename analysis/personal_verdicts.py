"""What the study of personalisation answers: curves over minutes, methods beside full fine-tuning, a law."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from analysis.personal_plan import METHODS, Design
from analysis.study import markdown
from analysis.taught_verdicts import Errors, difference, mean_of
from semgjax import fit
from semgjax.scaling.ends import number, span

Row = Mapping[str, str]
LEVELS = 5
"""places that a law of four parameters takes for an interval"""
BASES = ("student", "alone", "few", "teacher")


def answers(rows: Sequence[Row], design: Design) -> str:
    """The tables of all questions as Markdown; questions without runs are left out."""
    parts = [_search(rows, design), _curves(rows, design), _bases(rows, design), _law(rows, design)]
    return "\n\n".join(part for part in parts if part) or "no question has its runs yet"


def errors_of(rows: Sequence[Row], people: int, member: str = "error", **where: object) -> Errors:
    """Errors of the runs of these members, by seed; a seed that lacks a person is left out."""
    wanted = {"rate": ""} | where
    chosen = [row for row in rows if all(row[name] == str(value) for name, value in wanted.items())]
    chosen = [row for row in chosen if int(row["person"]) < people]
    by_seed: dict[int, dict[int, float]] = {}
    for row in chosen:
        by_seed.setdefault(int(row["seed"]), {})[int(row["person"])] = float(row[member])
    assert sum(map(len, by_seed.values())) == len(chosen), f"two runs of one person under {where}"
    return {seed: np.array([own[n] for n in sorted(own)]) for seed, own in by_seed.items() if len(own) == people}


def curve_of(rows: Sequence[Row], design: Design, base: str, method: str) -> dict[float, Errors]:
    """Minutes -> errors, of the levels that are there; 0 minutes: the base's own, of the seeds of the lowest level."""
    where = {"base": base, "method": method}
    found: dict[float, Errors] = {}
    for minutes in sorted(design.minutes):
        at = {"minutes": f"{minutes:g}", **where}
        if errors := errors_of(rows, design.people, **at):
            found = found or {0.0: errors_of(rows, design.people, "base_error", **at)}
            found[minutes] = errors
    return found


def _search(rows: Sequence[Row], design: Design) -> str:
    """Mean error of each method at each learning rate of the search."""
    found = []
    for method in METHODS:
        where = {"seed": design.search_seed, "method": method, "base": "alone"}
        rates = [errors_of(rows, design.search_people, rate=f"{rate:g}", **where) for rate in design.search_rates]
        known = [place for place, errors in enumerate(rates) if errors]
        if known:
            first = f"{design.search_rates[known[0]]:g}"
            start = errors_of(rows, design.search_people, "base_error", rate=first, **where)
            cells = [f"{mean_of(errors)[0]:.1f}" if errors else "" for errors in (start, *rates)]
            found.append([method, *cells])
    shares = [f"{rate:g}" for rate in design.search_rates]
    head = ["search: method", "base (%)", *(f"rate x {share} (%)" for share in shares)]
    return markdown(head, found) if found else ""


def _curves(rows: Sequence[Row], design: Design) -> str:
    """Each method on each base: error at every number of minutes, and against full fine-tuning on the most."""
    found = []
    for base in BASES:
        for method in METHODS:
            curve = curve_of(rows, design, base, method)
            if max(design.minutes) not in curve:
                continue
            levels = (0.0, *design.minutes)
            cells = [f"{mean_of(curve[level])[0]:.1f}" if level in curve else "" for level in levels]
            most = curve[max(design.minutes)]
            full = curve_of(rows, design, base, "full").get(max(design.minutes), {})
            placed = "" if method == "full" or not set(full) & set(most) else _points(most, full)
            steps = [difference(curve[more], curve[less])[0] for less, more in itertools.pairwise(curve)]
            falls = f"{sum(step < 0 for step in steps)} of {len(steps)}"
            found.append([base, method, *cells, _points(most, curve[0.0]), falls, placed, str(len(most))])
    minutes = [f"{level:g} min (%)" for level in (0.0, *design.minutes)]
    head = [
        "base",
        "method",
        *minutes,
        "most minutes against none (points)",
        "steps that fall",
        "against full",
        "seeds",
    ]
    return markdown(head, found) if found else ""


def _bases(rows: Sequence[Row], design: Design) -> str:
    """Bases before and after full fine-tuning on the most minutes, each against the student."""
    most = f"{max(design.minutes):g}"
    where = {"method": "full", "minutes": most}
    people = design.people
    student = [errors_of(rows, people, member, base="student", **where) for member in ("base_error", "error")]
    found = []
    for base in BASES[1:]:
        other = [errors_of(rows, people, member, base=base, **where) for member in ("base_error", "error")]
        if seeds := sorted(set(student[0]) & set(other[0])):
            cells = []
            for mine, theirs in zip(student, other, strict=True):
                means = [f"{np.mean([group[seed] for seed in seeds]):.1f}" for group in (mine, theirs)]
                cells += [*means, _points(mine, theirs)]
            found.append([base, *cells, str(len(seeds))])
    head = [
        "other base", "student (%)", "other (%)", "difference (points)", f"student, {most} min (%)",
        f"other, {most} min (%)", "difference (points)", "seeds",
    ]  # fmt: skip
    return markdown(head, found) if found else ""


def _law(rows: Sequence[Row], design: Design) -> str:
    """The law `personal` of full fine-tuning on each base, over people, with its forecast of twice the most minutes.

    A point is one person's error; the points of a person share their noise.
    """
    found = []
    for base in BASES:
        curve = curve_of(rows, design, base, "full")
        if len(curve) < 1 + len(design.minutes) or len(curve) < LEVELS:
            continue
        points = [
            (minutes, f"{seed}-{person}", float(error))
            for minutes, errors in curve.items()
            for seed in errors
            for person, error in enumerate(errors[seed])
        ]
        columns = dict(zip(("minutes", "person", "cer"), map(list, zip(*points, strict=True)), strict=True))
        law = fit(columns, y="cer", law="personal", unit="%", M="minutes", cluster="person")
        answer = law.predict(M=2.0 * max(design.minutes))
        values = ", ".join(f"{name} {number(value)}" for name, value in law.parameters.items())
        codes = ", ".join(dict.fromkeys(one.code for one in answer.diagnostics if one.severity != "info")) or "none"
        said = "withheld" if answer.value is None else f"{answer.value:.1f} {span(answer.quote)}"
        found.append([base, values, said, codes, str(len(points))])
    head = ["base", "law personal", f"at {2.0 * max(design.minutes):g} min (%)", "findings", "points"]
    return markdown(head, found) if found else ""


def _points(one: Errors, other: Errors) -> str:
    value, ends = difference(one, other)
    return f"{value:+.1f} [{ends[0]:+.1f}, {ends[1]:+.1f}]"
