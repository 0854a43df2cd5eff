"""The noise of a sweep: what a table says of it, which models it may follow, and what they do to an interval.

Log residuals have a variance that may grow or shrink along an input or the fitted value, that may be additive in y
itself, and that rows of one group (the seeds of a configuration, or a cluster) may share. Where the table gives the
number of keys behind each error rate, the rate's own sampling noise is added as an absolute variance. The models are
weighed by restricted likelihood (`semgjax.scaling.restricted`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from semgjax.scaling.fit import Fit, predict
from semgjax.scaling.objective import residuals_on, robust_scale
from semgjax.scaling.quantiles import f_quantile
from semgjax.scaling.restricted import NoiseModels, basis_of, group_sums, restricted, weigh
from semgjax.scaling.solver import curves

Array = np.ndarray

ALARM = 0.05
LEAST_FREEDOM = 5  # with fewer, no trend of the noise can be distinguished from what a fit does to its residuals
# Errors come in bursts: the variance of an error rate over n keys is about twice the binomial c (1 - c) / n.
BURSTS = 2.0
_OUTLIER = 6.0  # robust standard deviations: one bad run is no model of the noise
_DRAWS, _MANY = 1999, 256
_TRENDS = np.linspace(-1.6, 1.6, 33)  # of log standard deviation per standard deviation of the variable
# From 1 to 6 % over a sweep is 0.6; a factor of a hundred is not to be had from a dozen residuals.
_PRIOR = np.exp(-0.5 * (_TRENDS / 0.6) ** 2) / np.sum(np.exp(-0.5 * (_TRENDS / 0.6) ** 2))
_FLAT = len(_TRENDS) // 2
# Prior shares: of constant noise, of noise that is partly additive in y, of independent rows in groups of replicates,
# and of independent rows in clusters that the user has named.
_CONSTANT, _ADDITIVE, _INDEPENDENT, _IN_CLUSTERS = 0.4, 0.15, 0.6, 0.3
_PARTS = np.array([0.1, 0.3, 0.6, 1.0])  # additive parts of the variance at the middle of the sweep
_RATIOS = np.array([0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 1e4])  # shared to own variance
_SCALES = 25  # of the runs' own noise, where evaluation noise is known


@dataclass(frozen=True, eq=False)
class NoiseTrend:
    """How the noise moves along a sweep.

    along: the input, or "y" for the fitted value. p: of constant noise. slope: of log standard deviation over the
    variable's spread; ratio: of the standard deviations at the two ends of the sweep, in the direction of `along`.
    """

    along: str
    p: float
    slope: float
    ratio: float

    @property
    def found(self) -> bool:
        """Whether constant noise is rejected."""
        return self.p < ALARM


@lru_cache(maxsize=32)
def noise_models(fit: Fit) -> NoiseModels | None:
    """The models of a fit's noise, weighed; None where its points leave nothing to judge by.

    Variances are those of the residuals that the objective sees, without weights.
    """
    if fit.degrees_of_freedom <= 0 or fit.levels <= fit.free_count:
        return None
    counted = fit.weights > 0  # a run that is off says nothing of the others' noise
    root = np.sqrt(np.where(counted, fit.weights, 1.0))
    residuals, slopes = seen_residuals(fit) / root, slopes_of(fit) / root[:, None]
    known = evaluation_variance(fit)
    if known is None and not residuals @ residuals > 1e-24 * len(residuals):
        return None
    shapes, prior = _shapes(fit)
    groups = sharing(fit)
    shared = np.zeros(1)
    if groups is not None:
        size = len(groups) / (int(groups.max()) + 1)
        shared, independent = np.append(0.0, _RATIOS), _INDEPENDENT if fit.table.clusters is None else _IN_CLUSTERS
        falling = _RATIOS / (1.0 + size * _RATIOS)  # Tiao and Tan 1965, Biometrika 52, on a grid of logs
        of_shared = np.append(independent, (1.0 - independent) * falling / falling.sum())
        shapes, prior = np.repeat(shapes, len(shared), axis=0), np.outer(prior, of_shared).reshape(-1)
        shared = np.tile(shared, len(prior) // len(shared))
    else:
        shared, groups = np.zeros(len(shapes)), np.arange(len(residuals))
    if known is None:
        return weigh(residuals, slopes, shapes, shared, groups, prior, counted)
    typical = float(np.sqrt(np.median(known)))
    most = 10.0 * max(float(np.sqrt(np.mean(residuals**2))), typical)
    scales = np.geomspace(0.02 * typical, most, _SCALES)
    own = (scales[:, None, None] ** 2 * shapes + known).reshape(-1, len(residuals))
    prior = np.outer(scales / (typical + scales), prior).reshape(-1)
    return weigh(residuals, slopes, own, np.outer(scales**2, shared).reshape(-1), groups, prior, counted, known=True)


def noise_scales(fit: Fit, gradients: Array, level: float, kappa: float) -> Array:
    """kappa [m] of quantities with gradients [m, q] by the free coordinates, so that F(1, n - p) cuts at `level`.

    kappa: that of constant, independent noise (`semgjax.scaling.profile.kappa`). None is below it, except where the
    noise of each row is known from its keys.
    """
    models = noise_models(fit)
    if models is None:
        return np.full(len(gradients), kappa)
    residuals, slopes = seen_residuals(fit), slopes_of(fit)
    influence = gradients @ np.linalg.pinv(slopes, rcond=1e-8)
    plain = np.sum(influence**2, axis=1) * float(f_quantile(level, 1, fit.degrees_of_freedom))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = models.half_widths(influence * np.sqrt(fit.weights), level) ** 2 / plain
    if models.known:
        found = variance / (fit.unit_y**2 if fit.objective.scale == "linear" else 1.0) + 1e-16
    else:
        found = kappa * np.maximum(variance / (residuals @ residuals) * fit.degrees_of_freedom, 1.0)
    return np.where(np.isfinite(found), found, kappa)


def noise_draws(fit: Fit, count: int, random: np.random.Generator, own: bool = True) -> Array:
    """Noise [count, n] of new sweeps of the same design, of which residuals are those that the objective sees.

    own: a row's own noise is drawn from the residuals (else normal).
    """
    models = noise_models(fit)
    if models is None:
        return np.zeros((count, len(fit.table.y)))
    standard = None
    if own:
        counted = fit.weights > 0
        standard = _seen(fit)[counted] / np.sqrt(fit.weights[counted]) / models.spread[counted]
        standard = (standard - standard.mean()) / max(float(standard.std()), 1e-300)
    return models.draws(count, random, standard)


@lru_cache(maxsize=32)
def noise_trend(fit: Fit) -> NoiseTrend | None:
    """The test of constant noise; None where the points leave too little to judge by."""
    models = noise_models(fit)
    if models is None or fit.degrees_of_freedom < LEAST_FREEDOM:
        return None
    residuals = seen_residuals(fit)
    if fit.objective.kind == "mm_log" and fit.scatter:  # a run that is off says little of the noise, but not nothing
        residuals = residuals_on(fit.objective.scale, fit.table.y, predict(fit, fit.table.x))
        residuals = np.clip(residuals * np.sqrt(fit.problem.weights), -3.0 * fit.scatter, 3.0 * fit.scatter)
    return trend_of(residuals, slopes_of(fit), variables(fit), models.groups, models.shared_part)


def trend_of(
    residuals: Array, slopes: Array, along: Mapping[str, Array], groups: Array | None = None, shared: float = 0.0,
    seed: int = 0,
) -> NoiseTrend | None:  # fmt: skip
    """`noise_trend` of residuals [n] of a fit with slopes [n, p] (both times the root of the weights).

    The statistic is the mean likelihood ratio of all trends to none. A fit leaves residuals of unequal size even
    where the noise is constant, so that its null distribution is simulated for the very slopes of the fit, from a
    fixed seed. groups [n], shared: rows that share an effect, and its part of the variance, also in these draws.
    """
    n = len(residuals)
    units = {name: (v - v.mean()) / v.std() for name, v in along.items() if np.ptp(v) > 0}
    if not units or float(residuals @ residuals) <= 1e-24 * n:
        return None
    basis, random = basis_of(slopes), np.random.default_rng(seed)
    draws = random.standard_normal((_DRAWS if n <= _MANY else _DRAWS // 4, n))
    if groups is not None and shared > 0:
        common = random.standard_normal((len(draws), int(groups.max()) + 1))[:, groups]
        draws = np.sqrt(1.0 - shared) * draws + np.sqrt(shared) * common
    draws -= (draws @ basis) @ basis.T
    every = np.concatenate([residuals[None], draws])
    evidence = {name: _evidence(_along(every, basis, unit)) for name, unit in units.items()}
    chosen = max(evidence, key=lambda name: evidence[name][0])
    highest = np.max(list(evidence.values()), axis=0)
    p = float(np.sum(highest >= highest[0]) / len(highest))
    likelihoods = _along(residuals[None], basis, units[chosen])[:, 0]
    shares = _PRIOR * np.exp(likelihoods - likelihoods.max())
    slope = float(shares @ _TRENDS / shares.sum())
    return NoiseTrend(chosen, p, slope, float(np.exp(slope * np.ptp(units[chosen]))))


def lack_p(fit: Fit, models: NoiseModels, statistic: float, seed: int = 0) -> float:
    """Probability that the ratio of misfit to the scatter of replicates exceeds `statistic` under noise that moves.

    Unequal noise makes F's own table wrong. Shared effects are left out: they are what the ratio is to find.
    """
    groups = fit.table.groups
    n, levels = len(groups), int(groups.max()) + 1
    basis = basis_of(slopes_of(fit))
    spread = np.sqrt(models.shares @ models.own * fit.weights)
    draws = np.random.default_rng(seed).standard_normal((_DRAWS, n)) * spread
    draws -= (draws @ basis) @ basis.T
    counts = np.bincount(groups)
    means = np.sum(group_sums(draws, groups) ** 2 / counts, axis=1)
    pure = np.sum(draws**2, axis=1) - means
    drawn = means / max(levels - basis.shape[1], 1) / (pure / (n - levels))
    return float((1 + np.sum(drawn >= statistic)) / (1 + len(drawn)))


def seen_residuals(fit: Fit) -> Array:
    """Residuals [n] as the objective sees them, times the root of the weights; far outliers are drawn in."""
    residuals = _seen(fit)
    most = _OUTLIER * robust_scale(residuals, fit.free_count)
    return np.clip(residuals, -most, most) if most > 0 else residuals


def _seen(fit: Fit) -> Array:
    return residuals_on(fit.objective.scale, fit.table.y, predict(fit, fit.table.x)) * np.sqrt(fit.weights)


def sharing(fit: Fit) -> Array | None:
    """Numbers [n] of the rows that may share an effect: the table's clusters, or replicates; None without any."""
    table = fit.table
    n = len(table.y)
    if table.clusters is not None:
        groups = np.unique(table.clusters, return_inverse=True)[1].reshape(-1)
        return groups if 1 < int(groups.max()) + 1 < n else None
    return table.groups if fit.levels <= n - 2 else None


