"""What the simulator knows of one person, and of one time that the person puts the bands on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from semgjax.data.simulate.anatomy import Anatomy
from semgjax.data.simulate.signal_settings import Disturbance, SignalSettings
from semgjax.data.simulate.typist import Habits, Place
from semgjax.data.simulate.vocabulary import Vocabulary


@dataclass(frozen=True)
class Bracing:
    """Co-contraction: muscles that stiffen the wrist with every press.

    mix: float[2 hands, MUSCLES], drive per unit of the press's own drive; lead: seconds that it starts before the
    press's own activation; length: seconds it lasts.
    """

    mix: np.ndarray
    lead: float
    length: float


@dataclass(frozen=True)
class Wearing:
    """One session of both bands. Arrays are float32 and lead with (2 hands, 16 electrodes); microvolts.

    begin, end: [2, 16, MUSCLES], microvolts of each fully driven muscle as the session begins and ends;
    noise, hum: [2, 16, 1], RMS of electrode noise and amplitude of mains hum; mains: its frequency in Hz;
    artefacts: motion artefacts a minute; artefact_size: range of their peaks.
    """

    begin: np.ndarray
    end: np.ndarray
    noise: np.ndarray
    hum: np.ndarray
    mains: float
    artefacts: float
    artefact_size: tuple[float, float]

    def mixing(self, share: float) -> np.ndarray:
        """Gains when `share` of the session has passed: float32[2, 16, MUSCLES]."""
        return self.begin + np.float32(share) * (self.end - self.begin)


@dataclass(frozen=True)
class Person:
    """One person.

    Attributes:
        habits: how the person types.
        words: what the person is asked to type.
        anatomy: muscles under the bands.
        drives: key -> drive of the striking hand's muscles, float[MUSCLES].
        resting: drive of the muscles at rest, float32[2, MUSCLES].
        bracing: co-contraction with each press, None without.
        signal: times and variation of presses.
        wear: draws how both bands sit in a session.
    """

    habits: Habits
    words: Vocabulary
    anatomy: Anatomy
    drives: Mapping[Place, np.ndarray]
    resting: np.ndarray
    bracing: Bracing | None
    signal: SignalSettings
    wear: Callable[[Disturbance, np.random.Generator], Wearing]


def struck_places(habits: Habits) -> set[Place]:
    """Every place that is struck, shift included."""
    return {*habits.keys.values(), *habits.shift}
