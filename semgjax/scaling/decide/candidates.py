"""Places where another run could be trained: those of the sweep, between them, and beyond them."""

from collections.abc import Mapping, Sequence

import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.fit import Fit
from semgjax.scaling.table import count_levels

Array = np.ndarray

# A law tried to four times the largest value says nothing new at forty times it, at ten times the cost.
BEYOND = 4.0
# Neighbours closer than this leave no room for a value between them.
ROOM = 1.3
MOST = 400  # combinations of all inputs; with more, one input moves at a time
LEVELS = 12  # of an input that are kept, spread over its range
_COUNTED = ("N", "U")  # whole things


def new_values(fit: Fit, name: str) -> Array:
    """Values of an input to choose from [m], rising: the sweep's levels, between neighbours, and up to `BEYOND`.

    Smaller values than the smallest are not proposed: they are cheap and stretch the range, but a law is least sure to
    hold there. A measured input (the loss of a run) and one that stands for another where it is empty cannot be set:
    they keep their values.
    """
    values = np.unique(fit.table.x[name])
    declared = next(i for i in fit.law.inputs if i.name == name)
    if not declared.centred or declared.default or (values <= 0).any() or count_levels(values) < 2:
        return values
    every = _levels(values)
    levels = every[np.unique(np.linspace(0, len(every) - 1, LEVELS).round().astype(int))]
    ratio = float(np.clip(np.median(levels[1:] / levels[:-1]), 1.5, BEYOND))
    room = levels[1:] / levels[:-1] >= ROOM
    between = np.sqrt(levels[1:] * levels[:-1])[room]
    steps = ratio ** np.arange(1, 1 + int(np.floor(np.log(BEYOND) / np.log(ratio) + 1e-9)))
    found = np.concatenate([between, levels[-1] * steps])
    found = np.array([_rounded(value, name in _COUNTED) for value in found])
    new = [v for v in found if np.abs(np.log(v / every)).min() > 0.01]
    return np.unique(np.concatenate([levels, new]))


def _levels(values: Array) -> Array:
    """One value for each level of a rising array: values within 1 % count as one."""
    kept = [values[0]]
    for value in values[1:]:
        if value > kept[-1] * 1.01:
            kept.append(value)
    return np.array(kept)


def _rounded(value: float, whole: bool) -> float:
    """Three significant digits; counted things are at least 1, and whole."""
    shown = float(f"{value:.3g}")
    return max(float(round(shown)), 1.0) if whole else shown


def candidate_grid(fit: Fit, vary: Mapping[str, Sequence[float]]) -> dict[str, Array]:
    """Every combination of the given values; an input that is not named keeps its values of the sweep.

    Raises:
        InputError: an input that the law has not, or no combination in which a part stays below its whole.
    """
    for name in vary:
        if name not in fit.law.input_names:
            raise InputError(
                f"law {fit.law.name} has no input {name!r}; it has {', '.join(fit.law.input_names)}", "unknown-name"
            )
    values = {
        name: np.asarray(vary[name], np.float64) if name in vary else np.unique(fit.table.x[name])
        for name in fit.law.input_names
    }
    return _possible(fit, _mesh(values))


def open_grid(fit: Fit) -> dict[str, Array]:
    """Places of the sweep and new ones, {input: [m]}: every combination of `new_values`, or where these are too many
    the sweep's own places with one input moved at a time."""
    values = {name: new_values(fit, name) for name in fit.law.input_names}
    if np.prod([len(v) for v in values.values()]) <= MOST:
        return _possible(fit, _mesh(values))
    names = fit.law.input_names
    own = np.unique(np.stack([fit.table.x[name] for name in names], axis=1), axis=0)
    own = own[np.unique(np.linspace(0, len(own) - 1, MOST // 4).round().astype(int))]
    logs = np.log(np.maximum(own, 1e-12))
    centre = own[np.argmin(np.abs(logs - np.median(logs, axis=0)).sum(axis=1))]
    rows = [*own, *(np.where(np.arange(len(names)) == i, value, centre)
                    for i, name in enumerate(names) for value in values[name])]  # fmt: skip
    every = np.unique(np.array(rows), axis=0)
    return _possible(fit, {name: every[:, i] for i, name in enumerate(names)})


def _mesh(values: Mapping[str, Array]) -> dict[str, Array]:
    mesh = np.meshgrid(*values.values(), indexing="ij")
    return {name: grid.reshape(-1) for name, grid in zip(values, mesh, strict=True)}


def _possible(fit: Fit, grid: dict[str, Array]) -> dict[str, Array]:
    """The places at which no part exceeds its whole (unique data above all data)."""
    kept = np.ones(len(next(iter(grid.values()))), bool)
    for part, whole in fit.law.at_most.items():
        kept &= grid[part] <= grid[whole]
    if not kept.any():
        raise InputError(
            "vary: every combination has more of a part than of its whole; give larger values of the whole", "bad-value"
        )
    return {name: values[kept] for name, values in grid.items()}


def kind_of(fit: Fit, x: Mapping[str, float], chosen: Sequence[Mapping[str, float]]) -> str:
    """What a run is: "seed" (a place that the sweep or an earlier choice has), "beyond" it, "between" its values, or
    "combination" of them."""
    places = [*_rows(fit.table.x), *chosen]
    if any(all(_same(x[name], place[name]) for name in x) for place in places):
        return "seed"
    moved = new_inputs(fit, x)
    if not moved:
        return "combination"
    outside = any(not fit.table.x[n].min() / 1.01 < x[n] < fit.table.x[n].max() * 1.01 for n in moved)
    return "beyond" if outside else "between"


def new_inputs(fit: Fit, x: Mapping[str, float]) -> tuple[str, ...]:
    """The inputs whose value the sweep does not have yet."""
    return tuple(name for name, value in x.items() if not any(_same(value, float(v)) for v in set(fit.table.x[name])))


def _same(a: float, b: float) -> bool:
    """Whether two values of an input are one level."""
    return a == b or bool(a > 0 and b > 0 and abs(np.log(a / b)) < 0.01)


def _rows(x: Mapping[str, Array]) -> list[dict[str, float]]:
    return [dict(zip(x, map(float, row), strict=True)) for row in np.unique(np.stack(list(x.values()), 1), axis=0)]
