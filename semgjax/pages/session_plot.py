"""Plot a stretch of a session to a PNG file: signal with keys, spectrograms, and the RMS of each electrode.

Works with session files and shards.
"""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from semgjax.data.band import Band, names_of_rings
from semgjax.data.sessions import Session, read_emg
from semgjax.errors import InputError
from semgjax.files import write_atomic
from semgjax.pages.figure_bytes import png_bytes
from semgjax.pages.stretch import choose_stretch, draw_bands, keys_in
from semgjax.pages.style import DOUBLE, NUMBERS, POINTS, Picture, drawn_at, settings, wrapped

LONGEST = 60.0
_FFT, _LEAST, _HOPS = 0.128, 32, 4  # seconds, but so many samples at least; steps in them
_TOP = 500.0  # Hz shown
_BESIDE = 150.0  # mm: a wider figure has the wrists beside the signal, a narrower one below it


def stretch(session: Session, at: float | None, seconds: float) -> tuple[int, int]:
    """Samples [start, stop): from `at` seconds on, or where keys are (`choose_stretch`).

    Raises:
        InputError: outside the session, shorter than one spectrum or longer than LONGEST.
    """
    rate, least = session.rate, _window(session.rate)
    if not least / rate <= seconds <= LONGEST:
        raise InputError(f"seconds {seconds:g}: give {least / rate:g} to {LONGEST:g}", "bad-value")
    if session.samples < least:
        raise InputError(f"{session.path}: {session.samples} samples, a figure needs {least}", "bad-value")
    if at is None:
        return choose_stretch(session, seconds)
    length, start = session.samples / rate, round(at * rate) if np.isfinite(at) else -1
    if start < 0 or start + least > session.samples:
        raise InputError(f"at {at:g}: the session is {length:.2f} s long; give a time within it", "bad-value")
    return start, min(start + round(seconds * rate), session.samples)


def _window(rate: float) -> int:
    """Samples of one spectrum: 128 ms, 7.8 Hz apart."""
    return max(_LEAST, round(_FFT * rate))


def write_picture(session: Session, start: int, stop: int, out: Path) -> None:
    """Write the figure atomically; the same session and samples give the same bytes."""
    write_atomic(out, png_bytes(stretch_figure(session, start, stop)))


def stretch_figure(session: Session, start: int, stop: int, width: float = DOUBLE) -> Picture:
    """Samples [start, stop) of all rings. width: of the figure in print, mm.

    Raises:
        InputError: the signal can no longer be read.
    """
    emg_TxC = read_emg(session, start, stop)
    presses = keys_in(session, start, stop)
    band, count = session.band, len(session.band.rings)
    seconds = len(emg_TxC) / band.rate
    beside = width >= _BESIDE
    with settings():
        size = drawn_at(width) / 25.4, ((20.0 if beside else 80.0) + 67.5 * count) / 25.4
        figure = Picture(figsize=size, dpi=200, layout="constrained")
        if beside:
            grid = figure.add_gridspec(2 * count, 2, width_ratios=[3.6, 1.5], height_ratios=[3, 1.25] * count)
            cells = [grid[row, 0] for row in range(2 * count)]
            rings = [grid[2 * ring : 2 * ring + 2, 1] for ring in range(count)]
        else:
            grid = figure.add_gridspec(2 * count + 1, count, height_ratios=[*([3, 1.25] * count), 2.6])
            cells = [grid[row, :] for row in range(2 * count)]
            rings = [grid[2 * count, ring] for ring in range(count)]
        first = figure.add_subplot(cells[0])
        axes = [first, *(figure.add_subplot(cell, sharex=first) for cell in cells[1:])]
        draw_bands(axes[::2], emg_TxC, presses, (0.66 * width if beside else width) - 36.0, band)
        bands = np.split(emg_TxC, np.cumsum(band.rings)[:-1], axis=1)
        power = [_spectrogram(ring, band.rate) for ring in bands]
        highest = min(_TOP, band.rate / 2)
        top = 10 * np.log10(max(float(np.percentile(power, 99.8)), 1e-12))
        for place, lines in zip(axes[1::2], power, strict=True):
            image = place.imshow(
                10 * np.log10(np.maximum(lines, 1e-12)), origin="lower", aspect="auto", cmap="magma", vmin=top - 40,
                vmax=top, extent=(0, seconds, 0, highest), interpolation="nearest",
            )  # fmt: skip
            for at, _ in presses:
                place.axvline(at, color="white", lw=0.5, alpha=0.6)
            place.set_ylabel("frequency\n(Hz)")
            place.set_yticks([0, 200, 400] if highest == _TOP else [0, round(highest / 2), round(highest)])
            figure.colorbar(image, ax=place, pad=0.01, aspect=9, label="power\n(dB)", ticks=MaxNLocator(3))
        axes[0].set_xlim(0, seconds)
        axes[-1].set_xlabel(f"time after {start / band.rate:g} s (s)")
        for place in axes[:-1]:
            place.tick_params(labelbottom=False)
        _rings(figure, rings, bands, band)
        what = "keys" if band.classes is None else "events"
        dropped = f", {sum(session.dropped.values())} {what} dropped" if session.dropped else ""
        words = (
            f"{session.name}, user {session.user}: {seconds:g} s, {len(presses)} {what}"
            f" (session: {len(session.labels)} {what}{dropped})"
        )
        figure.suptitle(wrapped(words, width - 6.0), x=0.01, ha="left")
    milliseconds = _window(band.rate) / band.rate * 1000
    figure.caption = (
        f"Surface EMG of {_sizes(band)} electrodes over {seconds:g} s with n = {len(presses)} {what}, which stand "
        f"above; power of each band by short-time Fourier transform of {milliseconds:.0f} ms; root mean square (RMS) "
        "of each electrode."
    )
    return figure


