"""One step of the damped Newton search for a batch of problems, in NumPy or JAX alike.

Steps are damped by the matrix of the iteratively reweighted least squares, which bounds the objective from above: with
little damping a step is Newton's, with much it is one of a descent that cannot fail for long. The same function runs
on NumPy arrays (small tables: nothing to compile) and inside a compiled program (large ones).
"""

from collections.abc import Callable
from functools import reduce
from operator import add
from types import ModuleType
from typing import Any, NamedTuple

Curve = Callable[[Any], tuple[Any, Any]]  # theta [b, p] -> (values [b, n], slopes [b, n, p])


class Data(NamedTuple):
    """The problems: arrays with a leading axis b. See `semgjax.scaling.solver.Problems`; y is `to_scale` of its y."""

    y: Any
    weights: Any
    delta: Any
    low: Any
    high: Any
    tie_x: Any
    tie_curve: Any
    tie_row: Any
    tie_value: Any
    tie_weight: Any


class Settings(NamedTuple):
    """Residuals are those of log * log(y + shift) + (1 - log) * y, so that one program serves all scales."""

    log: Any
    shift: Any
    below: Any
    above: Any
    nu: Any


class State(NamedTuple):
    """Where each search stands: arrays with a leading axis b."""

    theta: Any
    tried: Any
    total: Any
    expected: Any
    gradient: Any
    matrix: Any
    diagonal: Any
    value: Any
    tie: Any
    damping: Any
    growth: Any
    done: Any
    failed: Any


def to_scale(xp: ModuleType, settings: Settings, y: Any) -> Any:
    """y on the scale of the residuals."""
    return settings.log * xp.log(y + settings.shift) + (1.0 - settings.log) * y


def blank(xp: ModuleType, theta: Any, damping: Any) -> State:
    """States of b searches that have tried nothing yet."""
    count, p = theta.shape
    zero, square, no = xp.zeros(count), xp.zeros((count, p, p)), xp.zeros(count, bool)
    return State(
        theta=theta,
        tried=theta,
        total=zero + xp.inf,
        expected=zero + xp.inf,
        gradient=xp.zeros((count, p)),
        matrix=square,
        diagonal=xp.zeros((count, p)),
        value=zero + xp.inf,
        tie=zero,
        damping=damping,
        growth=zero + 3.0,
        done=no,
        failed=no,
    )


def step(
    xp: ModuleType, model: Curve, tie_model: Curve | None, settings: Settings, student: bool, data: Data, state: State
) -> State:
    """Judge the point tried last, then choose the next.

    Args:
        model: the law at the rows of the table.
        tie_model: the law where the curve is tied, n = t; None where no problem has a tie.
        student: whether the loss is Student's.
    """
    total, gradient, matrix, diagonal, value, tie = _objective(
        xp, model, tie_model, settings, student, data, state.tried, 0.2 * state.damping
    )
    fine = xp.isfinite(total) & xp.isfinite(gradient).all(axis=-1) & xp.isfinite(matrix).all(axis=(-2, -1))
    better = fine & (total < state.total)
    small = better & (state.expected <= 1e-13 * total + 1e-24) & (state.damping <= 1.0)
    # A step that promises nothing above rounding, and one that fails whatever the damping, end the search.
    rounding = fine & ~better & (state.expected <= 1e-11 * state.total + 1e-22)
    lost = ~better & (state.damping > 1e9)
    take = better & ~state.done

    def chosen(new: Any, old: Any) -> Any:
        return xp.where(take.reshape(take.shape + (1,) * (old.ndim - 1)), new, old)

    # Nielsen 1999: damping falls as the step kept its promise, and rises ever faster while steps fail.
    kept = (state.total - total) / state.expected
    eased = state.damping * xp.clip(1.0 - (2.0 * kept - 1.0) ** 3, 0.3, 2.0)
    eased = xp.where(xp.isfinite(state.total), xp.maximum(eased, 1e-9), state.damping)
    lam = xp.where(better, eased, xp.maximum(state.damping, 1e-6) * state.growth)
    lam = xp.where(state.done, state.damping, lam)
    theta, gradient = chosen(state.tried, state.theta), chosen(gradient, state.gradient)
    full, diagonal = chosen(matrix, state.matrix), chosen(diagonal, state.diagonal)
    free = ~stuck(theta, gradient, data.low, data.high)
    slope = xp.where(free, gradient, 0.0)
    damped = lam * (0.1 + lam)
    ridge = damped[:, None] * diagonal + 1e-12 * diagonal.max(axis=-1, keepdims=True) + 1e-300
    matrix = xp.where(free[:, :, None] & free[:, None, :], full, 0.0)
    matrix = matrix + xp.where(free, ridge, 1.0)[:, :, None] * xp.eye(theta.shape[-1])
    move = _solved(xp, matrix, -slope)
    move = xp.where(xp.isfinite(move).all(axis=-1, keepdims=True), move, 0.0)
    return State(
        theta=theta,
        tried=xp.clip(theta + move, data.low, data.high),
        total=chosen(total, state.total),
        expected=-0.5 * (slope * move).sum(axis=-1),
        gradient=gradient,
        matrix=full,
        diagonal=diagonal,
        value=chosen(value, state.value),
        tie=chosen(tie, state.tie),
        damping=lam,
        growth=xp.where(better, 3.0, 2.0 * state.growth),
        done=state.done | small | rounding | lost,
        failed=state.failed | (lost & ~small & ~rounding & ~state.done),
    )


