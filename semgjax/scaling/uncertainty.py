"""Intervals of parameters and predictions: the range of each over all curves that the points do not reject.

The region. A parameter vector t is kept when S(t) <= S(fit) + F * s^2: S is the weighted sum of squared log
residuals, s^2 = sum (w r)^2 / (n - p), and F the quantile of F(1, n - p) at the level (profile likelihood
with unknown noise: Bates and Watts 1988, Nonlinear Regression Analysis, 6.1). A quantity's interval is its
range over the region. Weights are 1, but for a Huber fit a point far outside the bulk is weighted down as
Huber's loss would.

The search. The laws here are c * (e^u + N^-alpha) or c * N^-alpha. For given alpha and u the best log c is a
mean and the region's slice an interval, so that S has to be searched over two coordinates only, on a mesh
laid into the region: no local search that could end in the wrong place, and no start to choose. The mesh is
fine enough for about 1e-3 of an interval's width.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import f as f_distribution

from semgjax.errors import InputError
from semgjax.scaling.fit import Fit, check_sizes, predict
from semgjax.scaling.objective import robust_scale

Array = np.ndarray
Interval = tuple[float, float]

LEVEL = 0.95
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0
_FAINT = 25.0  # a term e^-25 of the other is nil at every size worth asking about


@dataclass(frozen=True)
class Region:
    """Curves that the points do not reject, as a mesh of m of them.

    shape [m, J]; log_shares [m, K]: log coefficients up to the common amplitude; low, high [m]: range of the
    log amplitude at that place.
    """

    shape: Array
    log_shares: Array
    low: Array
    high: Array


def no_interval_reason(fit: Fit) -> str | None:
    """Why the fit has no interval, in words, or None when it has one."""
    parameters = len(fit.law.parameters)
    if fit.degrees_of_freedom <= 0:
        return f"{len(fit.table.sizes)} points for {parameters} parameters leave nothing to judge the scatter by"
    if fit.levels <= parameters:
        return f"{fit.levels} different sizes for {parameters} parameters: the law passes near any such points"
    return None


def parameter_intervals(fit: Fit, level: float = LEVEL) -> dict[str, Interval] | None:
    """Interval of each parameter of the law's formula; None when the fit has none (`no_interval_reason`)."""
    region = region_of(fit, level)
    if region is None:
        return None
    found = {}
    at_one = fit.law.log_terms(region.shape, -np.log([fit.reference]))[:, 0]  # terms at N = 1
    for k, parameter in enumerate(fit.law.linear):
        found[parameter.name] = _exp_range(region, region.log_shares[:, k] + at_one[:, k])
    for j, parameter in enumerate(fit.law.shape):
        found[parameter.name] = (float(region.shape[:, j].min()), float(region.shape[:, j].max()))
    return found


def prediction_interval(fit: Fit, size: float, level: float = LEVEL) -> Interval | None:
    """(low, high) for the law's value at one size; None when the fit has none (`no_interval_reason`).

    The interval is for the curve; a single new run scatters about it by `fit.scatter` more. An error rate in
    percent is capped at `ceiling(fit)`.

    Raises:
        InputError: size or level out of range.
    """
    band = prediction_band(fit, [size], level)
    return None if band is None else (float(band[0][0]), float(band[1][0]))


def prediction_band(fit: Fit, sizes: ArrayLike, level: float = LEVEL) -> tuple[Array, Array] | None:
    """(low [n], high [n]) of `prediction_interval` at each of `sizes` [n]."""
    sizes = np.asarray(sizes, np.float64)
    check_sizes(sizes)
    region = region_of(fit, level)
    if region is None:
        return None
    ends = [_exp_range(region, _log_curves(fit, region, size)) for size in sizes.reshape(-1)]
    low, high = np.array(ends).T.reshape(2, *sizes.shape)
    # A law that itself leads above the ceiling keeps its own value inside the interval.
    most = np.maximum(ceiling(fit), predict(fit, sizes))
    return np.minimum(low, most), np.minimum(high, most)


def ceiling(fit: Fit) -> float:
    """The largest value worth predicting: 100 % (an empty answer's error rate), or the largest measured."""
    return max(100.0, float(fit.table.y.max())) if fit.table.unit == "%" else np.inf


