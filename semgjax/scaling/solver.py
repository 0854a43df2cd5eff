"""Minimises the objective: many starts by variable projection, then BFGS and Newton steps.

A point of the search is theta = (log coefficients [K], shape [J]). Limits (a floor of 0, an exponent at the
end of its range) are faces of the search space, searched apart from the inside; the lowest objective wins.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, nnls

from semgjax.scaling.laws import Law, log_curve_gradient
from semgjax.scaling.objective import loss

Array = np.ndarray

STARTS = 12
AGREE = 1e-4  # relative: two objectives closer than this are the same minimum


@dataclass(frozen=True)
class Solution:
    """The best point found.

    coefficients [K], shape [J]: for x = log(N / N0). gradient_norm: of the objective by (log coefficients,
    shape), in the directions that are free. starts_agree: share of the starts that reached this objective.
    """

    coefficients: Array
    shape: Array
    objective: float
    gradient_norm: float
    converged: bool
    starts: int
    starts_agree: float


@dataclass(frozen=True)
class _End:
    theta: Array
    objective: float
    gradient_norm: float
    converged: bool


def solve(law: Law, x: Array, log_y: Array, delta: float | None, starts: int = STARTS) -> Solution:
    """Minimise the sum of losses of log_y [n] minus the law at x [n]; float64 in and out."""
    terms = len(law.linear)
    thetas = _starts(law, x, log_y, starts)
    ends = [_inside(law, x, log_y, delta, theta) for theta in thetas]
    best = min(ends, key=lambda end: end.objective)
    # With a term less the search is easy: a few of the starts do. Inside, a floor that wants to be 0 creeps
    # towards it for ever; the face has the exact limit, so it wins a tie. Below 1e-8 of y, differences are
    # rounding.
    for theta in _faces(law, thetas[:: max(starts // 3, 1)]):
        end = _inside(law, x, log_y, delta, theta)
        if end.objective <= best.objective * (1 + 1e-9) + len(x) * 1e-17:
            best = end
    agree = sum(end.objective <= best.objective * (1 + AGREE) + len(x) * 1e-16 for end in ends)
    return Solution(
        coefficients=np.exp(best.theta[:terms]),
        shape=best.theta[terms:],
        objective=best.objective,
        gradient_norm=best.gradient_norm,
        converged=best.converged,
        starts=starts,
        starts_agree=agree / starts,
    )


def _faces(law: Law, thetas: list[Array]) -> list[Array]:
    """Starts without one of the droppable terms."""
    return [np.where(np.arange(len(t)) == term, -np.inf, t) for term in law.droppable for t in thetas]


def _starts(law: Law, x: Array, log_y: Array, count: int) -> list[Array]:
    """One start per value of the shape: there the coefficients follow from non-negative least squares.

    Rows are divided by y, which makes the linear residuals those of the logs to first order. The values are
    spread evenly in logarithm from "5 % less over the whole sweep" to the end of the range.
    """
    starts = []
    span = max(float(np.ptp(x)), 1e-3)
    for step in np.linspace(0.0, 1.0, count):
        shape = np.array([_between(p.high, min(0.05 / span, p.high), step) for p in law.shape])
        log_phi = law.log_terms(shape, x)
        shift = log_phi.max(axis=0)
        coefficients, _ = nnls(np.exp(log_phi - shift - log_y[:, None]), np.ones_like(x))
        # A vanished coefficient would stay so in logarithms: begin at a hundredth of the smallest value
        # instead.
        least = 0.01 * np.exp(log_y.min())
        starts.append(np.concatenate([np.log(np.maximum(coefficients, least)) - shift, shape]))
    return starts


def _between(high: float, low: float, step: float) -> float:
    return float(np.exp((1.0 - step) * np.log(low) + step * np.log(high)))


def _inside(law: Law, x: Array, log_y: Array, delta: float | None, start: Array) -> _End:
    """Descend; where a shape parameter leaves its range, hold it at the range's end and descend again."""
    terms = len(law.linear)
    free = np.isfinite(start)
    end = _descend(law, x, log_y, delta, start, free)
    low = np.array([p.low for p in law.shape])
    high = np.array([p.high for p in law.shape])
    shape = end.theta[terms:]
    outside = (shape < low) | (shape > high)
    if not outside.any():
        return end
    held = end.theta.copy()
    held[terms:] = np.clip(shape, low, high)
    # The coefficients that belonged to the shape outside are far off: take the start's.
    held[:terms] = start[:terms]
    free = free & np.concatenate([np.ones(terms, bool), ~outside])
    return _descend(law, x, log_y, delta, held, free)


def _descend(law: Law, x: Array, log_y: Array, delta: float | None, start: Array, free: Array) -> _End:
    """BFGS over the free coordinates, then Newton steps while they lower the gradient."""
    terms = len(law.linear)

    def at(values: Array) -> tuple[float, Array, Array, Array, Array]:
        theta = start.copy()
        theta[free] = values
        curve, slopes = log_curve_gradient(law, theta[:terms], theta[terms:], x)
        value, first, second = loss(log_y - curve, delta)
        jacobian = slopes[:, free]
        return value, -(first @ jacobian), jacobian, first, second

    scale = max(at(start[free])[0], 1e-300)  # the objective starts at 1, whatever the noise

    def scaled(values: Array) -> tuple[float, Array]:
        # A line search may try an absurd step, where the curve overflows; an infinite objective turns it
        # back.
        with np.errstate(over="ignore", invalid="ignore"):
            value, gradient, *_ = at(values)
        if not np.isfinite(value) or not np.isfinite(gradient).all():
            return np.inf, np.zeros_like(gradient)
        return value / scale, gradient / scale

    values = minimize(scaled, start[free], jac=True, method="BFGS", options={"gtol": 1e-7, "maxiter": 500}).x
    value, gradient, jacobian, first, second = at(values)
    for _ in range(20):
        step = np.linalg.lstsq(jacobian * second[:, None], first, rcond=1e-10)[0]
        tried = at(values + step)
        # A long step along a flat direction can leave the basin: only a lower objective or gradient counts.
        if not (np.linalg.norm(tried[1]) < np.linalg.norm(gradient) and tried[0] <= value * (1 + 1e-9)):
            break
        values = values + step
        value, gradient, jacobian, first, second = tried
    theta = start.copy()
    theta[free] = values
    norm = float(np.linalg.norm(gradient))
    # At a minimum the losses' derivatives stand at a right angle to every column of the Jacobian.
    reach = float(np.linalg.norm(jacobian) * np.linalg.norm(first))
    return _End(theta, value, norm, norm <= 1e-5 * reach or norm <= 1e-12)
