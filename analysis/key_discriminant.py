"""Linear discriminant of keys whose times are given: a quick stand-in for a decoder when people are studied."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.data.sessions import Session, read_emg

Array = np.ndarray

WINDOWS = ((-0.12, -0.07), (-0.07, -0.02), (-0.02, 0.03), (0.03, 0.09))  # seconds from the moment a key goes down
SHRINK = 0.05  # share of the mean variance that is added to every variance: few keys must not fit noise
FLOOR = 4.0  # microvolts squared added to power before the log: about the electrodes' noise


@dataclass(frozen=True)
class Keys:
    """The keys of one session: float32[n, windows x channels] log power less its median, and labels int[n]."""

    features: Array
    labels: Array


@dataclass(frozen=True)
class KeyDiscriminant:
    """Classes int[c], weights float[d, c] and offsets float[c] of a linear discriminant with one covariance."""

    classes: Array
    weights: Array
    offsets: Array

    def error(self, sessions: Sequence[Keys]) -> float:
        """Percent of the keys that are read as another."""
        features, labels = _joined(sessions)
        read = self.classes[np.argmax(features @ self.weights + self.offsets, axis=1)]
        return float(100.0 * np.mean(read != labels))


def keys_of(session: Session) -> Keys:
    """Log power of each electrode in four windows round every key, less its median over the session's keys.

    The median removes gains of electrodes and people, as a decoder's running norm would.
    """
    rate, samples = session.band.rate, session.samples
    emg = read_emg(session, 0, samples).astype(np.float64)
    power = np.concatenate([np.zeros((1, emg.shape[1])), np.cumsum(emg**2, axis=0)])
    first = np.asarray(session.key_first)
    edges = [(round(low * rate), round(high * rate)) for low, high in WINDOWS]
    inside = (first + edges[0][0] >= 0) & (first + edges[-1][1] < samples)
    at = first[inside]
    parts = [np.log((power[at + high] - power[at + low]) / (high - low) + FLOOR) for low, high in edges]
    features = np.concatenate(parts, axis=1)
    return Keys((features - np.median(features, axis=0)).astype(np.float32), np.asarray(session.labels)[inside])


def fit_keys(sessions: Sequence[Keys]) -> KeyDiscriminant:
    """Means of the keys, one shrunk covariance, priors by count (Fisher's linear discriminant)."""
    features, labels = _joined(sessions)
    classes, place = np.unique(labels, return_inverse=True)
    count = np.bincount(place)
    means = np.zeros((len(classes), features.shape[1]))
    np.add.at(means, place, features)
    means /= count[:, None]
    rest = features - means[place]
    covariance = rest.T @ rest / len(features)
    covariance += SHRINK * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    weights = np.linalg.solve(covariance, means.T)
    return KeyDiscriminant(classes, weights, np.log(count / len(labels)) - 0.5 * (means.T * weights).sum(axis=0))


def _joined(sessions: Sequence[Keys]) -> tuple[Array, Array]:
    return np.concatenate([s.features for s in sessions]), np.concatenate([s.labels for s in sessions])
