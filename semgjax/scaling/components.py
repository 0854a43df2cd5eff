"""Variance components of crossed random effects by restricted maximum likelihood."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Array = np.ndarray

REST = "rest"
_STEPS = 100


@dataclass(frozen=True, eq=False)
class Components:
    """Variances of random effects and what follows for the fixed effects.

    names: of the factors, `REST` last. variances [k]; covariance [k, k]: of their estimates (inverse of the expected
    information). fixed [p]: generalised least squares; slopes [r, p], parts [k, r, r]: the design in r rotated rows.
    """

    names: tuple[str, ...]
    variances: Array
    covariance: Array
    fixed: Array
    slopes: Array
    parts: Array

    @property
    def sd(self) -> dict[str, float]:
        """Standard deviation of each effect."""
        return {name: float(np.sqrt(v)) for name, v in zip(self.names, self.variances, strict=True)}

    def variance_of(self, gradient: Array, new: Array) -> tuple[float, float]:
        """(variance, degrees of freedom) of gradient [p] @ fixed plus new effects, new [k] of each.

        Degrees of freedom after Satterthwaite 1946, Biometrics Bulletin 2.
        """
        variance = self._variance(gradient, new, self.variances)
        unit = max(float(self.variances.max()), 1e-300)
        slopes = np.zeros(len(self.variances))
        for j in range(len(slopes)):
            moved = self.variances.copy()
            moved[j] += 1e-4 * unit
            slopes[j] = (self._variance(gradient, new, moved) - variance) / (1e-4 * unit)
        of_estimate = float(slopes @ self.covariance @ slopes)
        return variance, 2.0 * variance**2 / of_estimate if of_estimate > 0 else np.inf

    def _variance(self, gradient: Array, new: Array, variances: Array) -> float:
        inverse = np.linalg.inv(np.tensordot(variances, self.parts, 1))
        covariance = np.linalg.pinv(self.slopes.T @ inverse @ self.slopes, rcond=1e-10)
        return float(gradient @ covariance @ gradient + new @ variances)


def components(values: Array, slopes: Array, factors: Mapping[str, Array]) -> Components | None:
    """Components of values [n] about slopes [n, p] @ fixed, with one random effect for each level of each factor [n].

    A component that would be negative is 0. None where too few values are left to tell the components apart.
    """
    blocks = [np.equal.outer(level, np.unique(level)).astype(float) for level in factors.values()]
    vectors, sizes, _ = np.linalg.svd(np.concatenate([slopes, *blocks], axis=1), full_matrices=False)
    vectors = vectors[:, sizes > 1e-9 * sizes.max()]
    rotated, fixed = vectors.T @ values, vectors.T @ slopes
    left, squares = len(values) - vectors.shape[1], float(values @ values - rotated @ rotated)
    parts = np.array([(vectors.T @ b) @ (vectors.T @ b).T for b in blocks] + [np.eye(vectors.shape[1])])
    full, spread, _ = np.linalg.svd(fixed, full_matrices=True)
    contrasts = full[:, int(np.sum(spread > 1e-9 * spread.max())) :]
    if left < 1 or contrasts.shape[1] < len(blocks) + 1:
        return None
    inner = np.array([contrasts.T @ part @ contrasts for part in parts])
    variances, information = _maximised(contrasts.T @ rotated, inner, left, max(squares, 0.0))
    inverse = np.linalg.inv(np.tensordot(variances, parts, 1))
    estimate = np.linalg.pinv(fixed.T @ inverse @ fixed, rcond=1e-10) @ (fixed.T @ inverse @ rotated)
    return Components((*factors, REST), variances, np.linalg.pinv(information), estimate, fixed, parts)


def _maximised(z: Array, parts: Array, left: int, squares: float) -> tuple[Array, Array]:
    """Variances [k] that maximise the likelihood of contrasts z, and the expected information [k, k]; the last is REST.

    left, squares: rows that carry the rest alone, and their sum of squares. Fisher scoring with halved steps.
    """
    count = len(parts)
    total = float(z @ z + squares) / (len(z) + left)
    variances = np.full(count, total / count)
    least = np.append(np.zeros(count - 1), 1e-12 * total + 1e-300)
    now, score, information = _look(variances, z, parts, left, squares)
    for _ in range(_STEPS):
        free = (variances > least) | (score > 0)
        step = np.zeros(count)
        step[free] = np.linalg.solve(information[np.ix_(free, free)], score[free])
        better = False
        for half in 0.5 ** np.arange(12):
            tried = np.maximum(variances + half * step, least)
            found = _look(tried, z, parts, left, squares)
            if found[0] > now:
                better = True
                break
        if not better:
            break
        done = found[0] - now < 1e-10
        variances, (now, score, information) = tried, found
        if done:
            break
    return variances, information


def _look(variances: Array, z: Array, parts: Array, left: int, squares: float) -> tuple[float, Array, Array]:
    """(log likelihood, score [k], expected information [k, k])."""
    inverse = np.linalg.inv(np.tensordot(variances, parts, 1))
    products = inverse @ parts  # [k, d, d]
    pulled = inverse @ z
    rest = float(variances[-1])
    value = np.linalg.slogdet(inverse)[1] - z @ pulled - left * np.log(rest) - squares / rest
    score = np.einsum("i,kij,j->k", pulled, parts, pulled) - np.trace(products, axis1=1, axis2=2)
    score[-1] += squares / rest**2 - left / rest
    information = np.einsum("aij,bji->ab", products, products)
    information[-1, -1] += left / rest**2
    return 0.5 * float(value), 0.5 * score, 0.5 * information
