"""Measure a session's signal and clock in one pass over its samples, in blocks.

Memory is a block of samples and tables of fixed size, whatever the session's length.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from semgjax.data.band import Band
from semgjax.data.quality.event_meter import Activity, EventMeter
from semgjax.data.readers.timeseries import both_bands, hdf5_errors, opened_group, signal_of
from semgjax.data.sessions import Session, read_emg

SHORT, LEAST = 0.05, 100  # seconds over which power is taken, but at least so many samples: fewer are too noisy
COLUMNS = 240  # of the picture of power over time
GAP, JUMP = 0.02, 1.0  # seconds between samples above which a step of time is a gap, a jump
STUCK = 40  # ties in a row at which the clock is taken to stand still; such runs do not count for the rate
MAINS = (50, 60)
SLOW = 10  # Hz: below it is drift, no muscle
_READ = 80_000  # samples read at once, about: of 32 electrodes 11.5 MB as records
_LOW, _HIGH, _BINS = -16.0, 12.0, 1400  # decades of power, and how finely they are resolved (5 %)


@dataclass(frozen=True, eq=False)
class Measures:
    """Measurements of a session's samples. Arrays over electrodes are in the order of the channels, ring by ring.

    Attributes:
        rate: samples a second where the clock ran: without gaps, jumps and runs of STUCK ties; 0 when no
            time passes, None when the times are not known.
        gaps, gap_seconds: steps of time from GAP up to JUMP, and their sum.
        jumps, jump_seconds: steps from JUMP on, and their sum.
        ties: samples stamped like the one before; longest_tie: most of them in a row.
        digest: SHA-256 of the float32 samples of all electrodes.
        rms: of the whole session.
        low, high, top: 5th, 95th and 99th percentile of the RMS over a short time (`short_of`: 50 ms at 2 kHz).
        peaks: int64[C, bins], how often such a time had a peak of which size (`peak_edges`).
        clipped: samples at the electrode's largest magnitude.
        still: samples in such times without any change on the electrode.
        hum: share of the power in a line at each of MAINS, [2, C]; 0 where the rate is too low to tell.
        line: how far the line stands out: mean over the seconds of the logarithm of its power over that of the
            frequencies beside it, [2, C]; below 0 where it was filtered out, 0 where the rate is too low to tell.
        slow: share of the power below 10 Hz, the mean included, [C].
        covariance: of each ring the covariance [E, E] of its E electrodes' log power over such times.
        timeline: float32[columns, C], RMS over time.
        spectrum: float32[1001, rings] at 2 kHz, power in each Hz, mean over a ring's electrodes.
        activity: power in and before each event; None for keys, and where no event has a known end.
        band: the rings, the rate and the classes.
    """

    samples: int
    rate: float | None
    gaps: int
    gap_seconds: float
    jumps: int
    jump_seconds: float
    ties: int
    longest_tie: int
    digest: str
    rms: np.ndarray
    low: np.ndarray
    high: np.ndarray
    top: np.ndarray
    peaks: np.ndarray
    clipped: np.ndarray
    still: np.ndarray
    hum: np.ndarray
    line: np.ndarray
    slow: np.ndarray
    covariance: tuple[np.ndarray, ...]
    timeline: np.ndarray
    spectrum: np.ndarray
    activity: Activity | None
    band: Band

    @property
    def ring_of(self) -> np.ndarray:
        """The ring of each electrode, int[C]."""
        return np.repeat(np.arange(len(self.band.rings)), self.band.rings)


def measure(session: Session) -> Measures:
    """Measure a session opened by `open_session`. Shards have no time stamps, so their clock is not measured.

    Raises:
        InputError: it was changed since.
    """
    clock, meter = _Clock(), _Meter(session.samples, session.band)
    step = max(_READ // meter.rate, 1) * meter.rate
    if session.stored is not None:
        ends = session.key_end if session.classes is not None else None
        events = EventMeter(session) if ends is not None and (ends >= 0).any() else None
        for start in range(0, session.samples, step):
            emg_TxC = read_emg(session, start, min(start + step, session.samples))
            meter.add(emg_TxC)
            if events is not None:
                events.add(emg_TxC)
        activity = None if events is None else events.result()
        return Measures(
            samples=session.samples, band=session.band, activity=activity, **clock.unknown(), **meter.result()
        )
    with opened_group(session.path) as (group, _):
        signal = signal_of(session.path, group)
        for start in range(0, session.samples, step):
            with hdf5_errors(session.path, f"signal after sample {start}"):
                block = signal[start : start + step]
            clock.add(block["time"])
            meter.add(both_bands(block))
    counted = clock.result(session.samples)
    return Measures(samples=session.samples, band=session.band, activity=None, **counted, **meter.result())


def rate_of_clock(session: Session, most: int) -> float:
    """Samples a second by the times of the first `most` samples of an HDF5 session; 0 when no time passes."""
    with opened_group(session.path) as (group, _), hdf5_errors(session.path, "time"):
        times = signal_of(session.path, group).fields("time")[:most]
    clock = _Clock()
    clock.add(times)
    return float(clock.result(len(times))["rate"])


def short_of(rate: float) -> int:
    """Samples of a short time, over which power is taken: a divisor of a second's, 100 at 2 kHz and 200 Hz."""
    second = max(1, round(rate))
    least = min(second, max(LEAST, round(SHORT * second)))
    return next(length for length in range(least, second + 1) if second % length == 0)


