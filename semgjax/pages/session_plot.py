"""Plot a stretch of a session to a PNG file: signal with keys, spectrograms, and the RMS of each electrode.

Works with session files and shards.
"""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from semgjax.data.sessions import CHANNELS, SAMPLE_RATE, Session, read_emg
from semgjax.errors import InputError
from semgjax.files import write_atomic
from semgjax.pages.figure_bytes import png_bytes
from semgjax.pages.stretch import choose_stretch, draw_bands, keys_in
from semgjax.pages.style import DOUBLE, NUMBERS, POINTS, Picture, drawn_at, settings, wrapped

LONGEST = 60.0
_FFT, _HOP = 256, 64  # samples: 7.8 Hz and 32 ms
_TOP = 500.0  # Hz shown
_BESIDE = 150.0  # mm: a wider figure has the wrists beside the signal, a narrower one below it


def stretch(session: Session, at: float | None, seconds: float) -> tuple[int, int]:
    """Samples [start, stop): from `at` seconds on, or where keys are (`choose_stretch`).

    Raises:
        InputError: outside the session, longer than LONGEST, or a session of another kind (data.readers.known).
    """
    if (session.channels, session.rate) != (CHANNELS, SAMPLE_RATE) or session.classes is not None:
        raise InputError(
            f"{session.path}: is not a typing session of two bands at {SAMPLE_RATE} Hz; only these can be shown",
            "conflict",
        )
    if not _FFT / SAMPLE_RATE <= seconds <= LONGEST:
        raise InputError(f"seconds {seconds:g}: give {_FFT / SAMPLE_RATE:g} to {LONGEST:g}", "bad-value")
    if session.samples < _FFT:
        raise InputError(f"{session.path}: {session.samples} samples, a figure needs {_FFT}", "bad-value")
    if at is None:
        return choose_stretch(session, seconds)
    length, start = session.samples / SAMPLE_RATE, round(at * SAMPLE_RATE) if np.isfinite(at) else -1
    if start < 0 or start + _FFT > session.samples:
        raise InputError(f"at {at:g}: the session is {length:.2f} s long; give a time within it", "bad-value")
    return start, min(start + round(seconds * SAMPLE_RATE), session.samples)


def write_picture(session: Session, start: int, stop: int, out: Path) -> None:
    """Write the figure atomically; the same session and samples give the same bytes."""
    write_atomic(out, png_bytes(stretch_figure(session, start, stop)))


def stretch_figure(session: Session, start: int, stop: int, width: float = DOUBLE) -> Picture:
    """Samples [start, stop) of both bands. width: of the figure in print, mm.

    Raises:
        InputError: the signal can no longer be read.
    """
    emg_TxC = read_emg(session, start, stop)
    presses = keys_in(session, start, stop)
    seconds = len(emg_TxC) / SAMPLE_RATE
    beside = width >= _BESIDE
    with settings():
        size = drawn_at(width) / 25.4, (155.0 if beside else 215.0) / 25.4
        figure = Picture(figsize=size, dpi=200, layout="constrained")
        if beside:
            grid = figure.add_gridspec(4, 2, width_ratios=[3.6, 1.5], height_ratios=[3, 1.25, 3, 1.25])
            cells, rings = [grid[row, 0] for row in range(4)], [grid[0:2, 1], grid[2:4, 1]]
        else:
            grid = figure.add_gridspec(5, 2, height_ratios=[3, 1.25, 3, 1.25, 2.6])
            cells, rings = [grid[row, :] for row in range(4)], [grid[4, 0], grid[4, 1]]
        first = figure.add_subplot(cells[0])
        axes = [first, *(figure.add_subplot(cell, sharex=first) for cell in cells[1:])]
        draw_bands([axes[0], axes[2]], emg_TxC, presses, (0.66 * width if beside else width) - 36.0)
        bands = np.split(emg_TxC, 2, axis=1)
        power = [_spectrogram(band) for band in bands]
        top = 10 * np.log10(max(float(np.percentile(power, 99.8)), 1e-12))
        for place, band in zip((axes[1], axes[3]), power, strict=True):
            image = place.imshow(
                10 * np.log10(np.maximum(band, 1e-12)), origin="lower", aspect="auto", cmap="magma", vmin=top - 40,
                vmax=top, extent=(0, seconds, 0, _TOP), interpolation="nearest",
            )  # fmt: skip
            for at, _ in presses:
                place.axvline(at, color="white", lw=0.5, alpha=0.6)
            place.set_ylabel("frequency\n(Hz)")
            place.set_yticks([0, 200, 400])
            figure.colorbar(image, ax=place, pad=0.01, aspect=9, label="power\n(dB)", ticks=MaxNLocator(3))
        axes[0].set_xlim(0, seconds)
        axes[3].set_xlabel(f"time after {start / SAMPLE_RATE:g} s (s)")
        for place in axes[:3]:
            place.tick_params(labelbottom=False)
        _rings(figure, rings, bands)
        dropped = f", {sum(session.dropped.values())} keys dropped" if session.dropped else ""
        words = (
            f"{session.name}, user {session.user}: {seconds:g} s, {len(presses)} keys"
            f" (session: {len(session.labels)} keys{dropped})"
        )
        figure.suptitle(wrapped(words, width - 6.0), x=0.01, ha="left")
    figure.caption = (
        f"Surface EMG of 2 x 16 electrodes over {seconds:g} s with n = {len(presses)} keys, which stand above; power "
        f"of each band by short-time Fourier transform of {_FFT / SAMPLE_RATE * 1000:.0f} ms; root mean square (RMS) "
        "of each electrode."
    )
    return figure


