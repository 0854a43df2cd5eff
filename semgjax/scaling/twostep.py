"""Two steps from size to error: a law of the loss, then a link from loss to error."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.bootstrap import draw, draw_interval, predict_draws
from semgjax.scaling.fit import Fit, Point, fit_law, points_of, predict
from semgjax.scaling.law import Law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.objective import Objective
from semgjax.scaling.solver import curves
from semgjax.scaling.table import Table

Array = np.ndarray

# Small values of a bounded score carry no more weight than large ones.
STEP_TWO = Objective("linear_ls")
LINK_LAWS = ("sigmoid", "gadre_error")


@dataclass(frozen=True, eq=False)
class TwoStep:
    """first: loss over size and data; second: error over loss."""

    first: Fit
    second: Fit


def fit_two_step(
    loss: Table,
    error: Array,
    law: Law,
    unit: str = "",
    objective: Objective | None = None,
    fixed: Mapping[str, float] | None = None,
    link: str = "sigmoid",
) -> TwoStep:
    """Fit `law` to the losses and a link from the measured losses to `error` [n] of the same runs.

    link: "sigmoid" (a floor and a ceiling, as of one task) or "gadre_error" (eps - k exp(-gamma L), as of an average
    over tasks: Gadre et al. 2024, eq. 5). fixed: parameters of the link, for example its ends.

    Raises:
        InputError: as `fit_law`; not one error per run; or another link.
    """
    if link not in LINK_LAWS:
        raise InputError(f"link {link!r}: choose one of {', '.join(LINK_LAWS)}", "unknown-name")
    if np.shape(error) != loss.y.shape:
        raise InputError(f"{loss.source}: {len(loss.y)} losses but errors of shape {np.shape(error)}", "bad-shape")
    pairs = Table({"L": loss.y}, np.asarray(error, np.float64), unit, "error", source=loss.source, runs=loss.runs)
    return TwoStep(fit_law(loss, law, objective), fit_law(pairs, LAWS[link], STEP_TWO, fixed))


def predict_two_step(fit: TwoStep, x: Point) -> Array:
    """Error at x [...]: the second law at the loss that the first predicts."""
    return predict(fit.second, predict(fit.first, x))


def two_step_interval(
    fit: TwoStep, x: Point, level: float = 0.95, count: int = 1000, seed: int = 0
) -> tuple[Array, Array]:
    """(low, high) [...] from draws of both steps, paired by chance: their residuals are taken as independent.

    The scatter of single runs about the second curve is not in it.
    """
    values, shape = points_of(fit.first, x)
    losses = predict_draws(draw(fit.first, count, "residual", seed), values)
    second = draw(fit.second, count, "residual", seed + 1)
    k = min(len(losses), len(second.thetas))
    found = np.empty((k, losses.shape[1]))
    for i in range(losses.shape[1]):
        at = {"L": losses[:k, i]}
        found[:, i] = np.diagonal(curves(fit.second.law, at, second.thetas[:k]))
    low, high = draw_interval(found * fit.second.unit_y, level)
    return low.reshape(shape), high.reshape(shape)
