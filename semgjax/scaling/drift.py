"""How far the slope of the points may drift from the law's along a sweep: a test, and what it does to a prediction.

The model is log y = law + g + noise. g has no value and no slope in the middle of the sweep; from there its slope is a
random walk over the log of each input, with a standard deviation of kappa times the law's own mean slope after one
e-fold (an integrated Wiener process: Wahba 1978, JRSS B 40; as the discrepancy of a model: Kennedy and O'Hagan 2001,
JRSS B 63). The law's parameters move freely beside it, linearised at the fit. kappa has a prior from published sweeps
(`PRIOR`, made by `python -m analysis.ladders`), the noise a flat one in logarithm, and both are weighted by their
restricted likelihood. At kappa = 0 the prediction is the delta method's with Student's t.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from semgjax.scaling.fit import Fit, Point, points_of, predict
from semgjax.scaling.noise import noise_models, noise_trend
from semgjax.scaling.quantiles import normal_below
from semgjax.scaling.solver import curves

Array = np.ndarray

KAPPAS = np.array([0.0, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28])
PRIOR = np.array([0.30, 0.15, 0.15, 0.15, 0.10, 0.08, 0.05, 0.02])
_LEAST_SCATTER = 1e-5  # log: no error rate is measured more finely, and points without noise need some
_SIGMAS = np.exp(np.linspace(-4.0, 6.0, 61))  # of the noise, in units of the residuals' scatter
_RATIOS = np.geomspace(0.03, 300.0, 9)  # of the drift's variance to the noise's, in the test
_DRAWS = 1999
# What published laws miss beyond their sweeps, whatever the points say: standard deviation of the law's exponent there,
# in shares of its mean slope (`python -m analysis.ladders --data` with the tables of five sources).
MODEL = 0.12
MOST_ROWS = 300  # of a larger table a part of the rows is used
_NEGLIGIBLE = 1e-5


@dataclass(frozen=True, eq=False)
class Drift:
    """The model of a fit's points; rows are multiplied by the root of their weights.

    along: input -> (middle of the sweep, the law's mean slope, log x [n]). basis [n, q]: orthonormal, of the law's
    slopes; lift [p, q]: from the coordinates to it. values [n], vectors [n, n]: of the kernel. kappas, sigmas, shares
    [g]: the grid with its posterior. evidence: log of the marginal likelihood with a unit-information prior.
    """

    fit: Fit
    along: Mapping[str, tuple[float, float, Array]]
    roots: Array
    residuals: Array
    basis: Array
    lift: Array
    values: Array
    vectors: Array
    kappas: Array
    sigmas: Array
    shares: Array
    evidence: float

    @cached_property
    def p(self) -> float | None:
        """Probability of points as far from the law as these if it holds with its noise; None with too few to say."""
        return bend_p(self.residuals, self.basis, self.vectors * self.values @ self.vectors.T)

    @property
    def kappa(self) -> float:
        """Root mean square of kappa over its posterior."""
        return float(np.sqrt(self.shares @ self.kappas**2))


@dataclass(frozen=True, eq=False)
class Mixture:
    """Log changes of the law's value at m points: shares [g], means [g, m], variances by the law's parameters and the
    noise, and by the drift [g, m]."""

    shares: Array
    means: Array
    sampling: Array
    drift: Array


@lru_cache(maxsize=16)  # one prediction asks for it more than once
def drift_of(fit: Fit) -> Drift | None:
    """The model of a fit; None where the points leave nothing to judge by."""
    return drift_under(fit, PRIOR)


def drift_under(fit: Fit, prior: Array) -> Drift | None:
    """`drift_of` with another prior of KAPPAS, summing to 1."""
    if fit.degrees_of_freedom <= 0 or fit.levels <= fit.free_count:
        return None
    rows = np.flatnonzero(fit.weights > 0)
    if len(rows) > MOST_ROWS:
        rows = rows[np.sort(np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS])]
    along = _along(fit, rows)
    roots = np.sqrt(fit.weights[rows])
    trend, models = noise_trend(fit), noise_models(fit)
    if trend is not None and trend.found and models is not None:
        roots = float(np.median(models.spread)) / models.spread[rows]
    residuals = fit.residuals[rows] * roots
    active = active_coordinates(fit, fit.theta)
    slopes = slopes_at(fit, fit.theta, {n: v[rows] for n, v in fit.table.x.items()})[:, active] * roots[:, None]
    u, s, vt = np.linalg.svd(slopes, full_matrices=False)
    kept = s > 1e-7 * s.max(initial=1e-300)
    lift = np.zeros((len(fit.theta), int(kept.sum())))
    lift[active] = vt[kept].T / s[kept]
    kernel = roots[:, None] * sum(w**2 * walk(v - c, v - c) for c, w, v in along.values()) * roots
    values, vectors = np.linalg.eigh(kernel)
    freedom = max(len(rows) - int(kept.sum()), 1)
    scatter = max(float(np.sqrt(residuals @ residuals / freedom)), _LEAST_SCATTER)
    kappas, sigmas = (a.reshape(-1) for a in np.meshgrid(KAPPAS, scatter * _SIGMAS, indexing="ij"))
    basis, values = u[:, kept], np.maximum(values, 0.0)
    log = _likelihood(residuals, basis, values, vectors, kappas, sigmas)
    log = log + np.log(np.repeat(prior, len(_SIGMAS)))
    shares = np.exp(log - log.max())
    # A unit-information prior of the law's coordinates: they are worth one row each.
    evidence = float(log.max() + np.log(shares.sum())) - basis.shape[1] * 0.5 * np.log(len(rows) * scatter**2)
    shares /= shares.sum()
    large = shares > _NEGLIGIBLE
    return Drift(
        fit, along, roots, residuals, basis, lift, values, vectors,
        kappas[large], sigmas[large], shares[large] / shares[large].sum(), evidence,
    )  # fmt: skip


def active_coordinates(fit: Fit, theta: Array) -> Array:
    """Which coordinates are fitted and not at an end of their range [p]."""
    return fit.free & (np.minimum(theta - fit.low, fit.high - theta) > 1e-9)


def slopes_at(fit: Fit, theta: Array, x: Mapping[str, Array], step: float = 1e-5) -> Array:
    """Derivatives of the log curve at points x {input: [m]} by the coordinates [m, p], by differences."""
    p = len(theta)
    around = np.concatenate([theta + step * np.eye(p), theta - step * np.eye(p)])
    around = np.maximum(around, np.where(np.array([q.kind == "floor" for q in fit.law.parameters]), 0.0, -np.inf))
    gaps = np.diagonal(around[:p] - around[p:])
    logs = np.log(curves(fit.law, fit.problem.inputs(x), around))
    return ((logs[:p] - logs[p:]) / gaps[:, None]).T


def walk(a: Array, b: Array) -> Array:
    """Covariance [n, m] of an integrated Wiener process that starts at 0 in both directions, at a [n] and b [m]."""
    near = np.minimum(np.abs(a)[:, None], np.abs(b))
    far = np.maximum(np.abs(a)[:, None], np.abs(b))
    return np.where(np.sign(a)[:, None] * np.sign(b) > 0, near**2 * (3.0 * far - near) / 6.0, 0.0)


def bend_p(residuals: Array, basis: Array, kernel: Array, seed: int = 0) -> float | None:
    """p of the mean restricted likelihood ratio of a drift to none, simulated for this very design.

    residuals [n]: of a fit whose slopes have the orthonormal basis [n, q]; kernel [n, n].
    """
    n, q = basis.shape
    if n - q < 2:
        return None
    rest = np.linalg.qr(np.column_stack([basis, np.eye(n)]))[0][:, q:n]
    values, vectors = np.linalg.eigh(rest.T @ kernel @ rest)
    values = np.maximum(values, 0.0)
    if values.max() <= 0.0:
        return None
    own = ((residuals @ rest) @ vectors)[None]
    if float(np.sum(own**2)) <= 1e-24 * n:
        return None
    draws = np.random.default_rng(seed).standard_normal((_DRAWS if n <= 128 else _DRAWS // 4, n - q))
    null, mine = (_ratio(z, values / values.max()) for z in (draws, own))
    return float((1 + np.sum(null >= mine[0])) / (1 + len(null)))


def _ratio(z: Array, values: Array) -> Array:
    """Log mean likelihood ratio [k] of contrasts z [k, m], the noise's scale profiled out."""
    m = z.shape[1]
    base = np.log(np.maximum(np.sum(z**2, axis=1), 1e-300))
    found = []
    for ratio in _RATIOS:
        v = 1.0 + ratio * values
        found.append(-0.5 * np.sum(np.log(v)) - 0.5 * m * (np.log(np.maximum(z**2 @ (1.0 / v), 1e-300)) - base))
    stacked = np.array(found)
    top = stacked.max(axis=0)
    return top + np.log(np.mean(np.exp(stacked - top), axis=0))


def prediction_mixture(drift: Drift, x: Point, model: float = MODEL) -> Mixture:
    """What the model says of the curve at m points, as log changes of the law's value there; model: see MODEL."""
    fit = drift.fit
    points, _ = points_of(fit, x)
    ahead = slopes_at(fit, fit.theta, points) @ drift.lift  # [m, q]
    kernel, own = _cross(drift, points)
    v = drift.sigmas[:, None] ** 2 + drift.kappas[:, None] ** 2 * drift.values
    w, squares = 1.0 / v, drift.kappas[:, None] ** 2
    basis, r, k = drift.vectors.T @ drift.basis, drift.vectors.T @ drift.residuals, drift.vectors.T @ kernel
    precision, beta = _generalised(w, basis, r)
    left = r - beta @ basis.T
    means = beta @ ahead.T + squares * ((w * left) @ k)
    pulled = np.stack([squares * (w @ (k * basis[:, a, None])) for a in range(basis.shape[1])], axis=2)
    d = ahead[None] - pulled
    sampling = np.einsum("gma,gab,gmb->gm", d, np.linalg.pinv(precision), d)
    apart = np.maximum(squares * own - squares**2 * (w @ k**2), 0.0) + (model * beyond(drift, points)) ** 2
    return Mixture(drift.shares, means, np.maximum(sampling, 0.0), apart)


def drift_band(fit: Fit, x: Point, level: float, model: float = MODEL) -> tuple[Array, Array] | None:
    """(low, high) [m] of the curve at m points if the law's slope drifts as those of published sweeps do.

    None where the points leave nothing to judge by. It allows for sampling and drift, not for other laws. model: see
    MODEL.
    """
    drift = drift_of(fit)
    if drift is None:
        return None
    points, _ = points_of(fit, x)
    value = predict(fit, points)
    mix = prediction_mixture(drift, points, model)
    low, high = mixture_quantiles(mix.shares, mix.means, np.sqrt(mix.sampling + mix.drift), level)
    with np.errstate(over="ignore"):
        return value * np.exp(np.clip(low, -700.0, 700.0)), value * np.exp(np.clip(high, -700.0, 700.0))


def mixture_quantiles(
    shares: Array, means: Array, below: Array, level: float, above: Array | None = None
) -> tuple[Array, Array]:
    """Lower and upper quantile [m] of a mixture of split normals with standard deviations below and above [g, m]."""
    above = below if above is None else above
    tail = 0.5 * (1.0 - level)
    below, above = np.maximum(below, 1e-12), np.maximum(above, 1e-12)

    def mass(q: Array) -> Array:
        apart = q - means
        return shares @ normal_below(apart / np.where(apart < 0.0, below, above))

    reach = 50.0 * np.maximum(below, above).max(axis=0)
    ends = []
    for goal in (tail, 1.0 - tail):
        a, b = means.min(axis=0) - reach, means.max(axis=0) + reach
        for _ in range(60):
            middle = 0.5 * (a + b)
            under = mass(middle) < goal
            a, b = np.where(under, middle, a), np.where(under, b, middle)
        ends.append(0.5 * (a + b))
    return ends[0], ends[1]


def _along(fit: Fit, rows: Array) -> dict[str, tuple[float, float, Array]]:
    """For each input that varies: middle of the sweep (log), the law's mean slope over it, log x [n]."""
    found = {}
    for name in fit.law.input_names:
        values = fit.table.x[name][rows]
        if not (values > 0).all() or np.ptp(np.log(values)) <= 0.01:
            continue
        logs = np.log(values)
        moved = {n: v[rows] * (np.exp(0.01) if n == name else 1.0) for n, v in fit.table.x.items()}
        plain = {n: v[rows] for n, v in fit.table.x.items()}
        slope = float(np.mean(np.abs(np.log(predict(fit, moved) / predict(fit, plain))))) / 0.01
        found[name] = (0.5 * float(logs.min() + logs.max()), max(slope, 1e-6), logs)
    return found


def _cross(drift: Drift, points: Mapping[str, Array]) -> tuple[Array, Array]:
    """Covariance of the drift at the rows and at the points [n, m], and its variance at the points [m]."""
    count = len(next(iter(points.values())))
    kernel, own = np.zeros((len(drift.residuals), count)), np.zeros(count)
    for name, (centre, slope, logs) in drift.along.items():
        there = np.log(np.maximum(points[name], 1e-300)) - centre
        kernel += slope**2 * walk(logs - centre, there)
        own += slope**2 * np.abs(there) ** 3 / 3.0
    return drift.roots[:, None] * kernel, own


def beyond(drift: Drift, points: Mapping[str, Array]) -> Array:
    """Log distance of points from the sweep times the law's mean slope [m]: from the range of each input, and from that
    of their product (compute), whichever is more."""
    total = np.zeros(len(next(iter(points.values()))))
    product, most = np.zeros_like(total), np.zeros(len(drift.residuals))
    for name, (_, slope, logs) in drift.along.items():
        there = np.log(np.maximum(points[name], 1e-300))
        total += (slope * _outside(there, logs)) ** 2
        product, most = product + there, most + logs
    if not drift.along:
        return total
    slope = float(np.mean([slope for _, slope, _ in drift.along.values()]))
    return np.maximum(np.sqrt(total), slope * _outside(product, most))


def _outside(there: Array, logs: Array) -> Array:
    return np.maximum(np.maximum(there - logs.max(), logs.min() - there), 0.0)


def _generalised(w: Array, basis: Array, r: Array) -> tuple[Array, Array]:
    """Precision [g, q, q] and generalised least squares [g, q] under weights w [g, n]."""
    precision = np.einsum("gn,na,nb->gab", w, basis, basis)
    target = (w * r) @ basis
    return precision, np.linalg.solve(precision, target[..., None])[..., 0]


def _likelihood(r: Array, basis: Array, values: Array, vectors: Array, kappas: Array, sigmas: Array) -> Array:
    """Log restricted likelihood [g]."""
    v = sigmas[:, None] ** 2 + kappas[:, None] ** 2 * values
    turned, goal = vectors.T @ basis, vectors.T @ r
    precision, beta = _generalised(1.0 / v, turned, goal)
    left = goal - beta @ turned.T
    return -0.5 * (np.sum(np.log(v), axis=1) + np.linalg.slogdet(precision)[1] + np.sum(left**2 / v, axis=1))
