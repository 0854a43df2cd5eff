"""The figures of a check: an overview of all sessions, and one session over time."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from semgjax.data.quality.check import SessionReport
from semgjax.pages.stretch import LEFT, RIGHT, SETTINGS

COLOURS = {"use": "#0A5C36", "look": "#B5651D", "leave out": "#A3190B"}
MARKS = {"use": "o", "look": "D", "leave out": "X"}
_WIDTH = 9.0
_SMALL = {**SETTINGS, "font.size": 9.0}


def overview_figure(rows: Sequence[SessionReport]) -> Figure:
    """Length, keys a second and amplitude of every session, ordered by user; the mark is the verdict."""
    ordered = sorted(rows, key=lambda row: (row.user, row.file))
    place = np.arange(len(ordered))
    panels = (
        ("minutes", [row.facts.minutes for row in ordered]),
        ("keys a second", [row.facts.keys_per_second for row in ordered]),
        ("median RMS (\u00b5V)", [float(np.median(row.measures.rms)) for row in ordered]),
    )
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(_WIDTH, 5.4), dpi=110, layout="constrained")
        users = [row.user for row in ordered]
        turns = [i for i in range(1, len(users)) if users[i] != users[i - 1]]
        for axes, (label, values) in zip(figure.subplots(3, 1, sharex=True), panels, strict=True):
            for turn in turns:
                axes.axvline(turn - 0.5, color="0.88", lw=0.7)
            for verdict, colour in COLOURS.items():
                chosen = [i for i, row in enumerate(ordered) if row.verdict == verdict]
                axes.plot(
                    place[chosen], np.array(values)[chosen], MARKS[verdict], color=colour, ms=6, mec="white", mew=0.5,
                    label=f"{verdict} ({len(chosen)})",
                )  # fmt: skip
            axes.set_ylabel(label)
            axes.set_ylim(0, 1.1 * max(*values, 1e-9))
            axes.margins(x=0.02)
        axes.set_xlabel("sessions, ordered by user (grey lines separate users)")
        axes.set_xticks([])
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False)
    return figure


def session_figure(row: SessionReport) -> Figure:
    """RMS of every electrode over time, of every electrode as a whole, and the spectrum of both bands."""
    found = row.measures
    with matplotlib.rc_context(_SMALL):
        figure = Figure(figsize=(_WIDTH, 2.7), dpi=100)
        # Placed by hand: constrained layout takes longer than the drawing, and there may be many figures.
        time, bar, level, spectrum = (
            figure.add_axes((left, 0.19, width, 0.77))
            for left, width in ((0.065, 0.4), (0.472, 0.012), (0.575, 0.13), (0.785, 0.2))
        )
        shown = np.maximum(found.timeline.T, 1e-3)
        low, high = np.percentile(shown, [2, 99.5])
        image = time.imshow(
            shown, aspect="auto", interpolation="nearest", cmap="viridis",
            norm=LogNorm(max(low, high / 1e3), max(high, 2e-3)), extent=(0, row.facts.minutes, 32, 0),
        )  # fmt: skip
        plain = FuncFormatter(lambda value, _: f"{value:g}")
        ticks = LogLocator(subs=(1.0, 2.0, 5.0))
        figure.colorbar(image, cax=bar, label="RMS (\u00b5V)", format=plain, ticks=ticks).minorticks_off()
        time.axhline(16, color="white", lw=1.2)
        time.set_yticks([0.5, 7.5, 16.5, 23.5, 31.5], ["left 1", "8", "right 1", "8", "16"])
        time.set_xlabel("minutes")
        level.barh(np.arange(32) + 0.5, found.rms, height=0.75, color=[LEFT] * 16 + [RIGHT] * 16)
        level.set_ylim(32, 0)
        level.set_yticks([])
        level.set_xlabel("RMS (\u00b5V)")
        hertz = np.arange(1, 601)
        for band, (name, colour) in enumerate((("left", LEFT), ("right", RIGHT))):
            power = np.maximum(found.spectrum[1:601, band], 1e-12)
            spectrum.plot(hertz, 10 * np.log10(power / power.max()), color=colour, lw=1.0, label=name)
        spectrum.set_ylim(max(-60.0, spectrum.get_ylim()[0]), 3.0)
        spectrum.set_xlabel("Hz")
        spectrum.set_ylabel("power (dB of the highest)")
        spectrum.legend(frameon=False, loc="lower left")
    return figure