def outcome(xp: ModuleType, data: Data, state: State) -> tuple[Any, ...]:
    """(theta, damping, done, value, tied, total, norm of the free gradient, whether in a minimum)."""
    free = ~stuck(state.theta, state.gradient, data.low, data.high)
    norm = xp.sqrt(xp.where(free, state.gradient**2, 0.0).sum(axis=-1))
    good = state.done & ~state.failed & xp.isfinite(state.total)
    return state.theta, state.damping, state.done, state.value, state.tie, state.total, norm, good


def stuck(theta: Any, gradient: Any, low: Any, high: Any) -> Any:
    """Coordinates at a bound that the gradient pushes against, and fixed ones."""
    return (low >= high) | ((theta <= low) & (gradient > 0)) | ((theta >= high) & (gradient < 0))


def _objective(
    xp: ModuleType, model: Curve, tie_model: Curve | None, settings: Settings, student: bool, data: Data, theta: Any,
    mixed: Any,
) -> tuple[Any, ...]:  # fmt: skip
    """Objective with the tie, gradient, matrix, the majorant's diagonal, objective without the tie, tied value.

    matrix: Newton's plus `mixed` times the majorant's.
    """
    f, slopes = model(theta)
    loss, first, second, weight = _rates(xp, settings, student, data, data.y - f)
    live = data.weights > 0
    # Padded and unused rows must not bring in what is not finite.
    loss, first, second, weight = (xp.where(live, a, 0.0) for a in (loss, first, second, weight))
    slopes = xp.where(live[..., None], slopes, 0.0)
    value = loss.sum(axis=-1)
    across = slopes.swapaxes(-1, -2)
    gradient = -(across @ first[..., None])[..., 0]
    matrix = across @ ((second + mixed[:, None] * weight)[..., None] * slopes)
    diagonal = (weight[..., None] * slopes**2).sum(axis=-2)
    if tie_model is None:
        return value, gradient, matrix, diagonal, value, xp.zeros_like(value)
    held = data.tie_weight > 0
    at, row = tie_model(theta)
    curved = data.tie_curve != 0
    tie = xp.where(curved, data.tie_curve * at, 0.0).sum(axis=-1) + (data.tie_row * theta).sum(axis=-1)
    row = xp.where(curved[..., None], data.tie_curve[..., None] * row, 0.0).sum(axis=-2) + data.tie_row
    tie, row = xp.where(held, tie, 0.0), xp.where(held[:, None], row, 0.0)
    gap = xp.where(held, tie - data.tie_value, 0.0)
    pull = data.tie_weight[:, None, None] * row[:, :, None] * row[:, None, :]
    return (
        value + 0.5 * data.tie_weight * gap**2,
        gradient + (data.tie_weight * gap)[:, None] * row,
        matrix + (1.0 + mixed)[:, None, None] * pull,
        diagonal + data.tie_weight[:, None] * row**2,
        value,
        tie,
    )


def _rates(xp: ModuleType, settings: Settings, student: bool, data: Data, r: Any) -> tuple[Any, Any, Any, Any]:
    """Loss, its first and second derivative, and the weight of its majorant, of residuals [b, n]."""
    factor = data.weights * xp.where(r < 0, settings.above, settings.below)
    delta = data.delta[:, None]
    if student:
        nu = settings.nu
        ratio = (r / delta) ** 2 / nu
        common = factor * (nu + 1.0) / (nu * delta**2)
        second = (1.0 - ratio) / (1.0 + ratio) ** 2
        return (
            0.5 * factor * (nu + 1.0) * xp.log1p(ratio),
            common * r / (1.0 + ratio),
            common * xp.maximum(second, 0.0),
            common / (1.0 + ratio),
        )
    size = xp.abs(r)
    near = size <= delta
    loss = xp.where(near, 0.5 * r**2, delta * (size - 0.5 * delta))
    share = xp.where(near, 1.0, delta / xp.maximum(size, 1e-300))
    return factor * loss, factor * share * r, factor * near, factor * share


def _solved(xp: ModuleType, matrix: Any, right: Any) -> Any:
    """matrix^-1 right for symmetric matrices [b, p, p] and right [b, p]; not finite where one is not positive definite.

    Cholesky's method written out over the few parameters, so that each line works on the whole batch.
    """
    p = right.shape[-1]
    root: list[list[Any]] = []
    half: list[Any] = []
    for i in range(p):
        row: list[Any] = []
        for j in range(i):
            rest = _less(matrix[:, i, j], [row[k] * root[j][k] for k in range(j)])
            row.append(rest / root[j][j])
        row.append(xp.sqrt(_less(matrix[:, i, i], [a * a for a in row])))
        root.append(row)
        half.append(_less(right[:, i], [row[k] * half[k] for k in range(i)]) / row[i])
    found: list[Any] = [None] * p
    for i in reversed(range(p)):
        found[i] = _less(half[i], [root[k][i] * found[k] for k in range(i + 1, p)]) / root[i][i]
    return xp.stack(found, axis=-1)


def _less(value: Any, parts: list[Any]) -> Any:
    """value minus the sum of the parts."""
    return value - reduce(add, parts) if parts else value