def region_of(fit: Fit, level: float = LEVEL) -> Region | None:
    """The mesh of curves that the points do not reject at `level`; None when the fit has no interval.

    Raises:
        InputError: level outside (0, 1).
    """
    if not 0.0 < level < 1.0:
        raise InputError(f"level {level}: must lie between 0 and 1, e.g. 0.95")
    if no_interval_reason(fit) is not None:
        return None
    profile = _Profile.of(fit, level)
    alpha = float(fit.shape[0])
    low, high = fit.law.shape[0].low, fit.law.shape[0].high
    alphas = np.clip(_around(alpha, high - low, 120), low, high)
    inside = profile.least(alphas) <= profile.cut
    lowest, highest = _edges(lambda a: profile.least(a[0])[None] <= profile.cut, alphas[None], inside[None])
    spread = np.clip(_around(alpha, max(highest[0] - alpha, alpha - lowest[0]), 40), lowest[0], highest[0])
    alphas = np.unique(np.concatenate([np.linspace(lowest[0], highest[0], 120), spread, [alpha]]))
    return profile.mesh(alphas, fit)


@dataclass(frozen=True)
class _Profile:
    """S over (alpha, u) at the best amplitude; u = log(floor / power term at N0), -inf without a floor."""

    x: Array
    log_y: Array
    weights: Array
    cut: float
    has_floor: bool

    @staticmethod
    def of(fit: Fit, level: float) -> "_Profile":
        dof, count = fit.degrees_of_freedom, len(fit.table.sizes)
        quantile = float(f_distribution.ppf(level, 1, dof))
        residuals = fit.residuals
        weights = np.ones(count)
        if fit.delta is not None:
            # Three standard deviations; more where few degrees of freedom tell what a standard deviation is.
            far = 3.0 * np.sqrt(1.0 + quantile / dof) * robust_scale(residuals, len(fit.law.parameters))
            far = max(far, 1e-8)
            weights = far / np.maximum(np.abs(residuals), far)
        variance = np.sum((weights * residuals) ** 2) / dof
        # Points without noise would leave a region of rounding size; one part in 1e8 keeps it searchable.
        cut = np.sum(weights * residuals**2) + quantile * variance + count * 1e-16
        x = np.log(fit.table.sizes / fit.reference)
        return _Profile(x, np.log(fit.table.y), weights, float(cut), len(fit.law.linear) == 2)

    def at(self, alphas: Array, u: Array) -> tuple[Array, Array]:
        """(S, best log amplitude), both [a, b], for alphas [a] and u [a, b]; in parts, to spare memory."""
        rows = max(1, 4_000_000 // (u.shape[1] * len(self.x)))
        parts = [self._at(alphas[i : i + rows], u[i : i + rows]) for i in range(0, len(alphas), rows)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _at(self, alphas: Array, u: Array) -> tuple[Array, Array]:
        curves = np.logaddexp(u[..., None], -alphas[:, None, None] * self.x)
        offsets = self.log_y - curves
        amplitude = offsets @ self.weights / self.weights.sum()
        return (offsets - amplitude[..., None]) ** 2 @ self.weights, amplitude

    def best_u(self, alphas: Array) -> Array:
        """The u of the least S for each alpha [a]: a scan, then golden sections about its best."""
        low = -alphas * self.x.max() - _FAINT
        high = -alphas * self.x.min() + _FAINT
        steps = np.linspace(0.0, 1.0, 60)
        scan = low[:, None] + (high - low)[:, None] * steps
        best = self.at(alphas, scan)[0].argmin(axis=1)
        rows = np.arange(len(alphas))
        left, right = scan[rows, np.maximum(best - 1, 0)], scan[rows, np.minimum(best + 1, 59)]
        for _ in range(50):
            width = _GOLDEN * (right - left)
            values = self.at(alphas, np.stack([right - width, left + width], axis=1))[0]
            lower = values[:, 0] <= values[:, 1]
            left, right = np.where(lower, left, right - width), np.where(lower, left + width, right)
        return (left + right) / 2.0

    def least(self, alphas: Array) -> Array:
        """The least S for each alpha [a], over all floors and none."""
        none = self.at(alphas, np.full((len(alphas), 1), -np.inf))[0][:, 0]
        if not self.has_floor:
            return none
        return np.minimum(none, self.at(alphas, self.best_u(alphas)[:, None])[0][:, 0])

    def floors(self, alphas: Array) -> Array:
        """Values of u over the region's slice at each alpha: [a, b], the first column without a floor."""
        none = np.full((len(alphas), 1), -np.inf)
        if not self.has_floor:
            return none
        scan = _around(self.best_u(alphas), 60.0, 80)
        inside = self.at(alphas, scan)[0] <= self.cut
        low, high = (edge[:, None] for edge in _edges(lambda u: self.at(alphas, u)[0] <= self.cut, scan, inside))
        steps = np.linspace(0.0, 1.0, 60)
        # Even steps in u serve small floors, even steps in the floor's share of the curve serve large ones.
        power = -alphas[:, None] * self.x.max()
        share_low, share_high = (1.0 / (1.0 + np.exp(np.clip(power - u, -700, 700))) for u in (low, high))
        shares = share_low + (share_high - share_low) * steps
        with np.errstate(divide="ignore"):
            by_share = power + np.log(shares) - np.log1p(-shares)
        return np.concatenate([none, low + (high - low) * steps, np.clip(by_share, low, high)], axis=1)

    def mesh(self, alphas: Array, fit: Fit) -> Region:
        """The region over `alphas` [a]; the fit itself, which the mesh may have missed, stands at its end."""
        u = self.floors(alphas)
        values, amplitude = self.at(alphas, u)
        kept = values <= self.cut
        reach = np.sqrt((self.cut - values[kept]) / self.weights.sum())
        alpha = np.broadcast_to(alphas[:, None], u.shape)[kept]
        power = np.zeros(len(alpha))
        log_shares = np.stack([u[kept], power] if self.has_floor else [power], axis=1)
        with np.errstate(divide="ignore"):
            own = np.log(fit.coefficients)
        return Region(
            shape=np.append(alpha, fit.shape[0])[:, None],
            log_shares=np.concatenate([log_shares, own[None]]),
            low=np.append(amplitude[kept] - reach, 0.0),
            high=np.append(amplitude[kept] + reach, 0.0),
        )


def _around(centre: ArrayLike, reach: float, count: int) -> Array:
    """Values about each centre [...], ascending [..., 2 count + 1], from 1e-10 of `reach` to `reach` away."""
    steps = reach * np.geomspace(1e-10, 1.0, count)
    return np.asarray(centre)[..., None] + np.concatenate([-steps[::-1], [0.0], steps])


def _edges(test: Callable[[Array], Array], points: Array, inside: Array) -> tuple[Array, Array]:
    """First and last place of each row of `points` [a, b] that is inside, refined to its outer neighbour.

    test(values [a, c]) -> [a, c], True inside. A row that is nowhere inside gives its middle point twice.
    """
    rows, last = np.arange(len(points)), points.shape[1] - 1
    some = inside.any(axis=1)
    found = []
    for index, beyond in ((inside.argmax(axis=1), -1), (last - inside[:, ::-1].argmax(axis=1), 1)):
        good, bad = points[rows, index], points[rows, np.clip(index + beyond, 0, last)]
        for _ in range(4):
            steps = good[:, None] + (bad - good)[:, None] * np.linspace(0.0, 1.0, 17)
            passed = test(steps)
            passed[:, 0], passed[:, -1] = True, False
            index = 16 - passed[:, ::-1].argmax(axis=1)
            good, bad = steps[rows, index], steps[rows, index + 1]
        found.append(np.where(some, good, points[:, last // 2]))
    return found[0], found[1]


def _log_curves(fit: Fit, region: Region, size: float) -> Array:
    """log y at one size over the mesh [m], up to the common amplitude."""
    log_terms = fit.law.log_terms(region.shape, np.log([size / fit.reference]))[:, 0]
    return np.logaddexp.reduce(region.log_shares + log_terms, axis=-1)


def _exp_range(region: Region, values: Array) -> Interval:
    """Least and greatest of exp(amplitude + values) over the mesh, values [m]; 0 where they may vanish."""
    low, high = (region.low + values).min(), (region.high + values).max()
    return float(np.exp(low)), float(np.exp(min(high, 700.0)))
