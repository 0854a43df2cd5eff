"""What one input is worth in another: users against parameters, hours against users."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.decide.accepted import STEP, accepted_range, gradient_at, ties_at
from semgjax.scaling.decide.decision import Decision, decide
from semgjax.scaling.decide.evidence import Evidence, Question, gather
from semgjax.scaling.decide.inverse import curve_values, reach, search_range
from semgjax.scaling.ends import Interval, Limits, place_text
from semgjax.scaling.fit import Fit, whole_point
from semgjax.scaling.profile import Ties, gradients_of, profile_ends

Array = np.ndarray


@dataclass(frozen=True)
class Exchange:
    """factor: what the given input was multiplied by. rate: by what the other would have to be, for the same
    error. given, other: per cent of error that one per cent more of each takes away, at the point."""

    factor: float
    rate: Decision
    given: Decision
    other: Decision


def exchange(
    fit: Fit,
    give: str,
    get: str,
    at: Mapping[str, float],
    factor: float = 2.0,
    level: float = 0.95,
    force: bool = False,
    evidence: Evidence | None = None,
) -> Exchange:
    """By what `get` must grow to do what `factor` times `give` does, both from the point `at`.

    Raises:
        InputError: an input that the law has not, one without a value, or a factor that is not above 1.
    """
    for name in (give, get):
        if name not in fit.law.input_names:
            raise InputError(
                f"law {fit.law.name} has no input {name!r}; it has {', '.join(fit.law.input_names)}", "unknown-name"
            )
    if give == get or not (np.isfinite(factor) and factor > 1.0):
        raise InputError(f"exchange {factor:g} x {give} for {get}: name two inputs and a factor above 1", "bad-value")
    at, evidence = whole_point(fit, at), evidence or gather(fit, level)
    asked = rate_question(fit, give, get, at, factor), _elasticity(fit, give, at), _elasticity(fit, get, at)
    return Exchange(factor, *(decide(question, evidence, force) for question in asked))


def rate_question(fit: Fit, give: str, get: str, at: Mapping[str, float], factor: float) -> Question:
    """By what `get` must grow to do what `factor` times `give` does; see `exchange`."""
    at = whole_point(fit, at)
    searched = search_range(fit, get)
    ends = searched[0] / at[get], searched[1] / at[get]
    others = {name: value for name, value in at.items() if name != get}

    def rate(f: Fit, thetas: Array) -> Array:
        goals = curve_values(f, thetas, {**at, give: at[give] * factor})[:, 0]
        return reach(f, thetas, get, goals, others, searched) / at[get]

    def as_good(f: Fit, rates: Array) -> tuple[Ties, Array]:
        places: list[dict[str, Any]] = [{**at, give: at[give] * factor}, {**at, get: at[get] * rates}]
        return ties_at(f, places, [1.0, -1.0]), np.zeros(len(rates))

    column = fit.table.column
    place = place_text(column, at)
    sweep = fit.table.x[get][fit.table.x[get] > 0] / at[get]
    return Question(
        f"{factor:g} x {column(give)} is worth {column(get)} times (at {place})",
        "",
        rate,
        lambda f, value: gradient_at(f, partial(as_good, f), min(value, ends[1])),
        lambda f, value, level: accepted_range(f, partial(as_good, f), value, ends, level),
        Limits(0.0, *ends, float(sweep.min()), float(sweep.max())),
        as_good,
    )


def _elasticity(fit: Fit, name: str, at: Mapping[str, float]) -> Question:
    def evaluate(f: Fit, thetas: Array) -> Array:
        near = np.array([at[name] * np.exp(-STEP), at[name] * np.exp(STEP)])
        y = np.log(curve_values(f, thetas, {**at, name: near}))
        return (y[:, 0] - y[:, 1]) / (2.0 * STEP)

    def fall(f: Fit) -> Ties:
        places = [{**at, name: np.array([at[name] * np.exp(step)])} for step in (-STEP, STEP)]
        return ties_at(f, places, [0.5 / STEP, -0.5 / STEP])

    def interval(f: Fit, _: float, level: float) -> Interval:
        low, high = profile_ends(f, fall(f), level)
        return float(low[0]), float(high[0])

    text = f"% less {fit.table.y_name} for 1 % more {fit.table.column(name)}"
    return Question(text, "%", evaluate, lambda f, _: gradients_of(f, fall(f))[1][0], interval)
