"""Which parameters, and which answers, the points can determine at all: the rank of the Jacobian at the fit.

The columns of the Jacobian are the derivatives of the log curve at the points, with their weights, by the free
coordinates, each scaled to length 1. A direction in its null space changes the parameters without any trace at the
points. An answer is estimable if its gradient has no part along such a direction (Searle 1971, Linear Models, 5.4).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from semgjax.scaling.fit import Fit
from semgjax.scaling.noise import log_slopes
from semgjax.scaling.table import count_levels, level_means

Array = np.ndarray

RANK = 1e-6  # singular values below this share of the largest are zero
_FAINT = 1e-6  # columns below this share of the largest leave no trace
_ROUNDING = 1e-10  # of a column, by differences
_FLOOR = 1e-4  # a floor of 0 has no central difference; the rank just above it is the same
_PART = 1e-3  # share of a gradient along the null space from which an answer is not estimable
_APART = 2.0  # levels nearer than this factor leave no room for another between them


@dataclass(frozen=True, eq=False)
class Blind:
    """What the points do not see. lengths [p]: of the Jacobian's columns; null [p, r]: directions, in coordinates
    times those lengths, that leave no trace. names: parameters with a part in them."""

    lengths: Array
    null: Array
    names: tuple[str, ...]

    def share(self, gradient: Array) -> float:
        """The part of a gradient [p] along the null space, of 1."""
        scaled = gradient / self.lengths
        size = float(np.linalg.norm(scaled))
        return float(np.linalg.norm(self.null.T @ scaled)) / size if size > 0 else 0.0

    def hides(self, gradient: Array | None) -> bool:
        """Whether an answer with this gradient is not estimable; None: an answer that needs every parameter."""
        if gradient is None:
            return self.null.shape[1] > 0
        return not np.isfinite(gradient).all() or self.share(gradient) > _PART


def blind(fit: Fit, x: Mapping[str, Array] | None = None) -> Blind:
    """The null space at the fit; x {input: [m]}: of other runs than the table's.

    Values within one level of an input (1 %) count as equal: their difference is no leverage to speak of.
    """
    table = fit.table
    weights = fit.weights
    if x is not None:
        rows = len(next(iter(x.values())))
        table = replace(table, x=dict(x), y=np.ones(rows), sd=None, users_y=None, users=(), runs=(), clusters=None)
        weights = np.ones(rows)
    table = replace(table, x={name: level_means(values) for name, values in table.x.items()})
    floors = np.array([p.kind == "floor" for p in fit.law.parameters])
    theta = np.where(floors & fit.free, np.maximum(fit.theta, _FLOOR), fit.theta)
    there = replace(fit, theta=theta, problem=replace(fit.problem, table=table))
    slopes = np.where(fit.free, log_slopes(there) * np.sqrt(weights)[:, None], 0.0)
    lengths = np.linalg.norm(slopes, axis=0)
    seen = fit.free & (lengths > _FAINT * lengths.max(initial=0.0))
    lengths = np.where(seen, lengths, 1.0)
    _, values, rows_of = np.linalg.svd(slopes[:, seen] / lengths[seen], full_matrices=True)
    rounding = _ROUNDING * np.sqrt(len(slopes)) / lengths[seen].min(initial=1.0)
    rank = int(np.sum(values > max(RANK * values.max(initial=0.0), rounding)))
    null = np.zeros((len(fit.theta), int(seen.sum()) - rank))
    null[seen] = rows_of[rank:].T
    unseen = np.eye(len(fit.theta))[:, fit.free & ~seen]
    null = np.concatenate([null, unseen], axis=1)
    part = np.abs(null).max(axis=1, initial=0.0)
    names = tuple(p.name for p, size in zip(fit.law.parameters, part, strict=True) if size > 0.05)
    return Blind(lengths, null, names)


def open_parameters(fit: Fit) -> str | None:
    """What a reader must know of parameters that the points do not determine; None where they determine all."""
    found = blind(fit)
    if not found.null.shape[1]:
        return None
    names = ", ".join(found.names)
    return (
        f"the points do not determine {names}: {_together(found)} can change without a trace at any of them"
        f"{_remedy(fit, None)}"
    )


def why_not_estimable(fit: Fit, gradient: Array) -> str | None:
    """Why the points do not determine an answer with this gradient [p], and which runs would; None where they do."""
    found = blind(fit)
    if not found.hides(gradient):
        return None
    return (
        f"the points do not determine this answer: it depends on {', '.join(found.names)}, and "
        f"{_together(found)} can change without a trace at any of them{_remedy(fit, gradient)}"
    )


def _together(found: Blind) -> str:
    return f"{found.names[0]} alone" if len(found.names) == 1 else "these together"


def _remedy(fit: Fit, gradient: Array | None) -> str:
    """Which runs to add, with what is lacking."""
    few = {name: count_levels(fit.table.x[name]) for name in fit.law.input_names}
    for name, values in runs_to_add(fit, gradient).items():
        column = fit.table.column(name)
        shown = " and ".join(f"{value:.2g}" for value in values)
        return f"; {column} has {few[name]} values: add a run at {column} = {shown}"
    name = min(few, key=lambda n: few[n])
    return f"; add runs at more values of {fit.table.column(name)}, one input at a time"


def runs_to_add(fit: Fit, gradient: Array | None) -> dict[str, tuple[float, ...]]:
    """{input: values} of the fewest new levels of one input, the others in the middle, that make an answer estimable.

    gradient [p]: of the answer; None: of all parameters. Empty where no one or two levels do.
    """
    x = {name: fit.table.x[name] for name in fit.law.input_names}
    order = sorted((n for n in x if (x[n] > 0).all()), key=lambda n: count_levels(x[n]))
    for count in (1, 2):
        for name in order:
            added = _new_levels(x[name], count)
            more = {}
            for other, values in x.items():
                ranked = np.sort(values)
                extra = added if other == name else np.full(len(added), ranked[len(ranked) // 2])
                more[other] = np.concatenate([values, extra])
            if not blind(fit, more).hides(gradient):
                return {name: tuple(float(value) for value in added)}
    return {}


def _new_levels(values: Array, count: int) -> Array:
    """New levels of an input: within its widest gap (in logs) where that is wide enough, then beyond the largest."""
    levels = np.unique(level_means(values))
    gaps = levels[1:] / levels[:-1]
    step = max(float(gaps.max(initial=_APART)), _APART)
    beyond = [levels[-1] * min(step, 10.0) ** (i + 1) for i in range(count)]
    if len(gaps) and gaps.max() >= _APART**2:
        widest = int(gaps.argmax())
        beyond = [float(np.sqrt(levels[widest] * levels[widest + 1])), *beyond]
    return np.array([float(f"{value:.2g}") for value in beyond[:count]])
