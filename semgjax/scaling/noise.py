"""Noise that grows or shrinks along a sweep: a test with its small-sample law, and what it does to an interval.

The model is sd = s exp(b u), u the log of an input (or of the fitted value) in units of its spread, by restricted
likelihood, b with a normal prior. The test is the mean likelihood ratio of all b to b = 0. A fit leaves residuals of
unequal size even where the noise is constant, so that its null distribution is simulated for the very slopes of the
fit (linearised, normal noise) from a fixed seed, and no table of large samples is trusted.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from semgjax.scaling.fit import Fit, predict
from semgjax.scaling.objective import residuals_on
from semgjax.scaling.solver import curves

Array = np.ndarray

ALARM = 0.05
# Few runs cannot show that their noise is constant: unless it looks so, intervals allow for trends that it may have.
DOUBT = 0.5
LEAST_FREEDOM = 5  # with fewer, no trend of the noise can be distinguished from what a fit does to its residuals
_DRAWS, _MANY = 1999, 256
_TRENDS = np.linspace(-1.6, 1.6, 33)  # of log standard deviation per standard deviation of the variable
# From 1 to 6 % over a sweep is 0.6; a factor of a hundred is not to be had from a dozen residuals.
_PRIOR = np.exp(-0.5 * (_TRENDS / 0.6) ** 2) / np.sum(np.exp(-0.5 * (_TRENDS / 0.6) ** 2))


@dataclass(frozen=True, eq=False)
class NoiseTrend:
    """How the noise moves along a sweep.

    along: the input, or "y" for the fitted value. p: of constant noise. slope: of log standard deviation over the
    variable's spread; ratio: of the standard deviations at the two ends of the sweep, in the direction of `along`.
    spreads [k, n]: standard deviations of each row under k slopes, with the residuals' own sum of squares; shares
    [k]: their restricted likelihoods, summing to 1.
    """

    along: str
    p: float
    slope: float
    ratio: float
    spreads: Array
    shares: Array

    @property
    def found(self) -> bool:
        """Whether constant noise is rejected."""
        return self.p < ALARM

    @property
    def allowed_for(self) -> bool:
        """Whether intervals are widened by it."""
        return self.p < DOUBT

    @property
    def spread(self) -> Array:
        """Standard deviation of each row [n], over all trends by their shares."""
        return np.sqrt(self.shares @ self.spreads**2)


def noise_trend(fit: Fit) -> NoiseTrend | None:
    """The test and the model of a fit; None where the points leave too little to judge by."""
    if fit.degrees_of_freedom < LEAST_FREEDOM or fit.levels <= fit.free_count:
        return None
    residuals = residuals_on(fit.objective.scale, fit.table.y, predict(fit, fit.table.x))
    residuals = residuals * np.sqrt(fit.problem.weights)
    if fit.objective.kind == "mm_log" and fit.scatter:  # a run that is off says little of the noise, but not nothing
        residuals = np.clip(residuals, -3.0 * fit.scatter, 3.0 * fit.scatter)
    return trend_of(residuals, slopes_of(fit), variables(fit))


def slopes_of(fit: Fit) -> Array:
    """Derivatives of the curve by the free coordinates [n, q] on the scale of the residuals, with their weights."""
    y = predict(fit, fit.table.x)
    unit = {"log": np.ones(len(y)), "log1p": y / (1.0 + y), "linear": y}[fit.objective.scale]
    return log_slopes(fit)[:, fit.free] * (unit * np.sqrt(fit.weights))[:, None]


def variables(fit: Fit) -> dict[str, Array]:
    """What noise may move along: the log of each input that varies, and with several inputs that of the fitted y."""
    found = {}
    for name in fit.law.input_names:
        values = fit.table.x[name]
        if (values > 0).all() and np.ptp(np.log(values)) > 0.01:
            found[name] = np.log(values)
    if len(found) > 1:
        found["y"] = np.log(predict(fit, fit.table.x))
    return found


def log_slopes(fit: Fit, step: float = 1e-5) -> Array:
    """Derivatives of the log curve at the points by the coordinates [n, p], by differences."""
    p = len(fit.theta)
    around = np.concatenate([fit.theta + step * np.eye(p), fit.theta - step * np.eye(p)])
    around = np.maximum(around, np.where(np.array([q.kind == "floor" for q in fit.law.parameters]), 0.0, -np.inf))
    gaps = np.diagonal(around[:p] - around[p:])
    logs = np.log(curves(fit.law, fit.problem.x, around))
    return ((logs[:p] - logs[p:]) / gaps[:, None]).T


def trend_of(residuals: Array, slopes: Array, along: Mapping[str, Array], seed: int = 0) -> NoiseTrend | None:
    """`noise_trend` of residuals [n] of a fit with slopes [n, p] (both times the root of the weights)."""
    n = len(residuals)
    units = {name: (v - v.mean()) / v.std() for name, v in along.items() if np.ptp(v) > 0}
    squares = float(residuals @ residuals)
    if not units or squares <= 1e-24 * n:
        return None
    basis = _basis(slopes)
    draws = np.random.default_rng(seed).standard_normal((_DRAWS if n <= _MANY else _DRAWS // 4, n))
    draws -= (draws @ basis) @ basis.T
    null, own, chosen = np.full(len(draws), -np.inf), -np.inf, ""
    for name, unit in units.items():
        null = np.maximum(null, _evidence(_likelihoods(draws, basis, unit)[0]))
        mine = float(_evidence(_likelihoods(residuals[None], basis, unit)[0])[0])
        if mine > own:
            own, chosen = mine, name
    p = float((1 + np.sum(null >= own)) / (1 + len(null)))
    likelihoods, scales = (a[:, 0] for a in _likelihoods(residuals[None], basis, units[chosen]))
    shares = _PRIOR * np.exp(likelihoods - likelihoods.max())
    shares /= shares.sum()
    slope = float(shares @ _TRENDS)
    spreads = scales[:, None] * np.exp(_TRENDS[:, None] * units[chosen])
    return NoiseTrend(chosen, p, slope, float(np.exp(slope * np.ptp(units[chosen]))), spreads, shares)


def widening(trend: NoiseTrend | None, slopes: Array, gradients: Array) -> Array:
    """By how much the variance of quantities with gradients [m, p] exceeds that of constant noise: [m], 1 or more.

    The variance of the fit's own estimate under each noise model, averaged by its likelihood; slopes [n, p] as in
    `trend_of`.
    """
    if trend is None or not trend.allowed_for:
        return np.ones(len(gradients))
    inverse = np.linalg.pinv(slopes, rcond=1e-8)
    influence = gradients @ inverse  # [m, n]
    plain = np.sum(influence**2, axis=1)
    variance = influence**2 @ trend.spread**2
    level = _constant(trend)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(plain > 0, variance / (plain * level), 1.0)
    return np.maximum(np.nan_to_num(ratio, nan=1.0), 1.0)


def _constant(trend: NoiseTrend) -> float:
    return float(trend.spreads[len(_TRENDS) // 2, 0] ** 2)


def lack_p(trend: NoiseTrend, slopes: Array, groups: Array, statistic: float, seed: int = 0) -> float:
    """Probability that the ratio of misfit to the scatter of replicates exceeds `statistic` under the trend's noise.

    groups [n]: rows that are replicates; slopes [n, p] as in `trend_of`. Unequal noise makes F's own table wrong.
    """
    n, levels = len(groups), int(groups.max()) + 1
    basis = _basis(slopes)
    draws = np.random.default_rng(seed).standard_normal((_DRAWS, n)) * trend.spread
    draws -= (draws @ basis) @ basis.T
    member = np.equal.outer(np.arange(levels), groups).astype(float)
    member /= np.sqrt(member.sum(axis=1, keepdims=True))
    means = np.sum((draws @ member.T) ** 2, axis=1)
    pure = np.sum(draws**2, axis=1) - means
    drawn = means / max(levels - basis.shape[1], 1) / (pure / (n - levels))
    return float((1 + np.sum(drawn >= statistic)) / (1 + len(drawn)))


def _basis(slopes: Array) -> Array:
    scaled = slopes / np.maximum(np.linalg.norm(slopes, axis=0), 1e-300)
    vectors, values, _ = np.linalg.svd(scaled, full_matrices=False)
    return vectors[:, values > 1e-8 * max(values.max(initial=0.0), 1e-300)]


def _evidence(likelihoods: Array) -> Array:
    """Log of the mean likelihood ratio [m] of all trends to none, from log likelihoods [k, m]."""
    ratios = np.exp(np.minimum(likelihoods - likelihoods[len(_TRENDS) // 2], 600.0))
    return np.log(_PRIOR @ ratios)


def _likelihoods(residuals: Array, basis: Array, unit: Array) -> tuple[Array, Array]:
    """Restricted log likelihood [k, m] of each trend along `unit` [n] for residuals [m, n]; the noise's scale [k, m].

    Patterson and Thompson 1971, Biometrika 58. The residuals are those of the fit with constant noise; what they
    lack to those of a weighted fit is a step within the span of the slopes (basis [n, p]), which is projected out.
    """
    left = basis.shape[0] - basis.shape[1]
    likelihoods, scales = [], []
    for trend in _TRENDS:
        shape = np.exp(trend * unit)
        q, r = np.linalg.qr(basis / shape[:, None])
        target = residuals / shape
        rest = target - (target @ q) @ q.T
        squares = np.maximum(np.sum(rest**2, axis=1), 1e-300)
        determinant = 2.0 * float(np.sum(np.log(np.abs(np.diagonal(r)) + 1e-300)))
        likelihoods.append(-0.5 * (left * np.log(squares / left) + determinant))
        scales.append(np.sqrt(squares / left))
    return np.array(likelihoods), np.array(scales)
