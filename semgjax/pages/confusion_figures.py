"""Figures of confusions: which class was read for which, of all classes and of those that are confused most."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm

from semgjax.evaluate.keyboard import ROWS, place_of_glyph
from semgjax.pages.style import DOUBLE, NUMBERS, POINTS, Picture, name_axes, new_figure, wrapped

Matrix = Sequence[tuple[str | None, str | None, int]]
"""(typed, read, times), as `semgjax.evaluate.breakdown.Breakdown.matrix`"""
MOST = 15
"""classes of the small figure"""
_NAMED = 30
"""classes up to which each is named on the axes of the large figure"""
_MISSED, _OTHER = "missed", "other"


def table_of(matrix: Matrix, keys: bool) -> tuple[list[str], np.ndarray]:
    """Names of the classes, and how often each was typed and read: int64 [classes, classes + 1], the last: missed.

    Args:
        keys: the classes are keys, which are put in the order of the keyboard: by row, from left to right.
    """
    typed_and_read = (*(row[0] for row in matrix), *(row[1] for row in matrix))
    names = list(dict.fromkeys(name for name in typed_and_read if name is not None))
    if keys:
        names.sort(key=_place)
    at = {name: place for place, name in enumerate(names)}
    counts = np.zeros((len(names), len(names) + 1), np.int64)
    for typed, read, times in matrix:
        if typed is not None:
            counts[at[typed], len(names) if read is None else at[read]] = times
    return names, counts


def _place(glyph: str) -> tuple[int, int, int]:
    row, key, shifted = place_of_glyph(glyph) or (None, 0, 0)
    return (len(ROWS) if row is None else ROWS.index(row), key, shifted)


def confusion_figure(matrix: Matrix, keys: bool, width: float = DOUBLE) -> Picture:
    """Every class that was typed or read: rows typed, columns read, in percent of what was typed.

    Args:
        keys: the classes are keys; many of them are named by their row of the keyboard.
    """
    names, counts = table_of(matrix, keys)
    figure, (axes,) = new_figure(width, 0.92 * width, 1, 1, grid=False)
    done = _done(keys)
    _draw(figure, axes, _percent(counts), done)
    if keys and len(names) > _NAMED:
        rows = [_place(name)[0] for name in names]
        edges = [0, *(place for place in range(1, len(rows)) if rows[place] != rows[place - 1]), len(rows)]
        spans = list(zip(edges[:-1], edges[1:], strict=True))
        middles = [(first + last - 1) / 2 for first, last in spans]
        # A row with one or two keys has no room for its name beside the next one's.
        labels = [([*ROWS, "no row"][rows[first]] if last - first > 4 else "") for first, last in spans]
        axes.set_yticks(middles, labels, rotation=90, va="center")
        axes.set_xticks(middles, labels)
        axes.tick_params(length=0)
        for edge in edges[1:-1]:
            axes.axhline(edge - 0.5, color="#ffffff", lw=0.6)
            axes.axvline(edge - 0.5, color="#ffffff", lw=0.6)
        order = "Rows of the keyboard, each from left to right, the shifted character behind the plain one; last"
        order += " space and what has no row."
    else:
        shown = [wrapped(_glyph(name), 40.0) for name in names]
        axes.set_yticks(range(len(names)), shown)
        _name_columns(axes, [*shown, _MISSED])
        order = ""
    name_axes(axes, "read", done)
    figure.caption = (
        f"{len(names)} classes; percent of what was {done}; last column: missed. Grey: never {done}. {order}"
    ).strip()
    return figure


def confused_figure(matrix: Matrix, keys: bool, width: float = DOUBLE) -> Picture:
    """The classes that were confused most often, as typed or as read, in percent of what was typed."""
    names, counts = table_of(matrix, keys)
    swaps = counts[:, :-1].copy()
    np.fill_diagonal(swaps, 0)
    often = swaps.sum(axis=0) + swaps.sum(axis=1)
    kept = np.sort(np.argsort(-often, kind="stable")[:MOST])
    kept = kept[often[kept] > 0]
    inside = counts[np.ix_(kept, kept)]
    missed = counts[kept, -1]
    other = counts[kept].sum(axis=1) - inside.sum(axis=1) - missed
    share = _percent(np.column_stack([inside, other, missed]))
    figure, (axes,) = new_figure(width, min(width, 130.0), 1, 1, grid=False)
    done = _done(keys)
    _draw(figure, axes, share, done)
    if width >= DOUBLE:
        for (y, x), value in np.ndenumerate(share):
            if np.isfinite(value) and round(value) > 0:
                ink = "#111111" if value > 30 else "#ffffff"
                axes.text(x, y, f"{value:.0f}", ha="center", va="center", color=ink)
    shown = [wrapped(_glyph(names[place]), 40.0) for place in kept]
    axes.set_yticks(range(len(kept)), shown)
    _name_columns(axes, [*shown, _OTHER, _MISSED])
    name_axes(axes, "read", done)
    figure.caption = (
        f"The {len(kept)} classes that were most often read as another or in place of another; percent of what was "
        f"{done}. Grey: never {done}."
    )
    return figure


def _done(keys: bool) -> str:
    return "typed" if keys else "made"


def _draw(figure: Picture, axes: Axes, share: np.ndarray, done: str) -> None:
    """The matrix in colours, with what they mean beside it."""
    colours = matplotlib.colormaps[NUMBERS].with_extremes(bad="#e4e4e4")
    norm = PowerNorm(0.5, 0.0, 100.0)
    drawn = axes.imshow(share, cmap=colours, norm=norm, aspect="auto", interpolation="nearest")
    bar = figure.colorbar(drawn, ax=axes, fraction=0.04, pad=0.02, ticks=[0, 5, 20, 50, 100])
    bar.set_label(f"of what was {done} (%)", fontsize=POINTS)
    bar.ax.tick_params(labelsize=POINTS)


def _name_columns(axes: Axes, names: Sequence[str]) -> None:
    """Names below the columns; a single glyph stands upright."""
    axes.set_xticks(range(len(names)), names)
    for label, name in zip(axes.get_xticklabels(), names, strict=True):
        label.set_rotation(90 if len(name) > 1 else 0)


def has_confusions(matrix: Matrix) -> bool:
    """Whether any class was read as another."""
    return any(None not in row and row[0] != row[1] for row in matrix)


def _percent(counts: np.ndarray) -> np.ndarray:
    """Percent of each row; NaN in a row without counts."""
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, 100.0 * counts / np.maximum(total, 1), np.nan)


def _glyph(name: str) -> str:
    return "space" if name == " " else name
