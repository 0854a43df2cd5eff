"""Why the means of replicates miss a curve: the law bends wrongly, or the runs of a configuration share an effect.

A wrong law misses the means smoothly along an input; what the runs of a configuration share by chance does not follow
any input. Both make the means scatter by more than the replicates explain.
"""

from dataclasses import dataclass

import numpy as np

from semgjax.scaling.fit import Fit
from semgjax.scaling.noise import log_slopes
from semgjax.scaling.quantiles import f_tail

Array = np.ndarray

_DEGREES = (2, 3, 4, 5)
_SIGNIFICANT = 0.05


@dataclass(frozen=True)
class SizeEffect:
    """What configurations share.

    rough_p: of the means' scatter without its smooth part, if replicates alone caused it. smooth_p: of the smooth
    part, if the effects were random. effect, seeds: standard deviations (log) of shared effects and of replicates.
    """

    rough_p: float
    smooth_p: float
    effect: float
    seeds: float

    @property
    def random(self) -> bool:
        """Whether random effects of the configurations explain the misfit, and a smooth one does not."""
        return self.rough_p < _SIGNIFICANT < self.smooth_p


def size_effect(fit: Fit) -> SizeEffect | None:
    """Smooth and rough misfit of the replicates' means; None where the configurations are too few to tell."""
    groups, root = fit.table.groups, np.sqrt(fit.weights)
    n, levels = len(groups), int(groups.max()) + 1
    member = np.equal.outer(groups, np.arange(levels)) * root[:, None]
    counts = np.linalg.norm(member, axis=0)
    member = member / counts
    residuals = fit.residuals * root
    means = member.T @ residuals
    slopes = member.T @ (log_slopes(fit)[:, fit.free] * root[:, None])
    pure = float(residuals @ residuals - means @ means)
    basis = np.linalg.qr(slopes)[0]
    smooth = _smooth(fit, groups, counts, basis)
    left = levels - basis.shape[1] - smooth.shape[1]
    if n - levels < 2 or pure <= 0 or left < 2 or not smooth.shape[1]:
        return None
    means = means - basis @ (basis.T @ means)
    of_smooth = float(np.sum((smooth.T @ means) ** 2))
    rough = max(float(means @ means) - of_smooth, 1e-300)
    seeds = pure / (n - levels)
    rough_p = float(f_tail(rough / left / seeds, left, n - levels))
    smooth_p = float(f_tail(of_smooth / smooth.shape[1] / (rough / left), smooth.shape[1], left))
    between = float(means @ means) / (levels - basis.shape[1])
    effect = max(between - seeds, 0.0) / (np.sum(counts**2) / levels)
    return SizeEffect(rough_p, smooth_p, float(np.sqrt(effect)), float(np.sqrt(seeds)))


def _smooth(fit: Fit, groups: Array, counts: Array, basis: Array) -> Array:
    """Orthonormal directions [levels, k] of the lowest polynomials of the log inputs that the curve does not follow."""
    levels, table = len(counts), fit.table
    logs = []
    for name in fit.law.input_names:
        values = np.log(np.maximum(table.x[name], 1e-300))
        if (table.x[name] > 0).all() and np.ptp(values) > 0.01:
            mean = np.bincount(groups, values) / np.bincount(groups)
            logs.append(2.0 * (mean - mean.min()) / np.ptp(mean) - 1.0)
    spare = levels - basis.shape[1]
    wanted = len(logs) * (2 if spare >= 2 * len(logs) + 3 else 1)
    found = basis
    for degree in _DEGREES:
        for unit in logs:
            column = np.polynomial.legendre.legval(unit, [0.0] * degree + [1.0]) * counts
            size = np.linalg.norm(column)
            for _ in range(2):
                column = column - found @ (found.T @ column)
            if found.shape[1] - basis.shape[1] < wanted and np.linalg.norm(column) > 1e-3 * size:
                found = np.column_stack([found, column / np.linalg.norm(column)])
    return found[:, basis.shape[1] :]