def peak_edges() -> np.ndarray:
    """Upper edge of each bin of `peaks`, in the signal's unit: float64[bins]."""
    return 10.0 ** (0.5 * (_LOW + (_HIGH - _LOW) * np.arange(1, _BINS + 1) / _BINS))


class _Clock:
    """Steps of time, block by block."""

    def __init__(self) -> None:
        self.first = self.latest = np.nan
        self.gaps, self.jumps = (0, 0.0), (0, 0.0)
        self.ties = self.longest = self.run = self.stuck = 0

    def add(self, time: np.ndarray) -> None:
        time = time.astype(np.float64)
        if np.isnan(self.first):
            self.first = time[0]
            steps = np.diff(time)
        else:
            steps = np.diff(time, prepend=self.latest)
        self.latest = time[-1]
        gap, jump = (steps >= GAP) & (steps < JUMP), steps >= JUMP
        self.gaps = (self.gaps[0] + int(gap.sum()), self.gaps[1] + float(steps[gap].sum()))
        self.jumps = (self.jumps[0] + int(jump.sum()), self.jumps[1] + float(steps[jump].sum()))
        self.ties += int((steps == 0).sum())
        moves = np.flatnonzero(steps)  # runs of ties lie between them
        runs = np.diff(moves, prepend=-1 - self.run, append=len(steps)) - 1
        self.longest = max(self.longest, int(runs.max()))
        self.run = int(runs[-1])
        ended = runs[:-1]
        self.stuck += int(ended[ended >= STUCK].sum())

    def unknown(self) -> dict:
        return {**self.result(1), "rate": None}

    def result(self, samples: int) -> dict:
        seconds = self.latest - self.first - self.gaps[1] - self.jumps[1]
        stuck = self.stuck + (self.run if self.run >= STUCK else 0)
        steps = samples - 1 - self.gaps[0] - self.jumps[0] - stuck
        return {
            "rate": float(steps / seconds) if seconds > 0 else 0.0,
            "gaps": self.gaps[0],
            "gap_seconds": self.gaps[1],
            "jumps": self.jumps[0],
            "jump_seconds": self.jumps[1],
            "ties": self.ties,
            "longest_tie": self.longest,
        }