def evaluation_variance(fit: Fit) -> Array | None:
    """Variance [n] of the log error rate that the number of tested keys alone gives; None where it is not known."""
    if fit.table.keys is None:
        return None
    y = predict(fit, fit.table.x)
    rate = np.clip(y / 100.0, 1.0 / fit.table.keys, 0.9)
    return BURSTS * (1.0 - rate) / (rate * fit.table.keys) * _unit(fit, y) ** 2


def slopes_of(fit: Fit) -> Array:
    """Derivatives of the curve by the free coordinates [n, q] on the scale of the residuals, with their weights."""
    y = predict(fit, fit.table.x)
    return log_slopes(fit)[:, fit.free] * (_unit(fit, y) * np.sqrt(fit.weights))[:, None]


def variables(fit: Fit) -> dict[str, Array]:
    """What noise may move along: the log of each input that varies, and with several inputs that of the fitted y."""
    found = {}
    for name in fit.law.input_names:
        values = fit.table.x[name]
        if (values > 0).all() and np.ptp(np.log(values)) > 0.01:
            found[name] = np.log(values)
    fitted = np.log(predict(fit, fit.table.x))
    if len(found) > 1 and np.ptp(fitted) > 1e-6:
        found["y"] = fitted
    return found


def log_slopes(fit: Fit, x: Mapping[str, Array] | None = None, step: float = 1e-5) -> Array:
    """Derivatives of the log curve by the coordinates [n, p], by differences; at the points, or at x (scaled)."""
    p = len(fit.theta)
    around = np.concatenate([fit.theta + step * np.eye(p), fit.theta - step * np.eye(p)])
    around = np.maximum(around, np.where(np.array([q.kind == "floor" for q in fit.law.parameters]), 0.0, -np.inf))
    gaps = np.diagonal(around[:p] - around[p:])
    logs = np.log(curves(fit.law, fit.problem.x if x is None else x, around))
    return ((logs[:p] - logs[p:]) / gaps[:, None]).T


