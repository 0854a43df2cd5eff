"""How to spend a budget: the cheapest mix of two inputs, with its layers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.decide.accepted import STEP, accepted_range, gradient_at, limits_of, ties_at
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.decision import Decision, decide
from semgjax.scaling.decide.evidence import Evidence, Question, gather
from semgjax.scaling.decide.inverse import curve_values, search_range
from semgjax.scaling.ends import Interval
from semgjax.scaling.fit import Fit
from semgjax.scaling.profile import Ties, gradients_of, prediction_band

Array = np.ndarray

_PLACES = 401
_BAND = 15  # mixes at which the error of the best one is bounded
_WIDE = np.log(100.0)


@dataclass(frozen=True)
class Frontier:
    """The best mix at one budget: first and second input, and the error there."""

    budget: float
    first: Decision
    second: Decision
    error: Decision


def frontier(
    fit: Fit,
    cost: Cost,
    budgets: Sequence[float],
    pair: tuple[str, str] | None = None,
    at: Mapping[str, float] | None = None,
    level: float = 0.95,
    force: bool = False,
    evidence: Evidence | None = None,
) -> tuple[Frontier, ...]:
    """The values of two inputs that minimise the law at each budget, the others held `at` values.

    pair: default the law's first two inputs. For y = E + A N^-a + B D^-b and cost k N D this is Hoffmann et al.
    2022, eq. 4; here it is found by search, for any law and cost.

    Raises:
        InputError: the law or the cost has not both inputs, or a budget is no number above 0.
    """
    first, second = pair or pair_of(fit)
    at = dict(at or {})
    for name in (first, second):
        if name not in fit.law.input_names:
            raise InputError(
                f"law {fit.law.name} has no input {name!r}; it has {', '.join(fit.law.input_names)}", "unknown-name"
            )
        if name not in cost.inputs:
            raise InputError(
                f"cost {cost.text} does not depend on {name}: as much of it as one likes would be free", "bad-value"
            )
    for budget in budgets:
        if not (np.isfinite(budget) and budget > 0):
            raise InputError(f"budget {budget}: must be a number above 0, in the unit of the cost", "bad-value")
    evidence = evidence or gather(fit, level)
    asked = (questions(fit, cost, budget, (first, second), at) for budget in budgets)
    return tuple(
        Frontier(budget, *(decide(question, evidence, force) for question in three))
        for budget, three in zip(budgets, asked, strict=True)
    )


def pair_of(fit: Fit) -> tuple[str, str]:
    """The first two inputs of the law.

    Raises:
        InputError: it has one only.
    """
    if len(fit.law.input_names) < 2:
        raise InputError(
            f"law {fit.law.name} has one input only; a budget is shared between two, as in chinchilla", "wrong-law"
        )
    return fit.law.input_names[0], fit.law.input_names[1]


def questions(
    fit: Fit, cost: Cost, budget: float, pair: tuple[str, str], at: Mapping[str, float]
) -> tuple[Question, Question, Question]:
    """What is asked at one budget: the first input of the best mix, the second, and the error there."""
    ends = search_range(fit, pair[0])
    inside = float(np.sqrt(fit.table.x[pair[0]].min() * fit.table.x[pair[0]].max()))

    def best(f: Fit, thetas: Array) -> tuple[Array, Array]:
        return best_mix(f, thetas, cost, budget, pair, at)

    def partner(values: Array) -> Array:
        with np.errstate(all="ignore"):
            found = np.asarray(cost.solve(pair[1], budget, {**at, pair[0]: values}), np.float64)
            return np.where(np.isfinite(values), found, np.inf)

    def mix(values: Array) -> dict[str, Array | float]:
        return {**at, pair[0]: values, pair[1]: partner(values)}

    def level_along_budget(f: Fit, values: Array) -> tuple[Ties, Array]:
        places = [mix(values * np.exp(step)) for step in (STEP, -STEP)]
        return ties_at(f, places, [0.5 / STEP, -0.5 / STEP]), np.zeros(len(values))

    def optimum(f: Fit) -> float:
        return float(best(f, f.theta[None])[0][0])

    def place(f: Fit) -> float:
        return value if np.isfinite(value := optimum(f)) else inside

    def gradient(f: Fit, _: float) -> Array:
        return gradient_at(f, partial(level_along_budget, f), place(f))

    @lru_cache(maxsize=4)
    def interval(f: Fit, level: float) -> Interval:
        return accepted_range(f, partial(level_along_budget, f), optimum(f), ends, level)

    def second_interval(f: Fit, _: float, level: float) -> Interval:
        low, high = interval(f, level)
        most, least = (partner(np.array([end]))[0] if 0.0 < end < np.inf else np.nan for end in (low, high))
        return (float(least) if np.isfinite(least) else 0.0), (float(most) if np.isfinite(most) else np.inf)

    def error_interval(f: Fit, _: float, level: float) -> Interval:
        return least_error(f, mix, interval(f, level), optimum(f), level)

    def error_gradient(f: Fit, _: float) -> Array:
        return gradients_of(f, ties_at(f, [mix(np.array([place(f)]))], [1.0]))[1][0]

    first, second = (fit.table.column(name) for name in pair)
    where = f"at {budget:.4g} {cost.unit}"
    limits = [limits_of(fit, name, search_range(fit, name)) for name in pair]
    return (
        Question(
            f"best {first} {where}", "", lambda f, t: best(f, t)[0], gradient,
            lambda f, _, level: interval(f, level), limits[0],
        ),
        Question(
            f"best {second} {where}", "", lambda f, t: partner(best(f, t)[0]), gradient, second_interval, limits[1]
        ),
        Question(
            f"{fit.table.y_name} of the best mix {where}", fit.table.unit, lambda f, t: best(f, t)[1], error_gradient,
            error_interval,
        ),
    )  # fmt: skip


def least_error(
    fit: Fit, mix: Callable[[Array], dict[str, Array | float]], optimum: Interval, value: float, level: float
) -> Interval:
    """Bounds of the least error along a line of equal cost: the least of the lower and of the upper ends on it.

    optimum: interval of the first input of the best mix, value: the fit's own. No curve that the points allow has its
    least error below the lower ends' least, nor above the upper ends' least.
    """
    centre = np.log(value) if np.isfinite(value) else np.log(np.sqrt(max(optimum[0], 1e-30) * min(optimum[1], 1e30)))
    low, high = (np.log(np.clip(end, 1e-30, 1e30)) for end in optimum)
    places = np.linspace(max(low, centre - _WIDE), min(high, centre + _WIDE), _BAND)
    x = mix(np.exp(np.unique(np.append(places, centre))))
    stacked = np.array(np.broadcast_arrays(*x.values()))
    usable = np.isfinite(stacked).all(axis=0)
    band = prediction_band(fit, dict(zip(x, stacked[:, usable], strict=True)), level)
    assert band is not None
    return float(band[0].min()), float(band[1].min())


def best_mix(
    fit: Fit, thetas: Array, cost: Cost, budget: float, pair: tuple[str, str], at: Mapping[str, float]
) -> tuple[Array, Array]:
    """(first input [k], error [k]) of the best mix for each of thetas [k, p]; inf where it has no inner optimum.

    Raises:
        InputError: the budget buys nothing near the sweep.
    """
    low, high = search_range(fit, pair[0])
    value, least = _lowest(fit, thetas, cost, budget, pair, at, np.geomspace(low, high, _PLACES))
    if len(thetas) == 1 and np.isfinite(value[0]):
        # Once more about the lowest place, so that the parabola's own error falls below rounding in print.
        near = np.geomspace(value[0] / 1.05, value[0] * 1.05, _PLACES)
        value, least = _lowest(fit, thetas, cost, budget, pair, at, near)
    return value, least


def _lowest(
    fit: Fit, thetas: Array, cost: Cost, budget: float, pair: tuple[str, str], at: Mapping[str, float], grid: Array
) -> tuple[Array, Array]:
    others = cost.solve(pair[1], budget, {**at, pair[0]: grid})
    usable = np.isfinite(others) & (others > 1e-25) & (others < 1e25)
    grid, others = grid[usable], others[usable]
    if len(grid) < 3:
        raise InputError(
            f"budget {budget:.3g} {cost.unit}: buys no mix within a millionth to a million of the sweep", "out-of-reach"
        )
    y = curve_values(fit, thetas, {**at, pair[0]: grid, pair[1]: others})
    place = y.argmin(axis=1)
    inner = (place > 0) & (place < len(grid) - 1)
    middle = np.clip(place, 1, len(grid) - 2)
    rows = np.arange(len(y))
    # The vertex of the parabola through the lowest place and its neighbours, in log input.
    a, b, c = (np.log(y[rows, middle + shift]) for shift in (-1, 0, 1))
    bend = a - 2.0 * b + c
    with np.errstate(invalid="ignore", divide="ignore"):
        move = np.clip(np.where(bend > 0, 0.5 * (a - c) / bend, 0.0), -1.0, 1.0)
    step = np.log(grid[1] / grid[0])
    value = np.exp(np.log(grid[middle]) + move * step)
    least = np.exp(b - 0.25 * (a - c) * move)
    return np.where(inner, value, np.inf), np.where(inner, least, y[rows, place])