class _Meter:
    """Sums over the samples, block by block; every block but the last is whole seconds."""

    def __init__(self, samples: int, band: Band) -> None:
        channels = band.channels
        self.samples, self.band = samples, band
        self.rate, self.short = max(1, round(band.rate)), short_of(band.rate)
        self.window = np.hanning(self.rate + 1)[:-1].astype(np.float32)
        self.shorts = samples // self.short
        self.columns = max(1, min(COLUMNS, self.shorts))
        self.digest = hashlib.sha256()
        self.square = np.zeros(channels)
        self.powers = np.zeros((channels, _BINS), np.int64)
        self.peaks = np.zeros((channels, _BINS), np.int64)
        self.largest = np.zeros(channels, np.float32)
        self.clipped = np.zeros(channels, np.int64)
        self.still = np.zeros(channels, np.int64)
        self.first, self.second = np.zeros(channels), np.zeros((channels, channels))
        self.column_power, self.column_count = np.zeros((self.columns, channels)), np.zeros(self.columns)
        self.lines = np.zeros((self.rate // 2 + 1, channels))
        self.line = np.zeros((len(MAINS), channels))
        self.seconds = 0
        self.done = 0  # short times so far

    def add(self, emg_TxC: np.ndarray) -> None:
        self.digest.update(np.ascontiguousarray(emg_TxC, "<f4").tobytes())
        self.square += np.einsum("tc,tc->c", emg_TxC, emg_TxC, dtype=np.float64)
        size = np.abs(emg_TxC)
        largest = np.maximum(self.largest, size.max(axis=0))
        self.clipped[largest > self.largest] = 0
        self.largest = largest
        self.clipped += (size == largest).sum(axis=0)
        pieces, channels = len(emg_TxC) // self.short, self.band.channels
        if pieces:
            self._add_pieces(emg_TxC[: pieces * self.short].reshape(pieces, self.short, channels))
        seconds = len(emg_TxC) // self.rate
        if seconds:
            whole = emg_TxC[: seconds * self.rate].reshape(seconds, self.rate, channels)
            for second in whole:  # one at a time: the transform of a block would be the largest thing in memory
                power_FxC = np.abs(np.fft.rfft(second * self.window[:, None], axis=0)) ** 2
                self.lines += power_FxC
                self.line += [_prominence(power_FxC, mains) for mains in MAINS]
            self.seconds += seconds

    def _add_pieces(self, emg_PxTxC: np.ndarray) -> None:
        power = np.einsum("ptc,ptc->pc", emg_PxTxC, emg_PxTxC, dtype=np.float64) / self.short
        highest, lowest = emg_PxTxC.max(axis=1), emg_PxTxC.min(axis=1)
        _count(self.powers, power)
        _count(self.peaks, np.maximum(np.abs(highest), np.abs(lowest)).astype(np.float64) ** 2)
        self.still += self.short * (highest == lowest).sum(axis=0)
        log = np.log(np.maximum(power, 10.0**_LOW))
        self.first += log.sum(axis=0)
        self.second += log.T @ log
        column = (self.done + np.arange(len(power))) * self.columns // self.shorts
        np.add.at(self.column_power, column, power)
        np.add.at(self.column_count, column, 1)
        self.done += len(power)

    def result(self) -> dict:
        count = max(self.done, 1)
        mean = self.first / count
        covariance = self.second / count - np.outer(mean, mean)
        edges = np.cumsum(self.band.rings)[:-1]
        rings = np.split(np.arange(self.band.channels), edges)
        low, high, top = (_quantile(self.powers, share) for share in (0.05, 0.95, 0.99))
        total = np.maximum(self.lines.sum(axis=0), 1e-30)
        spectrum = [ring.mean(axis=1) for ring in np.split(self.lines, edges, axis=1)]
        slow = self.lines[:SLOW].sum(axis=0)
        return {
            "digest": self.digest.hexdigest(),
            "rms": np.sqrt(self.square / self.samples),
            "low": low,
            "high": high,
            "top": top,
            "peaks": self.peaks,
            "clipped": self.clipped,
            "still": self.still,
            "hum": np.stack([_line(self.lines, mains) for mains in MAINS]) / total,
            "line": self.line / max(self.seconds, 1),
            "slow": slow / total,
            "covariance": tuple(covariance[np.ix_(ring, ring)] for ring in rings),
            "timeline": np.sqrt(self.column_power / np.maximum(self.column_count, 1)[:, None]).astype(np.float32),
            "spectrum": np.stack(spectrum, axis=1).astype(np.float32),
        }


def _count(table: np.ndarray, power_PxC: np.ndarray) -> None:
    """Add powers to a table [C, bins] of how often each was met."""
    place = (np.log10(np.maximum(power_PxC, 10.0**_LOW)) - _LOW) / (_HIGH - _LOW) * _BINS
    index = np.minimum(place.astype(np.int64), _BINS - 1) + np.arange(len(table)) * _BINS
    table += np.bincount(index.ravel(), minlength=table.size).reshape(table.shape)


def _quantile(table: np.ndarray, share: float) -> np.ndarray:
    """RMS below which a share of the pieces lies, per electrode; 0 without any."""
    total = table.sum(axis=1)
    place = (np.cumsum(table, axis=1) >= np.maximum(share * total, 1)[:, None]).argmax(axis=1)
    return np.where(total > 0, peak_edges()[place], 0.0)


def _line(power_FxC: np.ndarray, hertz: int) -> np.ndarray:
    """Power of a line over what its neighbourhood has, per electrode; 0 where the rate is too low to tell."""
    power_C, beside_C = _beside(power_FxC, hertz)
    return np.maximum(power_C - beside_C, 0.0)


def _prominence(power_FxC: np.ndarray, hertz: int) -> np.ndarray:
    """Logarithm of the power of a line over that beside it; 0 without any, and where the rate is too low to tell."""
    power_C, beside_C = _beside(power_FxC, hertz)
    least = 1e-12 * max(float(power_FxC.max()), 1e-30)
    return np.log(np.maximum(power_C, least)) - np.log(np.maximum(beside_C, least))


def _beside(power_FxC: np.ndarray, hertz: int) -> tuple[np.ndarray, np.ndarray]:
    """Power of the 3 Hz of a line, and of as many beside it, per electrode; zeros where the rate is too low to tell."""
    if hertz + 9 > len(power_FxC):
        return np.zeros(power_FxC.shape[1]), np.zeros(power_FxC.shape[1])
    beside = np.concatenate([power_FxC[hertz - 8 : hertz - 2], power_FxC[hertz + 3 : hertz + 9]])
    return power_FxC[hertz - 1 : hertz + 2].sum(axis=0), 3 * np.median(beside, axis=0)