def _spectrogram(band_TxC: np.ndarray) -> np.ndarray:
    """Mean power over the electrodes, in the signal's unit squared: [frequencies, times]."""
    pieces = np.lib.stride_tricks.sliding_window_view(band_TxC, _FFT, axis=0)[::_HOP]
    window = np.hanning(_FFT + 1)[:-1].astype(np.float32)
    keep = int(_TOP / SAMPLE_RATE * _FFT)
    power = np.zeros((keep, len(pieces)))
    for electrode in range(band_TxC.shape[1]):
        lines = np.fft.rfft(pieces[:, electrode] * window, axis=1)[:, :keep]
        power += (np.abs(lines) ** 2).T
    return power / band_TxC.shape[1] / float(np.sum(window)) ** 2


def _rings(figure: Picture, places: list, bands: list[np.ndarray]) -> None:
    """The RMS around each wrist, on one scale of colour and length."""
    levels = [np.sqrt(np.mean(np.square(band, dtype=np.float64), axis=0)) for band in bands]
    top = max(float(np.max(levels)), 1e-9)
    drawn = []
    for place, name, level in zip(places, ("left wrist", "right wrist"), levels, strict=True):
        axes = figure.add_subplot(place, projection="polar")
        _ring(axes, level, top)
        axes.set_title(f"{name}\n{level.min():.3g} to {level.max():.3g} \u00b5V", fontsize=POINTS, pad=10)
        drawn.append(axes)
    shades = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0.0, top), NUMBERS)
    figure.colorbar(
        shades, ax=drawn, orientation="horizontal", label="RMS of an electrode (\u00b5V)", aspect=18, pad=0.04,
        ticks=MaxNLocator(4),
    )  # fmt: skip


def _ring(axes: Axes, level: np.ndarray, top: float) -> None:
    angles = 2 * np.pi * np.arange(16) / 16
    colours = matplotlib.colormaps[NUMBERS](level / top)
    axes.bar(angles, level / top, width=2 * np.pi / 17, bottom=0.45, color=colours)
    axes.plot(np.linspace(0, 2 * np.pi, 200), np.full(200, 0.45), color="0.35", lw=1.0)
    axes.set_theta_zero_location("N")  # type: ignore[attr-defined]
    axes.set_theta_direction(-1)  # type: ignore[attr-defined]
    axes.set_ylim(0, 1.5)
    axes.set_xticks(angles, [str(number) for number in range(1, 17)])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["polar"].set_visible(False)
    axes.tick_params(pad=-2)
