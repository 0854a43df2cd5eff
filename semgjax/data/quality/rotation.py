"""Rotation of a band relative to the same user's other sessions, in electrodes.

A band that is put on with another electrode over the same muscle shows the same picture, turned round the ring:
which electrodes are loud, and which are loud together. The turn that fits best is found by trying all 16.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_ROUNDS = 4


@dataclass(frozen=True)
class Rotation:
    """Places by which electrode numbers are higher than in the user's other sessions, -7 to 8, per band.

    Attributes:
        fit: correlation with the other sessions at that turn, per band
        gain: how much better that is than without a turn, per band
    """

    places: tuple[int, int]
    fit: tuple[float, float]
    gain: tuple[float, float]


def rotations(profiles: Sequence[np.ndarray]) -> list[Rotation]:
    """The turns of a user's sessions against each other; the most frequent one counts as none.

    Args:
        profiles: of each session the covariance of log power, [2, 16, 16] (`Measures.covariance`).
    """
    bands = [_band([profile[band] for profile in profiles]) for band in range(2)]
    return [Rotation(*zip(left, right, strict=True)) for left, right in zip(*bands, strict=True)]


def _band(covariances: Sequence[np.ndarray]) -> list[tuple[int, float, float]]:
    pictures = np.stack([_picture(covariance) for covariance in covariances])
    turns = np.zeros(len(pictures), np.int64)
    for _ in range(_ROUNDS):
        before = turns.copy()
        for index in range(1, len(pictures)):  # the first one stays: all turns are against it
            others = [_turned(pictures[k], -turns[k]) for k in range(len(pictures)) if k != index]
            turns[index] = int(np.argmax(_fits(pictures[index], np.mean(others, axis=0))))
        if np.array_equal(turns, before):
            break
    counts = Counter(int(turn) for turn in turns)
    usual = max(counts, key=lambda turn: (counts[turn], -turn))
    turns = (turns - usual) % 16
    found = []
    for index, turn in enumerate(turns):
        others = [_turned(pictures[k], -turns[k]) for k in range(len(pictures)) if k != index]
        fits = _fits(pictures[index], np.mean(others, axis=0)) if others else np.ones(16)
        found.append((int((turn + 7) % 16 - 7), float(fits[turn]), float(fits[turn] - fits[0])))
    return found


def _picture(covariance_16x16: np.ndarray) -> np.ndarray:
    """Correlations off the diagonal, and the spread of each electrode in it, all of like weight."""
    spread = np.sqrt(np.maximum(np.diag(covariance_16x16), 1e-12))
    picture = covariance_16x16 / np.outer(spread, spread)
    off = ~np.eye(16, dtype=bool)
    picture = (picture - picture[off].mean()) / max(float(picture[off].std()), 1e-6)
    np.fill_diagonal(picture, (spread - spread.mean()) / max(float(spread.std()), 1e-6))
    return picture


def _turned(picture: np.ndarray, places: int) -> np.ndarray:
    return np.roll(picture, (places, places), axis=(0, 1))


def _fits(picture: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Correlation of a picture with a template turned by 0 to 15 places; 0 where either is blank."""
    one, other = picture - picture.mean(), template - template.mean()
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    return np.array([float((one * _turned(other, turn)).sum()) / max(scale, 1e-12) for turn in range(16)])
