"""Surface EMG of two wrists from key presses, made block by block in bounded memory."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.data.simulate.anatomy import ELECTRODES, HANDS, MUSCLES
from semgjax.data.simulate.person import Bracing, Person, Wearing
from semgjax.data.simulate.signal_settings import SIGNAL, SignalSettings
from semgjax.data.simulate.typist import Press

RATE = 2000  # samples per second
BLOCK = 20_000  # samples made at a time
TAPS = 255  # length of the noise filters
FFT_SIZE = 20_480  # at least BLOCK + TAPS - 1, and quick to transform
PIECE = 1_000  # samples mixed at a time: fits the cache, too small for the matrix library to use threads


@dataclass(frozen=True)
class Activation:
    """The muscle activation of one press, starting at sample `first`: shape float32[n] times mix float32[MUSCLES]."""

    hand: int
    first: int
    shape: np.ndarray
    mix: np.ndarray

    @property
    def last(self) -> int:
        """The first sample after the activation."""
        return self.first + len(self.shape)


def activation_shape(held: float, settings: SignalSettings = SIGNAL) -> np.ndarray:
    """Drive over time of a press held `held` seconds, from `rise` before the key: float32[samples], peak 1.

    A raised cosine of rise + fall seconds, then a plateau of `settings.held` that ebbs once the key is up.
    """
    bell = np.hanning(round((settings.rise + settings.fall) * RATE) + 2)[1:-1]
    peak = len(bell) // 2
    plateau = max(round((settings.rise + held) * RATE) - peak, 0)
    ebb = settings.held * (1.0 - np.arange(peak) / peak)
    tail = np.concatenate([np.full(plateau, settings.held), ebb])
    shape = np.concatenate([bell, np.zeros(max(peak + len(tail) - len(bell), 0))])
    shape[peak : peak + len(tail)] = np.maximum(shape[peak : peak + len(tail)], tail)
    return shape.astype(np.float32)


def activations(presses: Sequence[Press], person: Person, rng: np.random.Generator) -> list[Activation]:
    """The muscle drive behind every press, in order of their first samples."""
    settings, made = person.signal, []
    for press in presses:
        noise = settings.looseness * rng.standard_normal(MUSCLES) + settings.force * rng.standard_normal()
        lead = settings.rise + settings.lead_jitter * float(np.clip(rng.standard_normal(), -2.0, 2.0))
        mix = (person.drives[press.place] * np.exp(noise)).astype(np.float32)
        shape = activation_shape(press.end - press.start, settings)
        made.append(Activation(press.place.hand, round((press.start - lead) * RATE), shape, mix))
        if person.bracing is not None:
            made.append(_braced(press, lead + person.bracing.lead, person.bracing, float(mix.sum())))
    return sorted(made, key=lambda act: act.first)


def _braced(press: Press, lead: float, bracing: Bracing, effort: float) -> Activation:
    """The co-contraction that goes with a press, in proportion to its effort."""
    shape = np.hanning(round(bracing.length * RATE) + 2)[1:-1].astype(np.float32)
    mix = (effort * bracing.mix[press.place.hand]).astype(np.float32)
    return Activation(press.place.hand, round((press.start - lead) * RATE), shape, mix)


def _drive(acts: Iterable[Activation], begin: int, end: int, resting: np.ndarray) -> np.ndarray:
    """Summed drive of samples [begin, end), `acts` being sorted: float32[2, MUSCLES, end - begin]."""
    drive = np.repeat(resting[:, :, None], end - begin, axis=2)
    for act in acts:
        if act.first >= end:
            break
        first, last = max(act.first, begin), min(act.last, end)
        if first < last:
            shape = act.shape[first - act.first : last - act.first]
            drive[act.hand, :, first - begin : last - begin] += act.mix[:, None] * shape
    return drive


def noise_filters(edges: np.ndarray, high_pass: float) -> np.ndarray:
    """Impulse responses that turn white noise into band noise of the same RMS: float32[len(edges), TAPS].

    Second-order Butterworth magnitudes, high-pass at `high_pass` and low-pass at `edges` Hz, without phase.
    """
    frequency = np.fft.rfftfreq(4 * TAPS, 1 / RATE)
    low = 1 / np.sqrt(1 + (frequency / edges[:, None]) ** 4)
    high = frequency**2 / np.sqrt(high_pass**4 + frequency**4)
    response = np.roll(np.fft.irfft(low * high), TAPS // 2, axis=1)[:, :TAPS] * np.hanning(TAPS)
    return (response / np.linalg.norm(response, axis=1, keepdims=True)).astype(np.float32)


def noise_blocks(rng: np.random.Generator, filters: np.ndarray, samples: int) -> Iterator[np.ndarray]:
    """Band noise of unit RMS in blocks of BLOCK samples, seamless: float32[len(filters), n]."""
    spectrum = np.fft.rfft(filters, FFT_SIZE)
    before = rng.standard_normal((len(filters), TAPS - 1), dtype=np.float32)
    for begin in range(0, samples, BLOCK):
        fresh = rng.standard_normal((len(filters), min(BLOCK, samples - begin)), dtype=np.float32)
        white = np.concatenate([before, fresh], axis=1)
        before = white[:, -(TAPS - 1) :]
        # Overlap-save: the first TAPS - 1 outputs are wrapped round, the rest is the plain convolution.
        yield np.fft.irfft(np.fft.rfft(white, FFT_SIZE) * spectrum, FFT_SIZE)[:, TAPS - 1 : white.shape[1]]


def _artefacts(rng: np.random.Generator, samples: int, wearing: Wearing) -> list[tuple[int, int, np.ndarray]]:
    """Motion artefacts: (first sample, hand, float32[16, n]) sorted by time; swings on 1 to 3 neighbours."""
    count = rng.poisson(wearing.artefacts * samples / RATE / 60.0)
    made = []
    for first in np.sort(rng.integers(0, samples, count)):
        length = int(rng.integers(RATE // 20, RATE // 5))
        time = np.arange(length) / RATE
        swing = np.sin(2 * np.pi * rng.uniform(40.0, 70.0) * time) * np.exp(-time / (0.3 * length / RATE))
        where = np.zeros(ELECTRODES)
        centre = int(rng.integers(ELECTRODES))
        for step in range(int(rng.integers(1, 4))):
            where[(centre + step) % ELECTRODES] = rng.uniform(0.4, 1.0)
        wave = rng.uniform(*wearing.artefact_size) * where[:, None] * swing
        made.append((int(first), int(rng.integers(HANDS)), wave.astype(np.float32)))
    return made


def emg_blocks(
    presses: Sequence[Press], samples: int, person: Person, wearing: Wearing, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """The session's signal in blocks of at most BLOCK samples: float32[2 hands, 16, n] in microvolts."""
    settings = person.signal
    acts = activations(presses, person, rng)
    swings = _artefacts(rng, samples, wearing)
    muscles = noise_blocks(rng, noise_filters(person.anatomy.band.ravel(), settings.high_pass), samples)
    electrodes = noise_blocks(
        rng, noise_filters(np.full(HANDS * ELECTRODES, settings.noise_edge), settings.high_pass), samples
    )
    waiting = 0  # activations before this one are over
    for begin, source, noise in zip(range(0, samples, BLOCK), muscles, electrodes, strict=True):
        size = source.shape[1]
        end = begin + size
        while waiting < len(acts) and acts[waiting].last <= begin:
            waiting += 1
        drive = _drive(itertools.islice(acts, waiting, None), begin, end, person.resting)
        emg = wearing.noise * noise.reshape(HANDS, ELECTRODES, size)
        mixing = wearing.mixing(0.5 * (begin + end) / samples)
        source = source.reshape(HANDS, MUSCLES, size) * drive
        for piece in range(0, size, PIECE):
            span = slice(piece, piece + PIECE)
            emg[:, :, span] += mixing @ source[:, :, span]
        if wearing.hum.any():
            phase = 2 * np.pi * wearing.mains * np.arange(begin, end) / RATE
            emg += wearing.hum * (np.sin(phase) + 0.3 * np.sin(3 * phase)).astype(np.float32)
        for first, hand, swing in swings:
            low, high = max(first, begin), min(first + swing.shape[1], end)
            if low < high:
                emg[hand, :, low - begin : high - begin] += swing[:, low - first : high - first]
        yield emg


def time_blocks(
    start: float, samples: int, rng: np.random.Generator, settings: SignalSettings = SIGNAL
) -> Iterator[np.ndarray]:
    """Unix time of every sample in blocks like `emg_blocks`: float64[n], never decreasing, some ties."""
    latest = start
    for begin in range(0, samples, BLOCK):
        end = min(begin + BLOCK, samples)
        time = start + np.arange(begin, end) / RATE
        time += settings.clock_jitter * rng.standard_normal(end - begin)
        ties = 1 + np.flatnonzero(rng.random(end - begin - 1) < settings.tie_rate)
        time[ties] = time[ties - 1]
        time = np.maximum(np.maximum.accumulate(time), latest)
        latest = float(time[-1])
        yield time
