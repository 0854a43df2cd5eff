"""What runs are chosen for: a prediction, a parameter, the whole law, or the input that reaches a target."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.decide.inverse import check_input, reach, search_range
from semgjax.scaling.decide.sensitivity import log_gradients, log_slopes
from semgjax.scaling.ends import place_text
from semgjax.scaling.fit import Fit

Array = np.ndarray


@dataclass(frozen=True)
class Goal:
    """A quantity whose interval is to shrink. gradients(fit, thetas [k, p]) -> [k, p] of its logarithm (a floor
    and an exponent: of itself over its value); None: all parameters together."""

    text: str
    gradients: Callable[[Fit, Array], Array] | None


def goal_of(fit: Fit, shrink: str, at: Mapping[str, float], target: float | None) -> Goal:
    """The goal named "prediction", "law" (all parameters), by a parameter, or by an input that is to reach `target`.

    Raises:
        InputError: none of these, or something that the goal needs is missing.
    """
    if shrink == "prediction":
        if not at:
            raise InputError("shrink prediction: give the point, at INPUT=NUMBER", "bad-option")
        return prediction_goal(fit, at)
    if shrink == "law":
        return law_goal(fit)
    if shrink in fit.law.parameter_names:
        return parameter_goal(fit, shrink)
    if shrink not in fit.law.input_names:
        names = ", ".join(("prediction", "law", *fit.law.parameter_names, *fit.law.input_names))
        raise InputError(f"shrink {shrink}: choose one of {names}", "bad-value")
    if target is None:
        raise InputError(f"shrink {shrink}: give the error to reach, target", "bad-option")
    return inverse_goal(fit, shrink, target, at)


def prediction_goal(fit: Fit, at: Mapping[str, float]) -> Goal:
    """The law's value at a point."""
    log_gradients(fit, fit.theta[None], at)
    place = place_text(fit.table.column, at)
    return Goal(f"{fit.table.y_name} at {place}", lambda f, thetas: log_gradients(f, thetas, at)[:, 0])


def parameter_goal(fit: Fit, name: str) -> Goal:
    """A parameter of the law.

    Raises:
        InputError: the law has no such parameter, or it is held fixed.
    """
    fit.law.parameter(name)
    i = fit.law.parameter_names.index(name)
    if not fit.free[i]:
        raise InputError(f"parameter {name} is held fixed; there is nothing to learn about it", "conflict")
    row = fit.problem.coordinate_rows[i][0]

    def gradients(f: Fit, thetas: Array) -> Array:
        scale = np.ones(len(thetas)) if f.law.parameters[i].in_log else 1.0 / np.maximum(np.abs(thetas[:, i]), 1e-3)
        return scale[:, None] * row

    return Goal(f"parameter {name}", gradients)


def law_goal(fit: Fit) -> Goal:
    """All fitted parameters together: the volume of their confidence ellipsoid (D-optimality)."""
    return Goal(f"the parameters of {fit.law.name}, geometric mean of their ellipsoid's half-axes", None)


def inverse_goal(fit: Fit, name: str, target: float, at: Mapping[str, float]) -> Goal:
    """The value of an input that reaches a target.

    Raises:
        InputError: the fitted curve does not reach it.
    """
    check_input(fit, name, at)
    ends = search_range(fit, name)
    if not np.isfinite(reach(fit, fit.theta[None], name, target, at, ends)[0]):
        raise InputError(
            f"{fit.table.y_name} {target:g} is out of reach of the fitted curve; shrink the floor, E",
            "out-of-reach",
        )

    def gradients(f: Fit, thetas: Array) -> Array:
        values = reach(f, thetas, name, target, at, ends)
        found = np.full(thetas.shape, np.nan)
        for k in np.flatnonzero(np.isfinite(values)):
            x = {**at, name: values[k]}
            slope = log_slopes(f, thetas[k : k + 1], x, name)[0, 0]
            found[k] = -log_gradients(f, thetas[k : k + 1], x)[0, 0] / slope
        return found

    return Goal(f"{fit.table.column(name)} for {fit.table.y_name} {target:g}", gradients)
