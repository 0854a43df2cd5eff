"""The kinds of stress, each with its levels, what they are measured in, and which of them a band allows."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.data.band import Band
from semgjax.errors import InputError
from semgjax.evaluate.stress.added import add_hum, add_noise, kept_harmonics
from semgjax.evaluate.stress.rings import drift, lose, thin, turn
from semgjax.evaluate.stress.sampling import PACKET, drop, slow, support

Change = Callable[[np.ndarray, Band, float, np.random.Generator], np.ndarray]
"""(emg [T, C], band, level, generator) -> emg [T, C]"""


@dataclass(frozen=True)
class Kind:
    """One way in which a signal gets worse.

    Attributes:
        name: as in `--stress-kinds`.
        about: what happens, in words.
        axis: what a level is, with its unit.
        levels: the default ones, all worse than `clean`.
        clean: the level that changes nothing.
        least, most: the levels that mean something, both included; `clean` is allowed besides.
        change: the change itself.
        whole: whether levels are whole numbers.
        misfit: why a band cannot take a level ("" if it can).
        note: what is left out on a band, in words; "" for nothing.
        needs: samples that a session must have at a level.
        shown: a level in words.
    """

    name: str
    about: str
    axis: str
    levels: tuple[float, ...]
    clean: float
    least: float
    most: float
    change: Change
    whole: bool = False
    misfit: Callable[[Band, float], str] = lambda band, level: ""
    note: Callable[[Band], str] = lambda band: ""
    needs: Callable[[float], int] = lambda level: 1
    shown: Callable[[Band, float], str] = lambda band, level: f"{level:g}"

    def in_order(self, levels: Sequence[float]) -> list[float]:
        """Levels with the clean one in its place, from the best, or of turns from the lowest."""
        return sorted({*levels, self.clean}, reverse=self.clean == math.inf)


def _hum_misfit(mains: float) -> Callable[[Band, float], str]:
    def misfit(band: Band, level: float) -> str:
        return "" if kept_harmonics(mains, band.rate) else f"{mains:g} Hz is not below half of {band.rate:g} Hz"

    return misfit


def _hum_note(mains: float) -> Callable[[Band], str]:
    def note(band: Band) -> str:
        kept = kept_harmonics(mains, band.rate)
        return f"of {mains:g} Hz only harmonics 1 to {kept[-1]} lie below half the rate" if 0 < len(kept) < 5 else ""

    return note


def _hum(mains: float) -> Kind:
    return Kind(
        f"hum-{mains:g}",
        f"mains hum of {mains:g} Hz and harmonics (k-th: 1 / k) is added to every electrode",
        "amplitude (signal deviations)",
        (0.1, 0.3, 1.0, 3.0),
        0.0,
        0.0,
        100.0,
        lambda emg, band, level, rng: add_hum(emg, level, mains, band.rate, rng),
        misfit=_hum_misfit(mains),
        note=_hum_note(mains),
    )


def _lost(name: str, hold: bool, filled: str) -> Kind:
    return Kind(
        name,
        f"packets of {1000 * PACKET:g} ms (at least a sample) are lost, all electrodes at once; {filled}",
        "packets lost (share)",
        (0.01, 0.03, 0.1, 0.3),
        0.0,
        0.0,
        1.0,
        lambda emg, band, level, rng: drop(emg, level, band.rate, hold, rng),
    )


def _lose_misfit(band: Band, level: float) -> str:
    return "" if level < band.channels else f"the band has {band.channels} electrodes"


def _turn_misfit(band: Band, level: float) -> str:
    smallest = min(band.rings)
    return "" if abs(level) <= smallest / 2 else f"more than half a turn of a ring of {smallest} electrodes"


def _thin_misfit(band: Band, level: float) -> str:
    smallest = min(band.rings)
    return "" if -(-smallest // int(level)) >= 2 else f"leaves one electrode of a ring of {smallest}"


KINDS: tuple[Kind, ...] = (
    Kind(
        "noise",
        "white noise is added, at this ratio on every electrode",
        "signal-to-noise ratio (dB)",
        (30.0, 20.0, 10.0, 5.0, 0.0),
        math.inf,
        -60.0,
        120.0,
        lambda emg, band, level, rng: add_noise(emg, level, rng),
    ),
    _hum(50.0),
    _hum(60.0),
    Kind(
        "lost-electrodes",
        "this many electrodes, the same for the whole session, are zero",
        "silent (electrodes)",
        (1.0, 2.0, 4.0, 8.0),
        0.0,
        0.0,
        10_000.0,
        lambda emg, band, level, rng: lose(emg, int(level), rng),
        whole=True,
        misfit=_lose_misfit,
    ),
    Kind(
        "turn",
        "every ring is rolled by this many electrodes, the same way",
        "turn (electrodes)",
        (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0),
        0.0,
        -10_000.0,
        10_000.0,
        lambda emg, band, level, rng: turn(emg, level, band.rings),
        misfit=_turn_misfit,
    ),
    Kind(
        "drift",
        "each electrode's gain drifts evenly in dB from none at the start to this at the end, up or down by chance",
        "drift over the session (dB)",
        (3.0, 6.0, 12.0, 20.0),
        0.0,
        0.0,
        120.0,
        lambda emg, band, level, rng: drift(emg, level, rng),
    ),
    _lost("lost-held", True, "the last sample is repeated"),
    _lost("lost-zero", False, "zeros stand in their place"),
    Kind(
        "rate",
        "sampled at this part of the rate behind an anti-alias filter, and brought back up for the decoder",
        "sample rate (Hz)",
        (2.0, 4.0, 8.0),
        1.0,
        2.0,
        1000.0,
        lambda emg, band, level, rng: slow(emg, int(level)),
        whole=True,
        needs=lambda level: support(int(level)),
        shown=lambda band, level: f"{band.rate / level:g} Hz",
    ),
    Kind(
        "fewer-electrodes",
        "of every ring kept (each n-th electrode); the others are interpolated round the ring",
        "kept (each n-th electrode)",
        (2.0, 4.0),
        1.0,
        2.0,
        1000.0,
        lambda emg, band, level, rng: thin(emg, int(level), band.rings),
        whole=True,
        misfit=_thin_misfit,
    ),
)
NAMES: tuple[str, ...] = tuple(kind.name for kind in KINDS)


def kind_named(name: str) -> Kind:
    """The kind of this name.

    Raises:
        InputError: there is none ("unknown-name").
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise InputError(f"stress {name!r} is unknown; choose of {', '.join(NAMES)}", "unknown-name")
