"""Plot a stretch of signal with its keys; shared by the figures of a session."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from semgjax.data.keys import labels_to_text
from semgjax.data.sessions import SAMPLE_RATE, Session
from semgjax.pages.style import POINTS

LEFT, RIGHT, KEY = "#0072B2", "#2F6B4F", "#B5651D"
STRETCH = 3.0  # seconds of signal shown
GLYPH = 8.5 / 72.0 * 25.4  # mm that a glyph takes


def choose_stretch(session: Session, seconds: float = STRETCH) -> tuple[int, int]:
    """Samples [start, stop) to show: starting shortly before the first key of the second half, if there is one."""
    length = min(round(seconds * SAMPLE_RATE), session.samples)
    late = session.key_first[session.key_first >= session.samples // 2]
    keys = late if len(late) else session.key_first
    start = int(keys[0]) - SAMPLE_RATE // 10 if len(keys) else 0
    start = max(0, min(start, session.samples - length))
    return start, start + length


def keys_in(session: Session, start: int, stop: int) -> list[tuple[float, str]]:
    """(seconds after `start`, glyph) of the keys in samples [start, stop); a space shows as an open box."""
    inside = (session.key_last >= start) & (session.key_first < stop)
    glyphs = labels_to_text(session.labels[inside]).replace(" ", "\u2423")
    return [((int(at) - start) / SAMPLE_RATE, g) for at, g in zip(session.key_first[inside], glyphs, strict=True)]


def draw_bands(bands: Sequence[Axes], emg_TxC: np.ndarray, presses: list[tuple[float, str]], width: float) -> None:
    """All electrodes as lines, a band in each axes and both on one scale, with the keys pressed.

    width: of the axes in print, mm.
    """
    # Neighbouring lines touch only in the strongest bursts.
    space = max(1.6 * float(np.percentile(np.abs(emg_TxC), 99.5)), 1e-6)
    seconds = np.arange(len(emg_TxC)) / SAMPLE_RATE
    for axes, name, colour, band in zip(
        bands, ("left wrist", "right wrist"), (LEFT, RIGHT), np.split(emg_TxC, 2, axis=1), strict=True
    ):
        for at, _ in presses:
            axes.axvline(at, color=KEY, lw=0.9, alpha=0.85, zorder=3)
        heights = -space * np.arange(band.shape[1])
        axes.plot(seconds, band + heights, color=colour, lw=0.45, zorder=2, rasterized=True)
        axes.set_yticks(heights[[0, 3, 7, 11, 15]], ["1", "4", "8", "12", "16"])
        axes.set_ylim(min(heights[-1] + band[:, -1].min(), heights[-1] - space), max(band[:, 0].max(), space))
        axes.set_ylabel(f"{name}\nelectrode (number)")
        axes.margins(x=0)
    _glyphs(bands[0], presses, GLYPH * len(emg_TxC) / SAMPLE_RATE / width)
    _scale_bar(bands[1], space)


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


def _scale_bar(axes: Axes, space: float) -> None:
    """A bar of a round number of microvolts beside the lowest electrodes."""
    unit = 10.0 ** np.floor(np.log10(2.0 * space))
    height = unit * next(step for step in (5.0, 2.0, 1.0) if step * unit <= 2.0 * space)
    low = axes.get_ylim()[0]
    axes.plot([1.012, 1.012], [low, low + height], color="#111111", lw=2, clip_on=False,
              transform=axes.get_yaxis_transform())  # fmt: skip
    axes.text(1.02, low + height / 2, f"{height:g} \u00b5V", va="center", fontsize=POINTS, rotation=90,
              transform=axes.get_yaxis_transform())  # fmt: skip
