"""How to spend a budget: the cheapest mix of two inputs, with its layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.decide.cost_model import Cost
from semgjax.scaling.decide.decision import Decision, decide
from semgjax.scaling.decide.evidence import Evidence, Question, gather
from semgjax.scaling.decide.inverse import curve_values, search_range
from semgjax.scaling.fit import Fit

Array = np.ndarray

_PLACES = 401


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
    return tuple(_at_budget(fit, cost, b, (first, second), at, force, evidence) for b in budgets)


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


def _at_budget(
    fit: Fit,
    cost: Cost,
    budget: float,
    pair: tuple[str, str],
    at: dict[str, float],
    force: bool,
    evidence: Evidence,
) -> Frontier:
    def best(f: Fit, thetas: Array) -> tuple[Array, Array]:
        return best_mix(f, thetas, cost, budget, pair, at)

    def second(f: Fit, thetas: Array) -> Array:
        values, _ = best(f, thetas)
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(values), cost.solve(pair[1], budget, {**at, pair[0]: values}), np.inf)

    column = fit.table.column
    where = f"at {budget:.4g} {cost.unit}"
    asked = (
        Question(f"best {column(pair[0])} {where}", "", lambda f, t: best(f, t)[0]),
        Question(f"best {column(pair[1])} {where}", "", second),
        Question(f"{fit.table.y_name} of the best mix {where}", fit.table.unit, lambda f, t: best(f, t)[1]),
    )
    return Frontier(budget, *(decide(question, evidence, force) for question in asked))


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