def _sizes(band: Band) -> str:
    """Such as "2 x 16", "8" or "8 + 4"."""
    if len(set(band.rings)) > 1 or len(band.rings) == 1:
        return " + ".join(map(str, band.rings))
    return f"{len(band.rings)} x {band.rings[0]}"


def _spectrogram(band_TxC: np.ndarray, rate: float) -> np.ndarray:
    """Mean power over the electrodes, in the signal's unit squared: [frequencies, times]."""
    length = _window(rate)
    pieces = np.lib.stride_tricks.sliding_window_view(band_TxC, length, axis=0)[:: length // _HOPS]
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    keep = int(min(_TOP, rate / 2) / rate * length)
    power = np.zeros((keep, len(pieces)))
    for electrode in range(band_TxC.shape[1]):
        lines = np.fft.rfft(pieces[:, electrode] * window, axis=1)[:, :keep]
        power += (np.abs(lines) ** 2).T
    return power / band_TxC.shape[1] / float(np.sum(window)) ** 2


def _rings(figure: Picture, places: list, bands: list[np.ndarray], kind: Band) -> None:
    """The RMS around each ring, on one scale of colour and length."""
    levels = [np.sqrt(np.mean(np.square(band, dtype=np.float64), axis=0)) for band in bands]
    top = max(float(np.max(levels)), 1e-9)
    drawn = []
    unit = " \u00b5V" if kind.classes is None else ""
    for place, name, level in zip(places, names_of_rings(kind), levels, strict=True):
        axes = figure.add_subplot(place, projection="polar")
        _ring(axes, level, top)
        axes.set_title(f"{name}\n{level.min():.3g} to {level.max():.3g}{unit}".strip(), fontsize=POINTS, pad=10)
        drawn.append(axes)
    shades = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0.0, top), NUMBERS)
    figure.colorbar(
        shades, ax=drawn, orientation="horizontal", label="RMS of an electrode" + (" (\u00b5V)" if unit else ""),
        aspect=18, pad=0.04, ticks=MaxNLocator(4),
    )  # fmt: skip


def _ring(axes: Axes, level: np.ndarray, top: float) -> None:
    count = len(level)
    angles = 2 * np.pi * np.arange(count) / count
    colours = matplotlib.colormaps[NUMBERS](level / top)
    axes.bar(angles, level / top, width=2 * np.pi / (count + 1), bottom=0.45, color=colours)
    axes.plot(np.linspace(0, 2 * np.pi, 200), np.full(200, 0.45), color="0.35", lw=1.0)
    axes.set_theta_zero_location("N")  # type: ignore[attr-defined]
    axes.set_theta_direction(-1)  # type: ignore[attr-defined]
    axes.set_ylim(0, 1.5)
    axes.set_xticks(angles, [str(number) for number in range(1, count + 1)])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["polar"].set_visible(False)
    axes.tick_params(pad=-2)
