"""Plot a stretch of signal with its keys; shared by the figures of a session."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from semgjax.data.band import TYPING, Band, names_of_rings
from semgjax.data.keys import labels_to_text
from semgjax.data.sessions import Session
from semgjax.pages.style import POINTS

LEFT, RIGHT, KEY = "#0072B2", "#2F6B4F", "#B5651D"
STRETCH = 3.0  # seconds of signal shown
GLYPH = 8.5 / 72.0 * 25.4  # mm that a glyph takes
LETTER = 0.55  # of that for every further letter of a name


def choose_stretch(session: Session, seconds: float = STRETCH) -> tuple[int, int]:
    """Samples [start, stop) to show: starting shortly before the first key of the second half, if there is one."""
    length = min(round(seconds * session.rate), session.samples)
    late = session.key_first[session.key_first >= session.samples // 2]
    keys = late if len(late) else session.key_first
    start = int(keys[0]) - round(session.rate / 10) if len(keys) else 0
    start = max(0, min(start, session.samples - length))
    return start, start + length


def keys_in(session: Session, start: int, stop: int) -> list[tuple[float, str]]:
    """(seconds after `start`, glyph) of the keys in samples [start, stop); a space shows as an open box.

    Events of other classes have their names instead of a glyph.
    """
    inside = (session.key_last >= start) & (session.key_first < stop)
    labels, classes = session.labels[inside], session.classes
    words = labels_to_text(labels).replace(" ", "\u2423") if classes is None else [classes[label] for label in labels]
    return [((int(at) - start) / session.rate, g) for at, g in zip(session.key_first[inside], words, strict=True)]


def draw_bands(
    bands: Sequence[Axes], emg_TxC: np.ndarray, presses: list[tuple[float, str]], width: float, band: Band = TYPING
) -> None:
    """All electrodes as lines, a ring in each axes and all on one scale, with the keys pressed.

    Args:
        bands: as many axes as the band has rings.
        width: of the axes in print, mm.
    """
    # Neighbouring lines touch only in the strongest bursts.
    space = max(1.6 * float(np.percentile(np.abs(emg_TxC), 99.5)), 1e-6)
    seconds = np.arange(len(emg_TxC)) / band.rate
    rings = np.split(emg_TxC, np.cumsum(band.rings)[:-1], axis=1)
    colours = [(LEFT, RIGHT)[number % 2] for number in range(len(rings))]
    for axes, name, colour, ring in zip(bands, names_of_rings(band), colours, rings, strict=True):
        for at, _ in presses:
            axes.axvline(at, color=KEY, lw=0.9, alpha=0.85, zorder=3)
        heights = -space * np.arange(ring.shape[1])
        axes.plot(seconds, ring + heights, color=colour, lw=0.45, zorder=2, rasterized=True)
        shown = [number for number in (1, *range(4, len(heights) + 1, 4))]
        axes.set_yticks(heights[np.array(shown) - 1], [str(number) for number in shown])
        axes.set_ylim(min(heights[-1] + ring[:, -1].min(), heights[-1] - space), max(ring[:, 0].max(), space))
        axes.set_ylabel(f"{name}\nelectrode (number)".strip())
        axes.margins(x=0)
    longest = max((len(glyph) for _, glyph in presses), default=1)
    _glyphs(bands[0], presses, GLYPH * (1 + LETTER * (longest - 1)) * len(emg_TxC) / band.rate / width)
    _scale_bar(bands[-1], space, "\u00b5V" if band.classes is None else "units")


def _glyphs(axes: Axes, presses: list[tuple[float, str]], apart: float) -> None:
    """The typed keys above the axes, each on the lowest line that has room. apart: seconds that a glyph takes."""
    last: list[float] = []
    for at, glyph in sorted(presses):
        level = next((i for i, before in enumerate(last) if at - before >= apart), len(last))
        last[level : level + 1] = [at]
        axes.annotate(
            glyph, (at, 1.0), (0, 3 + 1.35 * POINTS * level), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="center", va="bottom", fontsize=POINTS, color="#7A3E00",
            annotation_clip=False,
        )  # fmt: skip


def _scale_bar(axes: Axes, space: float, name: str) -> None:
    """A bar of a round number of the signal's unit beside the lowest electrodes."""
    unit = 10.0 ** np.floor(np.log10(2.0 * space))
    height = unit * next(step for step in (5.0, 2.0, 1.0) if step * unit <= 2.0 * space)
    low = axes.get_ylim()[0]
    axes.plot([1.012, 1.012], [low, low + height], color="#111111", lw=2, clip_on=False,
              transform=axes.get_yaxis_transform())  # fmt: skip
    axes.text(1.02, low + height / 2, f"{height:g} {name}", va="center", fontsize=POINTS, rotation=90,
              transform=axes.get_yaxis_transform())  # fmt: skip
