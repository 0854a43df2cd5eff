"""Two recipes against each other: fits of two sweeps compared at one place with paired draws."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.bootstrap import draw
from semgjax.scaling.decide.accepted import ties_at
from semgjax.scaling.decide.decision import NOT_IDENTIFIED, Decision, range_of, spread_of
from semgjax.scaling.decide.evidence import DRAWS, Evidence, gather
from semgjax.scaling.decide.inverse import curve_values, reach, search_range
from semgjax.scaling.diagnose import Diagnostic, blocks
from semgjax.scaling.ends import Interval, place_text
from semgjax.scaling.estimable import why_not_estimable
from semgjax.scaling.fit import Fit
from semgjax.scaling.profile import gradients_of, no_interval_reason

Array = np.ndarray
Pair = Callable[[Fit, Array, Fit, Array], Array]


@dataclass(frozen=True)
class Versus:
    """ratio: error of b over that of a. multiple: by what a's first input must grow to reach b's error.
    b_better: share of the draws in which b has the lower error. paired: whether both share test users."""

    ratio: Decision
    multiple: Decision
    b_better: float | None
    paired: bool


def versus(a: Fit, b: Fit, at: Mapping[str, float], level: float = 0.95, force: bool = False, seed: int = 0) -> Versus:
    """Compare two fits of one law at a place.

    Draw i of both resamples the residuals apart; where both tables hold the same test users, it also takes the
    same users for both, so that their noise, which both recipes share, falls out of the ratio.

    Raises:
        InputError: fits of different laws or units, or no value for an input.
    """
    if a.law.name != b.law.name or a.table.unit != b.table.unit:
        raise InputError(
            f"recipes of the laws {a.law.name} ({a.table.unit or 'no unit'}) and {b.law.name} "
            f"({b.table.unit or 'no unit'}): fit both with one law and one unit",
            "conflict",
        )
    name = a.law.input_names[0]
    curve_values(a, a.theta[None], at)

    def ratio(f: Fit, s: Array, g: Fit, t: Array) -> Array:
        return curve_values(g, t, at)[:, 0] / curve_values(f, s, at)[:, 0]

    def multiple(f: Fit, s: Array, g: Fit, t: Array) -> Array:
        others = {k: v for k, v in at.items() if k != name}
        return reach(f, s, name, curve_values(g, t, at)[:, 0], others, search_range(a, name)) / at[name]

    evidence = gather(a, level, seed=seed), gather(b, level, seed=seed + 1)
    paired = len(a.table.users) > 1 and a.table.users == b.table.users
    draws = _draws(a, b, paired, seed)
    place = place_text(a.table.column, at)
    asked = (
        (f"{a.table.y_name} of b over that of a at {place}", ratio),
        (f"times more {a.table.column(name)} for a to do as b at {place}", multiple),
    )
    lacking = []
    for label, fit in (("a", a), ("b", b)):
        reason = why_not_estimable(fit, gradients_of(fit, ties_at(fit, [at], [1.0]))[1][0])
        if reason is not None:
            lacking.append(Diagnostic(NOT_IDENTIFIED, "error", f"{label}: {reason}"))
    answers = [_decide(text, pair, evidence, draws, force, lacking) for text, pair in asked]
    better = None if draws is None else float(np.mean(ratio(a, draws[0], b, draws[1]) < 1.0))
    return Versus(answers[0], answers[1], better, paired)


def _draws(a: Fit, b: Fit, paired: bool, seed: int) -> tuple[Array, Array] | None:
    """Coordinates [k, p] of both: residual draws, moved by what the same resampled users do to each."""
    if any(no_interval_reason(fit) is not None for fit in (a, b)):
        return None
    parts = [draw(a, DRAWS, "residual", seed), draw(b, DRAWS, "residual", seed + 1)]
    if paired:
        parts += [draw(a, DRAWS, "users", seed), draw(b, DRAWS, "users", seed)]
    # A refit that found no minimum is missing from its part: draw i of one must stay beside draw i of the other.
    common = functools.reduce(np.intersect1d, [part.numbers for part in parts])
    first, second, *users = (part.thetas[np.isin(part.numbers, common)] for part in parts)
    if paired:
        first = np.clip(first + users[0] - a.theta, a.low, a.high)
        second = np.clip(second + users[1] - b.theta, b.low, b.high)
    return first, second


def _decide(
    text: str,
    pair: Pair,
    evidence: tuple[Evidence, Evidence],
    draws: tuple[Array, Array] | None,
    force: bool,
    lacking: list[Diagnostic],
) -> Decision:
    a, b, level = evidence[0].fit, evidence[1].fit, evidence[0].level

    def of(f: Fit, g: Fit) -> float:
        return float(pair(f, f.theta[None], g, g.theta[None])[0])

    value = of(a, b)
    interval: Interval | None = None
    missing = None
    if draws is not None:
        values = pair(a, draws[0], b, draws[1])
        interval, missing = spread_of(values, level), float(np.mean(~np.isfinite(values)))
    found = tuple(dict.fromkeys((*evidence[0].findings, *evidence[1].findings, *lacking)))
    if blocks(found) and not force:
        return Decision(text, "", None, None, "", None, (), None, None, level, found, True)
    members = tuple(_both(evidence[0].others, evidence[1].others, of))
    shorter = [v for _, v in _both(evidence[0].shorter, evidence[1].shorter, of)]
    choice = range_of(value, [v for _, v in members])
    method = "paired bootstrap"
    return Decision(text, "", value, interval, method, choice, members, range_of(value, shorter), missing, level, found)


def _both(
    first: tuple[tuple[str, Fit], ...], second: tuple[tuple[str, Fit], ...], of: Callable[[Fit, Fit], float]
) -> list[tuple[str, float]]:
    """The same choice made for both recipes, where both allow it."""
    others = dict(second)
    return [(label, of(fit, others[label])) for label, fit in first if label in others]
