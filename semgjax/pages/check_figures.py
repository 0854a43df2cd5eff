"""The figures of a check: an overview of all sessions, and one session over time."""

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

from semgjax.data.quality.session_checks import SessionReport
from semgjax.data.quality.signalchecks import ring_name
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
HIGHEST = 600  # Hz of the spectrum
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
    typing = all(row.measures.band.classes is None for row in rows)
    rate = "Typing rate (keys/s)" if typing else "Events (1/s)"
    panels = (
        ("Length (min)", [row.facts.minutes for row in ordered]),
        (rate, [row.facts.keys_per_second for row in ordered]),
        (f"Median {_unit(typing)}", [float(np.median(row.measures.rms)) for row in ordered]),
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
    speed = "typing rate" if typing else "rate of events"
    figure.caption = (
        f"Every session's length, {speed} and median root mean square (RMS) amplitude: n = {len(rows)} sessions of "
        f"{len(set(users))} users."
    )
    return figure


def session_figure(row: SessionReport, width: float = DOUBLE) -> Picture:
    """RMS of every electrode over time, of every electrode as a whole, and the spectrum of each ring.

    width: of the figure in print, mm.
    """
    found = row.measures
    rings, electrodes, unit = found.band.rings, found.band.channels, _unit(found.band.classes is None)
    colours = [(LEFT, RIGHT)[ring % 2] for ring in range(len(rings))]
    edges = np.cumsum((0, *rings))
    beside = width >= _BESIDE
    with settings():
        figure = Picture(figsize=(drawn_at(width) / 25.4, (56.0 if beside else 104.0) / 25.4), dpi=125)
        time, bar, level, spectrum = (figure.add_axes(place) for place in (_WIDE if beside else _NARROW))
        shown = np.maximum(found.timeline.T, 1e-3)
        low, high = np.percentile(shown, [2, 99.5])
        least, most = max(low, high / 1e3), max(high, 2e-3)
        image = time.imshow(
            shown, aspect="auto", interpolation="nearest", cmap=NUMBERS,
            norm=LogNorm(least, most), extent=(0, row.facts.minutes, electrodes, 0),
        )  # fmt: skip
        plain = FuncFormatter(lambda value, _: f"{value:g}")
        decades = np.log10(most / least)
        ticks = LogLocator(subs=(1.0, 2.0, 5.0) if decades < 1.5 else (1.0,))
        figure.colorbar(image, cax=bar, label=unit, format=plain, ticks=ticks).minorticks_off()
        for edge in edges[1:-1]:
            time.axhline(edge, color="white", lw=1.2)
        time.set_yticks(*_ticks(rings))
        time.set_ylabel("electrode (number)", labelpad=2)
        time.xaxis.set_major_locator(MaxNLocator(5))
        time.set_xlabel("time (min)")
        bars = [colours[ring] for ring in found.ring_of]
        level.barh(np.arange(electrodes) + 0.5, found.rms, height=0.75, color=bars)
        level.set_ylim(electrodes, 0)
        level.set_yticks([])
        level.xaxis.set_major_locator(MaxNLocator(2))
        level.set_xlabel(unit)
        hertz = np.arange(1, min(HIGHEST, len(found.spectrum) - 1) + 1)
        for ring, colour in enumerate(colours):
            power = np.maximum(found.spectrum[hertz, ring], 1e-12)
            name = "electrodes" if len(rings) == 1 else ring_name(rings, ring)
            dash = "-" if ring % 2 == 0 else "--"
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


def _unit(typing: bool) -> str:
    """Amplitudes of typing are in microvolts; the unit of other sets is not known."""
    return "RMS (\u00b5V)" if typing else "RMS"


def _ticks(rings: Sequence[int]) -> tuple[list[float], list[str]]:
    """Places and names of some electrodes: the first and eighth of each ring, and the last of all."""
    places, names, low = [], [], 0
    for ring, size in enumerate(rings):
        places.append(low + 0.5)
        names.append("1" if len(rings) == 1 else f"{ring_name(rings, ring)} 1")
        if size >= 8:
            places.append(low + 7.5)
            names.append("8")
        low += size
    if rings[-1] > 8:
        places.append(low - 0.5)
        names.append(str(rings[-1]))
    return places, names
