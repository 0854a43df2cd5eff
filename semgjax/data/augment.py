"""Random changes of a training window: which samples are read, and how the electrodes are turned."""

from dataclasses import dataclass

import numpy as np

from semgjax.errors import InputError


@dataclass(frozen=True)
class AugmentConfig:
    """Random changes of a training window; each is drawn from (seed, step, row)."""

    roll: int = 1
    """each band's electrodes are rotated by up to this many places"""
    lag: int = 120
    """the two bands move against each other by up to this many samples"""
    jitter: bool = True
    """the core starts anywhere up to a stride after its place on the grid"""

    def __post_init__(self) -> None:
        if self.roll < 0 or self.lag < 0:
            raise InputError(f"augment: roll {self.roll} and lag {self.lag} must not be negative")


NONE = AugmentConfig(roll=0, lag=0, jitter=False)


@dataclass(frozen=True)
class Draw:
    """One window's random numbers."""

    shift: int
    lag: int
    rolls: tuple[int, int]


def draw(config: AugmentConfig, room: int, rng: np.random.Generator) -> Draw:
    """The changes of one window.

    Args:
        room: samples by which the core's start may move to the right.
        rng: this window's own generator, so that the draw depends on nothing else.
    """
    shift = int(rng.integers(0, room)) if config.jitter and room > 0 else 0
    lag = int(rng.integers(-config.lag, config.lag + 1))
    left, right = (int(roll) for roll in rng.integers(-config.roll, config.roll + 1, size=2))
    return Draw(shift, lag, (left, right))


def roll_bands(emg_Tx32: np.ndarray, rolls: tuple[int, int]) -> np.ndarray:
    """Each band's ring of 16 electrodes rotated by its own number of places."""
    left, right = np.split(emg_Tx32, 2, axis=1)
    return np.concatenate([np.roll(left, rolls[0], axis=1), np.roll(right, rolls[1], axis=1)], axis=1)
