"""Turned and mirrored bands, in electrodes, found by comparison with other sessions.

A band that is put on with another electrode over the same muscle shows the same picture, turned round the ring. The
picture is what electrodes do together (`turned_bands`, without labels: comparable between sessions of one user), or
what each class of events does to each electrode (`turned_patterns`: comparable between people). A band on the other
arm, or put on the other way round, shows it mirrored. All turns are tried, and the one that fits best is taken.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_ROUNDS = 10


@dataclass(frozen=True)
class Turn:
    """Where a session's ring sits against most of the others.

    Attributes:
        places: by which electrode numbers are higher than in the others: from -(E - 1) // 2 to E // 2 of E electrodes.
        fit: correlation with the other sessions at that turn.
        gain: how much better that is than unturned and unmirrored.
        mirrored: whether the electrodes are in the opposite order round the arm.
        mirror_gain: how much better that is than the best turn unmirrored.
    """

    places: int
    fit: float
    gain: float
    mirrored: bool = False
    mirror_gain: float = 0.0


@dataclass(frozen=True)
class Rotation:
    """Places, fit and gain (see `Turn`) of all rings of a session."""

    places: tuple[int, ...]
    fit: tuple[float, ...]
    gain: tuple[float, ...]


def rotations(profiles: Sequence[Sequence[np.ndarray]]) -> list[Rotation]:
    """The turns of a user's sessions against each other, ring by ring; the most frequent one counts as none.

    Args:
        profiles: of each session the covariances of log power (`Measures.covariance`), a matrix [E, E] a ring.
    """
    rings = [turned_bands([profile[ring] for profile in profiles]) for ring in range(len(profiles[0]))]
    return [
        Rotation(tuple(turn.places for turn in own), tuple(turn.fit for turn in own), tuple(turn.gain for turn in own))
        for own in zip(*rings, strict=True)
    ]


def turned_bands(covariances: Sequence[np.ndarray]) -> list[Turn]:
    """The turns of one ring by what its electrodes do together; a mirrored ring looks too much like an upright one.

    Args:
        covariances: of each session that of the log power of the E electrodes, [E, E].
    """
    size = len(covariances[0])
    moved = np.stack([[_turned(_picture(one), -turn).ravel() for turn in range(size)] for one in covariances])
    return _placed(moved[:, None])


def turned_patterns(patterns: Sequence[np.ndarray]) -> list[Turn]:
    """The turns of one ring, and whether it is mirrored, by what events of each class do to its electrodes.

    Args:
        patterns: of each session the mean log power of the events of each class, [classes, E]; NaN for classes without
            events. Means over classes, and over electrodes, do not matter.
    """
    size = patterns[0].shape[1]
    found = []
    for pattern in patterns:
        centred = pattern - np.nanmean(pattern, axis=0)
        plain = np.nan_to_num(centred - centred.mean(axis=1, keepdims=True))
        back = [np.roll(plain, -turn, axis=1) for turn in range(size)]
        found.append([[one.ravel() for one in back], [one[:, ::-1].ravel() for one in back]])
    return _placed(np.array(found))


def _placed(moved_NxMxTxD: np.ndarray) -> list[Turn]:
    """Where each of N sessions sits, from its picture moved back from M mirrorings and T turns."""
    centred = moved_NxMxTxD - moved_NxMxTxD.mean(axis=-1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=-1, keepdims=True)
    back = centred / np.maximum(lengths, 1e-12)
    count, mirrors, size = back.shape[:3]
    states = np.zeros((count, 2), np.int64)
    upright = back[:, 0, 0].copy()
    for _ in range(_ROUNDS):
        before, total = states.copy(), upright.sum(axis=0)
        for index in (*range(1, count), 0):  # of two, the second one is turned
            fits = back[index] @ (total - upright[index])
            states[index] = np.unravel_index(int(np.argmax(fits)), fits.shape)
            total += back[index][tuple(states[index])] - upright[index]
            upright[index] = back[index][tuple(states[index])]
        if np.array_equal(states, before):
            break
    counts = Counter((int(mirror), int(turn)) for mirror, turn in states)
    usual = max(counts, key=lambda state: (counts[state], -state[0], -state[1]))
    total, found = upright.sum(axis=0), []
    for index in range(count):
        others = total - upright[index]
        fits = (
            back[index] @ others / max(float(np.linalg.norm(others)), 1e-12) if count > 1 else np.ones((mirrors, size))
        )
        mirror, turn = states[index]
        mirrored = mirror != usual[0]
        places = (turn + usual[1] if mirrored else turn - usual[1]) % size
        fit = float(fits[mirror, turn])
        found.append(
            Turn(
                places=int((places + (size - 1) // 2) % size - (size - 1) // 2),
                fit=fit,
                gain=fit - float(fits[usual]),
                mirrored=bool(mirrored),
                mirror_gain=fit - float(fits[usual[0]].max()) if mirrored else 0.0,
            )
        )
    return found


def _picture(covariance_ExE: np.ndarray) -> np.ndarray:
    """Correlations off the diagonal, and the spread of each electrode in it, all of like weight."""
    spread = np.sqrt(np.maximum(np.diag(covariance_ExE), 1e-12))
    picture = covariance_ExE / np.outer(spread, spread)
    off = ~np.eye(len(picture), dtype=bool)
    if len(picture) > 1:
        picture = (picture - picture[off].mean()) / max(float(picture[off].std()), 1e-6)
    np.fill_diagonal(picture, (spread - spread.mean()) / max(float(spread.std()), 1e-6))
    return picture


def _turned(picture: np.ndarray, places: int) -> np.ndarray:
    return np.roll(picture, (places, places), axis=(0, 1))
