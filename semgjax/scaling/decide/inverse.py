"""Which input reaches a target: parameters, users or hours for an error, with its layers."""

from collections.abc import Mapping
from functools import partial

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.decide.accepted import accepted_range, gradient_at, limits_of, ties_at
from semgjax.scaling.decide.decision import Decision, decide
from semgjax.scaling.decide.evidence import Evidence, Question, gather
from semgjax.scaling.diagnose import Diagnostic
from semgjax.scaling.drift import drift_band
from semgjax.scaling.ends import Interval, place_text
from semgjax.scaling.fit import Fit, distance, points_of, predict
from semgjax.scaling.profile import Ties

Array = np.ndarray

# An input that must grow a million times beyond the sweep is not to be had.
REACH = 1e6
_PLACES = 241


def curve_values(fit: Fit, thetas: Array, x: Mapping[str, Array | float]) -> Array:
    """The law at points x for each of thetas [k, p]: [k, m], in the unit of y."""
    values, _ = points_of(fit, x)
    return fit.problem.curve(values, thetas)


def search_range(fit: Fit, name: str, most: float | None = None) -> tuple[float, float]:
    """(low, high) that answers are looked for in: a millionth of the smallest value of the sweep to a million times
    the largest, or to `most`."""
    values = fit.table.x[name]
    low, high = float(values[values > 0].min()) / REACH, float(values.max()) * REACH
    if most is not None and not low < most < 1e30:
        raise InputError(f"most {most}: must lie between {low:.3g} and 1e30", "bad-value")
    return low, high if most is None else most


def reach(
    fit: Fit, thetas: Array, name: str, targets: Array | float, at: Mapping[str, float], ends: tuple[float, float]
) -> Array:
    """The smallest value of input `name` at which each curve [k] is down to its target [k or one]: [k].

    inf where it stays above the target up to ends[1]; ends[0] where it is below it from the start.
    """
    goals = np.broadcast_to(np.asarray(targets, np.float64), (len(thetas),))
    grid = np.geomspace(*ends, _PLACES)
    y = curve_values(fit, thetas, {**at, name: grid})
    found = _first_crossing(np.log(grid), y, goals)
    # Once more inside the cell that holds the answer: the curve is nearly straight there.
    if len(thetas) == 1 and np.isfinite(found[0]) and ends[0] < found[0]:
        step = (ends[1] / ends[0]) ** (1.0 / (_PLACES - 1))
        fine = np.geomspace(found[0] / step, found[0] * step, _PLACES)
        found = _first_crossing(np.log(fine), curve_values(fit, thetas, {**at, name: fine}), goals)
    return found


def _first_crossing(logs: Array, y: Array, goals: Array) -> Array:
    below = y <= goals[:, None]
    first = below.argmax(axis=1)
    rows = np.arange(len(y))
    before = np.maximum(first - 1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b, goal = np.log(y[rows, before]), np.log(y[rows, first]), np.log(goals)
        share = np.clip(np.where(a > b, (a - goal) / (a - b), 1.0), 0.0, 1.0)
    crossing = np.exp(logs[before] + share * (logs[first] - logs[before]))
    return np.where(below.any(axis=1), np.where(first == 0, np.exp(logs[0]), crossing), np.inf)


def question(
    fit: Fit, name: str, target: float, at: Mapping[str, float] | None = None, most: float | None = None
) -> Question:
    """How much of an input reaches a target.

    Raises:
        InputError: the law has no such input, a value for another input is missing, or the target is no error.
    """
    at = dict(at or {})
    check_input(fit, name, at)
    if not (np.isfinite(target) and target > 0):
        raise InputError(f"target {target}: must be a number above 0, in the unit of {fit.table.y_name}", "bad-value")
    ends = search_range(fit, name, most)
    falls = predict(fit, {**at, name: [fit.table.x[name][fit.table.x[name] > 0].min(), fit.table.x[name].max()]})
    if fit.law.rising and falls[1] > falls[0]:
        raise InputError(f"law {fit.law.name} rises with {name}: ask `predict` at the values in question", "wrong-law")
    others = f", {place_text(fit.table.column, at)}" if at else ""
    unit = fit.table.unit and f" {fit.table.unit}"
    text = f"{fit.table.column(name)} for {fit.table.y_name} {target:g}{unit}{others}"

    def at_target(f: Fit, values: Array) -> tuple[Ties, Array]:
        return ties_at(f, [{**at, name: values}], [1.0]), np.full(len(values), np.log(target / f.unit_y))

    return Question(
        text,
        "",
        lambda f, thetas: reach(f, thetas, name, target, at, ends),
        lambda f, value: gradient_at(f, partial(at_target, f), min(value, ends[1])),
        lambda f, value, level: accepted_range(f, partial(at_target, f), value, ends, level),
        limits_of(fit, name, ends),
        at_target,
    )


def check_input(fit: Fit, name: str, at: Mapping[str, float]) -> None:
    """Raises InputError: no such input, or another one is without value."""
    names = fit.law.input_names
    if name not in names:
        raise InputError(f"law {fit.law.name} has no input {name!r}; it has {', '.join(names)}", "unknown-name")
    for other in at:
        if other not in names or other == name:
            raise InputError(
                f"at {other}: law {fit.law.name} is asked for {name} and has {', '.join(names)}", "unknown-name"
            )
    for declared in fit.law.inputs:
        if declared.name not in (name, *at) and declared.default is None:
            raise InputError(
                f"give a value for {declared.name} ({declared.meaning}), at {declared.name}=NUMBER", "bad-option"
            )


def invert(
    fit: Fit,
    name: str,
    target: float,
    at: Mapping[str, float] | None = None,
    level: float = 0.95,
    most: float | None = None,
    force: bool = False,
    evidence: Evidence | None = None,
) -> Decision:
    """How much of an input reaches a target error, given the others.

    Sampling: profile likelihood, the values at which the target is not rejected. Extrapolation: the values at
    which a curve whose slope drifts as in published sweeps (`semgjax.scaling.drift`) meets the target; inside the
    sweep, what shorter sweeps would have answered.

    Raises:
        InputError: see `question`.
    """
    asked = question(fit, name, target, at, most)
    at, ends = dict(at or {}), search_range(fit, name, most)
    evidence = evidence or gather(fit, level)
    value = asked.of(fit)
    more = []
    if np.isfinite(value):
        beyond = distance(fit, {**at, name: value})
        if beyond > 1.0:
            text = f"{beyond:.3g} times beyond the sweep; the interval holds if the law does"
            more.append(Diagnostic("extrapolating", "warning" if beyond > 3.0 else "info", text))
    extrapolation = moved_reach(fit, name, target, at, ends, level)
    if extrapolation is not None and extrapolation[1] < 1.005 * extrapolation[0]:
        extrapolation = None  # inside the sweep: shorter sweeps are asked instead
    return decide(asked, evidence, force, extrapolation, tuple(more))


def moved_reach(
    fit: Fit, name: str, target: float, at: Mapping[str, float], ends: tuple[float, float], level: float
) -> Interval | None:
    """Where the ends of the interval for a law whose slope drifts meet the target; None without such an interval."""
    grid = np.geomspace(*ends, _PLACES)
    band = drift_band(fit, {**at, name: grid}, level)
    if band is None:
        return None
    sides = np.array(band)
    low, high = _first_crossing(np.log(grid), sides, np.full(2, target))
    return 0.0 if low <= ends[0] else float(low), float(high)