def _unit(fit: Fit, y: Array) -> Array:
    """Derivative of what residuals are taken of by log y, at fitted y [n]."""
    return {"log": np.ones(len(y)), "log1p": y / (1.0 + y), "linear": y}[fit.objective.scale]


def _shapes(fit: Fit) -> tuple[Array, Array]:
    """Variances of the rows [k, n] with mean 1, a stated noise in them, and their prior shares [k]."""
    n = len(fit.table.y)
    shapes, prior = [np.ones((1, n))], [np.ones(1)]
    along = variables(fit) if fit.degrees_of_freedom >= LEAST_FREEDOM else {}
    if along:
        step = 1 if n <= _MANY else 4
        trends, shares = np.delete(_TRENDS, _FLAT)[::step], np.delete(_PRIOR, _FLAT)[::step]
        part = (1.0 - _CONSTANT) * (1.0 - _ADDITIVE) / len(along)
        prior = [np.array([_CONSTANT])]
        for values in along.values():
            unit = (values - values.mean()) / values.std()
            shapes.append(np.exp(2.0 * trends[:, None] * unit))
            prior.append(part * shares / shares.sum())
        y = predict(fit, fit.table.x)
        # On a log scale additive noise is what grows where y is small; on a linear one, proportional noise.
        other = (y / np.exp(np.log(y).mean())) ** (2 if fit.objective.scale == "linear" else -2)
        shapes.append((1.0 - _PARTS)[:, None] + _PARTS[:, None] * other)
        prior.append(np.full(len(_PARTS), (1.0 - _CONSTANT) * _ADDITIVE / len(_PARTS)))
    found = np.concatenate(shapes)
    if fit.table.sd is not None:
        found = found * fit.table.sd**2
    return found / found.mean(axis=1, keepdims=True), np.concatenate(prior)


def _along(residuals: Array, basis: Array, unit: Array) -> Array:
    """Restricted log likelihood [trends, m] of trends along `unit` [n] for residuals [m, n]."""
    own, none = np.exp(2.0 * _TRENDS[:, None] * unit), np.zeros(len(_TRENDS))
    return restricted(residuals, basis, own, none, np.arange(len(unit)))[0]


def _evidence(likelihoods: Array) -> Array:
    """Log of the mean likelihood ratio [m] of all trends to none, from log likelihoods [k, m]."""
    return np.log(_PRIOR @ np.exp(np.minimum(likelihoods - likelihoods[_FLAT], 600.0)))
