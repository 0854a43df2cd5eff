"""Rolling normalisation: each channel's causal mean and variance are brought to those of the training people."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import lfilter

from semgjax.adapting.signal_only import Unlabelled
from semgjax.data.sessions import read_emg

_FLOOR = 1e-6
"""of a variance, as a share of the training people's: a lost channel is not blown up without bound"""


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean and variance along one axis.

    Attributes:
        mean, variance: float64 [C], in the signal's unit and its square.
    """

    mean: np.ndarray
    variance: np.ndarray


def pooled(parts: Sequence[Moments]) -> Moments:
    """Moments of all parts together, each part with the same weight."""
    mean = np.mean([part.mean for part in parts], axis=0)
    square = np.mean([part.variance + part.mean**2 for part in parts], axis=0)
    return Moments(mean, square - mean**2)


def channel_moments(session: Unlabelled) -> Moments:
    """Of each channel over a whole session."""
    emg = read_emg(session, 0, session.samples).astype(np.float64)
    return Moments(emg.mean(axis=0), emg.var(axis=0))


def roll_normalised(session: Unlabelled, start: Moments, target: Moments, seconds: float) -> Unlabelled:
    """The session with each channel's running mean and variance brought to the target's; no sample sees a later one.

    Mean and mean square fade exponentially with this time constant, and begin at `start`.

    Raises:
        ValueError: the time constant is not above 0.
    """
    if seconds <= 0:
        raise ValueError(f"seconds {seconds} must be above 0")
    emg = read_emg(session, 0, session.samples).astype(np.float64)
    fade = math.exp(-1.0 / (seconds * session.rate))

    def faded(values: np.ndarray, first: np.ndarray) -> np.ndarray:
        return lfilter([1.0 - fade], [1.0, -fade], values, axis=0, zi=fade * first[None])[0]

    mean = faded(emg, start.mean)
    variance = faded(emg**2, start.variance + start.mean**2) - mean**2
    scale = np.sqrt(target.variance / np.maximum(variance, _FLOOR * np.maximum(target.variance, 1e-30)))
    array = np.ascontiguousarray((emg - mean) * scale + target.mean, np.float32)
    return Unlabelled(replace(session, stored=None, array=array))
