"""The figures of a check: an overview of all sessions, and one session over time."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from semgjax.data.quality.check import SessionReport
from semgjax.pages.stretch import LEFT, RIGHT
from semgjax.pages.style import (
    DOUBLE,
    NUMBERS,
    POINTS,
    Picture,
    drawn_at,
    legend_below,
    name_axes,
    new_figure,
    settings,
)

COLOURS = {"use": "#0A5C36", "look": "#B5651D", "leave out": "#A3190B"}
MARKS = {"use": "o", "look": "D", "leave out": "X"}
_BESIDE = 150.0  # mm: a wider figure of a session has its panels beside each other
# Panels of a session as (left, bottom, width, height): constrained layout takes longer than the drawing, and there may
# be many figures.
_WIDE = ((0.085, 0.2, 0.37, 0.69), (0.467, 0.2, 0.012, 0.69), (0.59, 0.2, 0.125, 0.69), (0.81, 0.2, 0.18, 0.69))
_NARROW = ((0.22, 0.61, 0.55, 0.36), (0.79, 0.61, 0.024, 0.36), (0.08, 0.115, 0.32, 0.33), (0.6, 0.115, 0.38, 0.33))


def overview_figure(rows: Sequence[SessionReport], width: float = DOUBLE) -> Picture:
    """Length, keys a second and amplitude of every session, ordered by user; the mark is the verdict.

    width: of the figure in print, mm.
    """
    ordered = sorted(rows, key=lambda row: (row.user, row.file))
    place = np.arange(len(ordered))
    panels = (
        ("Length (min)", [row.facts.minutes for row in ordered]),
        ("Typing rate (keys/s)", [row.facts.keys_per_second for row in ordered]),
        ("Median RMS (\u00b5V)", [float(np.median(row.measures.rms)) for row in ordered]),
    )
    figure, places = new_figure(width, 40.0, 3, 1, grid=False, sharex=True)
    users = [row.user for row in ordered]
    turns = [i for i in range(1, len(users)) if users[i] != users[i - 1]]
    for axes, (label, values) in zip(places, panels, strict=True):
        for turn in turns:
            axes.axvline(turn - 0.5, color="0.88", lw=0.7)
        for verdict, colour in COLOURS.items():
            chosen = [i for i, row in enumerate(ordered) if row.verdict == verdict]
            axes.plot(
                place[chosen], np.array(values)[chosen], MARKS[verdict], color=colour, ms=5, mec="white", mew=0.5,
                label=f"{verdict} ({len(chosen)})",
            )  # fmt: skip
        axes.set_ylim(0, 1.1 * max(*values, 1e-9))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.margins(x=0.02)
        name_axes(axes, y=label)
    places[-1].set_xticks([])
    name_axes(places[-1], x=f"Sessions, ordered by user; grey lines separate users (n = {len(rows)})")
    legend_below(figure)
    figure.caption = (
        f"Every session's length, typing rate and median root mean square (RMS) amplitude: n = {len(rows)} sessions of "
        f"{len(set(users))} users."
    )
    return figure


def session_figure(row: SessionReport, width: float = DOUBLE) -> Picture:
    """RMS of every electrode over time, of every electrode as a whole, and the spectrum of both bands.

    width: of the figure in print, mm.
    """
    found = row.measures
    beside = width >= _BESIDE
    with settings():
        figure = Picture(figsize=(drawn_at(width) / 25.4, (56.0 if beside else 104.0) / 25.4), dpi=125)
        time, bar, level, spectrum = (figure.add_axes(place) for place in (_WIDE if beside else _NARROW))
        shown = np.maximum(found.timeline.T, 1e-3)
        low, high = np.percentile(shown, [2, 99.5])
        image = time.imshow(
            shown, aspect="auto", interpolation="nearest", cmap=NUMBERS,
            norm=LogNorm(max(low, high / 1e3), max(high, 2e-3)), extent=(0, row.facts.minutes, 32, 0),
        )  # fmt: skip
        plain = FuncFormatter(lambda value, _: f"{value:g}")
        decades = np.log10(image.norm.vmax / image.norm.vmin)
        ticks = LogLocator(subs=(1.0, 2.0, 5.0) if decades < 1.5 else (1.0,))
        figure.colorbar(image, cax=bar, label="RMS (\u00b5V)", format=plain, ticks=ticks).minorticks_off()
        time.axhline(16, color="white", lw=1.2)
        time.set_yticks([0.5, 7.5, 16.5, 23.5, 31.5], ["left 1", "8", "right 1", "8", "16"])
        time.set_ylabel("electrode (number)", labelpad=2)
        time.xaxis.set_major_locator(MaxNLocator(5))
        time.set_xlabel("time (min)")
        level.barh(np.arange(32) + 0.5, found.rms, height=0.75, color=[LEFT] * 16 + [RIGHT] * 16)
        level.set_ylim(32, 0)
        level.set_yticks([])
        level.xaxis.set_major_locator(MaxNLocator(2))
        level.set_xlabel("RMS (\u00b5V)")
        hertz = np.arange(1, 601)
        for band, (name, colour, dash) in enumerate((("left", LEFT, "-"), ("right", RIGHT, "--"))):
            power = np.maximum(found.spectrum[1:601, band], 1e-12)
            spectrum.plot(hertz, 10 * np.log10(power / power.max()), dash, color=colour, lw=1.0, label=name)
        spectrum.set_ylim(max(-60.0, spectrum.get_ylim()[0]), 3.0)
        spectrum.xaxis.set_major_locator(MaxNLocator(3))
        spectrum.set_xlabel("frequency (Hz)")
        spectrum.set_ylabel("power (dB of highest)", labelpad=2)
        spectrum.legend(
            frameon=False, loc="lower center", bbox_to_anchor=(0.5, 0.98), ncols=2, fontsize=POINTS, handlelength=1.5
        )
    figure.caption = (
        "Amplitude (RMS) of each electrode over time and, in the same order, as a whole; power by frequency."
    )
    return figure
