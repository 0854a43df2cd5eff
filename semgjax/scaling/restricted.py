"""A grid of noise models weighed by restricted likelihood, and the interval that their average implies.

Row i has the variance `own[i]`, and rows of one group share an effect of variance `shared`. Each model of the grid is
weighed by the likelihood of the residuals without what the fitted curve absorbs (Patterson and Thompson 1971,
Biometrika 58). A quantity's interval is that of a mixture of t distributions, one per model. Models that few residuals
cannot exclude keep their share; that takes the place of corrected degrees of freedom (Kenward and Roger 1997,
Biometrics 53).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

Array = np.ndarray

_LEAST_SHARE = 1e-6
_BLOCK = 1 << 22  # values of one array


@dataclass(frozen=True, eq=False)
class NoiseModels:
    """k models of the noise of n rows, weighed.

    own [k, n]: variance of each row; shared [k]: of the effect that rows of a group have in common; groups [n];
    shares [k], summing to 1; freedom: degrees of freedom of the scale within a model (inf: the scale is part of it).
    """

    own: Array
    shared: Array
    groups: Array
    shares: Array
    freedom: float

    @property
    def known(self) -> bool:
        """Whether variances are absolute."""
        return bool(np.isinf(self.freedom))

    @property
    def spread(self) -> Array:
        """Standard deviation of each row [n], over all models."""
        return np.sqrt(self.shares @ (self.own + self.shared[:, None]))

    @property
    def shared_part(self) -> float:
        """Expected share of the noise's variance that rows of a group have in common."""
        return float(self.shares @ (self.shared / (self.shared + self.own.mean(axis=1))))

    def variances(self, influence: Array) -> Array:
        """Variance [m, k] of quantities that follow the rows' noise by influence [m, n], in each model."""
        common = np.sum(group_sums(influence, self.groups) ** 2, axis=1)
        return influence**2 @ self.own.T + common[:, None] * self.shared

    def half_widths(self, influence: Array, level: float) -> Array:
        """Half width [m] of the interval at `level` of such quantities."""
        kept = self.shares > _LEAST_SHARE * self.shares.max()
        spread = np.sqrt(np.maximum(self.variances(influence)[:, kept], 1e-300))
        shares = self.shares[kept] / self.shares[kept].sum()
        quantile = -self._below(0.5 - 0.5 * level, inverse=True)
        low, high = quantile * spread.min(axis=1), quantile * spread.max(axis=1)
        for _ in range(40):
            middle = np.sqrt(low * high)
            outside = 2.0 * self._below(-middle[:, None] / spread) @ shares > 1.0 - level
            low, high = np.where(outside, middle, low), np.where(outside, high, middle)
            if (high <= low * 1.0005).all():
                break
        return np.sqrt(low * high)

    def draws(self, count: int, random: np.random.Generator, standard: Array | None = None) -> Array:
        """Noise [count, n]: each draw from one model, of which the scale too is drawn.

        standard: values of unit variance that a row's own noise is drawn from (default: normal).
        """
        n = self.own.shape[1]
        model = random.choice(len(self.shares), size=count, p=self.shares)
        own = random.standard_normal((count, n)) if standard is None else random.choice(standard, size=(count, n))
        common = random.standard_normal((count, int(self.groups.max()) + 1))[:, self.groups]
        noise = np.sqrt(self.own[model]) * own + np.sqrt(self.shared[model])[:, None] * common
        if not self.known:
            noise *= np.sqrt(self.freedom / random.chisquare(self.freedom, size=(count, 1)))
        return noise

    def _below(self, value: Array | float, inverse: bool = False) -> Array:
        if self.known:
            return special.ndtri(value) if inverse else special.ndtr(value)
        return special.stdtrit(self.freedom, value) if inverse else special.stdtr(self.freedom, value)


def weigh(
    residuals: Array, slopes: Array, own: Array, shared: Array, groups: Array, prior: Array, counted: Array,
    known: bool = False,
) -> NoiseModels:  # fmt: skip
    """The models own [k, n], shared [k] weighed by residuals [n] of a fit with slopes [n, p] and by prior [k].

    counted [n]: rows that are evidence. known: variances are absolute; else each model has a scale of its own, which
    the residuals give.
    """
    basis, seen = basis_of(slopes[counted]), residuals[counted]
    likelihoods, scales = (
        a[:, 0] for a in restricted(seen[None], basis, own[:, counted], shared, groups[counted], known)
    )
    with np.errstate(divide="ignore"):
        log = likelihoods + np.log(prior)
    shares = np.exp(log - log.max())
    shares /= shares.sum()
    freedom = np.inf if known else float(len(seen) - basis.shape[1])
    return NoiseModels(own * scales[:, None], shared * scales, groups, shares, freedom)


def restricted(
    residuals: Array, basis: Array, own: Array, shared: Array, groups: Array, known: bool = False
) -> tuple[Array, Array]:
    """Restricted log likelihood [k, m] of each model for residuals [m, n]; the factor of its variances [k, m].

    The residuals are those of a fit with constant noise. What they lack to those of a weighted fit is a step within
    the span of the slopes (basis [n, p]), which is projected out. known: the factor is 1.
    """
    block = max(_BLOCK // (basis.size + residuals.size), 1)
    parts = [
        _restricted(residuals, basis, own[i : i + block], shared[i : i + block], groups, known)
        for i in range(0, len(own), block)
    ]
    likelihoods, scales = (np.concatenate(part) for part in zip(*parts, strict=True))
    return likelihoods, scales


def _restricted(
    residuals: Array, basis: Array, own: Array, shared: Array, groups: Array, known: bool
) -> tuple[Array, Array]:
    n, p = basis.shape
    precision = 1.0 / own
    weighted = precision[:, None, :] * basis.T  # [k, p, n]
    inner, cross, rest = weighted @ basis, weighted @ residuals.T, precision @ residuals.T**2
    determinant = np.sum(np.log(own), axis=1)
    if shared.any():
        total = group_sums(precision, groups)  # [k, groups]
        pull = shared[:, None] / (1.0 + shared[:, None] * total)
        of_basis = group_sums(weighted, groups)  # [k, p, groups]
        of_rows = group_sums(precision[:, None, :] * residuals, groups)  # [k, m, groups]
        pulled = of_basis * pull[:, None]
        inner = inner - pulled @ of_basis.transpose(0, 2, 1)
        cross = cross - pulled @ of_rows.transpose(0, 2, 1)
        rest = rest - np.sum(pull[:, None] * of_rows**2, axis=2)
        determinant = determinant + np.sum(np.log1p(shared[:, None] * total), axis=1)
    rest = np.maximum(rest - np.sum(cross * np.linalg.solve(inner, cross), axis=1), 1e-300)
    determinant = (determinant + np.linalg.slogdet(inner)[1])[:, None]
    if known:
        return -0.5 * (rest + determinant), np.ones_like(rest)
    return -0.5 * ((n - p) * np.log(rest / (n - p)) + determinant), rest / (n - p)


def basis_of(slopes: Array) -> Array:
    """Orthonormal basis [n, q] of what the fitted curve absorbs."""
    scaled = slopes / np.maximum(np.linalg.norm(slopes, axis=0), 1e-300)
    vectors, values, _ = np.linalg.svd(scaled, full_matrices=False)
    return vectors[:, values > 1e-8 * max(values.max(initial=0.0), 1e-300)]


def group_sums(values: Array, groups: Array) -> Array:
    """Sums over groups [n], which are numbered 0, 1, ..., along the last axis: [..., n] to [..., groups]."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    return np.add.reduceat(values[..., order], starts, axis=-1)
