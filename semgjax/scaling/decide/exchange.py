"""What one input is worth in another: users against parameters, hours against users."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.decide.decision import Decision, decide
from semgjax.scaling.decide.evidence import Evidence, Question, gather
from semgjax.scaling.decide.inverse import curve_values, reach, search_range
from semgjax.scaling.fit import Fit

Array = np.ndarray

_STEP = 1e-3


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
    curve_values(fit, fit.theta[None], at)  # every input has a value
    low, high = search_range(fit, get)
    others = {name: value for name, value in at.items() if name != get}

    def rate(f: Fit, thetas: Array) -> Array:
        goals = curve_values(f, thetas, {**at, give: at[give] * factor})[:, 0]
        return reach(f, thetas, get, goals, others, (low, high)) / at[get]

    evidence = evidence or gather(fit, level)
    column = fit.table.column
    place = ", ".join(f"{column(name)} = {value:g}" for name, value in at.items())
    text = f"{factor:g} x {column(give)} is worth {column(get)} times (at {place})"
    return Exchange(
        factor,
        decide(Question(text, "", rate), evidence, force),
        decide(_elasticity(fit, give, at), evidence, force),
        decide(_elasticity(fit, get, at), evidence, force),
    )


def _elasticity(fit: Fit, name: str, at: Mapping[str, float]) -> Question:
    def evaluate(f: Fit, thetas: Array) -> Array:
        near = np.array([at[name] * np.exp(-_STEP), at[name] * np.exp(_STEP)])
        y = np.log(curve_values(f, thetas, {**at, name: near}))
        return (y[:, 0] - y[:, 1]) / (2.0 * _STEP)

    return Question(f"% less {fit.table.y_name} for 1 % more {fit.table.column(name)}", "%", evaluate)
