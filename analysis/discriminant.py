"""The baseline of the study of real people: a linear discriminant on each frame, smoothed, collapsed to events.

Features are the log of the root mean square and of the mean absolute difference of every electrode (Phinyomark et al.,
"Feature reduction and selection for EMG signal classification", 2012), less their mean over the session, which takes
away one gain of the whole band without labels. The classes are those of the events, and rest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from semgjax.data.sessions import Session, read_emg
from semgjax.errors import InputError

Array = np.ndarray

FRAME = 0.04
"""seconds from one frame to the next"""
WINDOW = 0.08
"""seconds of signal in a frame's features"""
SMOOTHED = 25
"""frames over which the probabilities are averaged"""
_FLOOR = 1e-3
"""of an amplitude, as a share of the session's root mean square: a lost electrode is not at minus infinity"""
_RIDGE = 1e-4
"""added to the covariance, as a share of its mean variance"""


@dataclass(frozen=True, eq=False)
class Frames:
    """A session as the discriminant sees it.

    Attributes:
        features: float64[frames, 2, channels].
        classes: int64[frames], class of the event that the frame lies in; the number of classes for rest.
        labels: int32[events], what was done, in order.
        user: whose.
    """

    features: Array
    classes: Array
    labels: Array
    user: str


@dataclass(frozen=True, eq=False)
class Discriminant:
    """Classes as normal distributions with one covariance.

    Attributes:
        means: [classes, features]; the last class is rest.
        precision: [features, features], inverse of the covariance.
        log_priors: [classes].
    """

    means: Array
    precision: Array
    log_priors: Array

    @property
    def params(self) -> int:
        """Fitted numbers: means, the covariance's triangle, priors."""
        classes, width = self.means.shape
        return classes * width + width * (width + 1) // 2 + classes


def frames_of(session: Session) -> Frames:
    """Features and classes of a session's frames.

    Raises:
        InputError: no class names, or an event whose end is not known.
    """
    if session.classes is None or session.key_end is None or (session.key_end < session.key_first).any():
        raise InputError(
            f"{session.path}: session {session.name} has keys, or events whose end is not known; the discriminant "
            "needs onset and end of every event",
            "bad-value",
        )
    step, half = round(FRAME * session.rate), round(0.5 * WINDOW * session.rate)
    emg = read_emg(session, 0, session.samples).astype(np.float64)
    level = np.sqrt(np.mean(emg**2)) or 1.0
    change = np.abs(np.diff(emg, axis=0, prepend=emg[:1]))
    centres = np.arange(session.samples // step) * step + step // 2
    low, high = np.maximum(centres - half, 0), np.minimum(centres + half, session.samples)
    root = np.sqrt(np.maximum(_means(emg**2, low, high), 0.0))
    features = np.log(np.stack([root, _means(change, low, high)], axis=1) / level + _FLOOR)
    features -= features.mean(axis=(0, 2), keepdims=True)
    classes = np.full(len(centres), len(session.classes))
    for label, first, end in zip(session.labels, session.key_first, session.key_end, strict=True):
        classes[(centres >= first) & (centres <= end)] = label
    return Frames(features, classes, session.labels, session.user)


def fit_discriminant(sessions: Sequence[Frames], classes: int) -> Discriminant:
    """Means, covariance and priors of the frames of sessions; classes: without rest.

    Raises:
        InputError: a class has no frame.
    """
    features = np.concatenate([session.features.reshape(len(session.features), -1) for session in sessions])
    found = np.concatenate([session.classes for session in sessions])
    counts = np.bincount(found, minlength=classes + 1)
    if not counts.all():
        raise InputError(
            f"training sessions: no frame of class {int(np.argmin(counts))}; train on people who have every class",
            "no-keys",
        )
    means = np.stack([features[found == each].mean(axis=0) for each in range(classes + 1)])
    within = features - means[found]
    covariance = within.T @ within / len(features)
    covariance += _RIDGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    return Discriminant(means, np.linalg.inv(covariance), np.log(counts / counts.sum()))


def read_events(model: Discriminant, session: Frames, turn: int = 0) -> Array:
    """Classes of the events that are read in a session turned by so many electrodes, int64[n]."""
    scores = _log_joint(model, session, turn)
    probabilities = np.exp(scores - scores.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    index = np.arange(len(scores))
    low, high = np.maximum(index - SMOOTHED // 2, 0), np.minimum(index + SMOOTHED // 2 + 1, len(scores))
    best = _means(probabilities, low, high).argmax(axis=1)
    changed = np.concatenate([[True], best[1:] != best[:-1]]) if len(best) else np.zeros(0, bool)
    return best[changed & (best != len(model.means) - 1)]


def likeliest_turn(model: Discriminant, sessions: Sequence[Frames], turns: Sequence[int]) -> int:
    """The turn under which the frames of sessions are likeliest, found without labels."""
    likelihood = [
        sum(float(np.logaddexp.reduce(_log_joint(model, session, turn), axis=1).sum()) for session in sessions)
        for turn in turns
    ]
    return turns[int(np.argmax(likelihood))]


def align(
    recorded: Mapping[str, Sequence[Frames]], classes: int, turns: Sequence[int], rounds: int = 4
) -> tuple[dict[str, int], Discriminant]:
    """(turn of each recorded training session, the discriminant of the turned sessions), found with their labels.

    The band is put on with another turn each time. In every round each session is turned to where its labelled frames
    are likeliest under the discriminant of all sessions, which is then fitted again.

    Args:
        recorded: recorded session -> its spliced sessions.
        rounds: an even place is reached after three or four.
    """
    found = dict.fromkeys(recorded, 0)
    model = fit_discriminant([frames for orders in recorded.values() for frames in orders], classes)
    for _ in range(rounds):
        found = {name: _labelled_turn(model, orders, turns) for name, orders in recorded.items()}
        model = fit_discriminant([turned(f, found[name]) for name, orders in recorded.items() for f in orders], classes)
    return found, model


def turned(session: Frames, turn: int) -> Frames:
    """A session whose band is turned by so many electrodes."""
    return replace(session, features=np.roll(session.features, turn, axis=2))


def _labelled_turn(model: Discriminant, sessions: Sequence[Frames], turns: Sequence[int]) -> int:
    """The turn under which frames are nearest to the means of their own classes."""
    squares = []
    for turn in turns:
        apart = [
            np.roll(s.features, turn, axis=2).reshape(len(s.features), -1) - model.means[s.classes] for s in sessions
        ]
        squares.append(sum(float(np.sum((x @ model.precision) * x)) for x in apart))
    return turns[int(np.argmin(squares))]


def _log_joint(model: Discriminant, session: Frames, turn: int) -> Array:
    """Log density of each frame with each class, up to one constant [frames, classes]."""
    x = np.roll(session.features, turn, axis=2).reshape(len(session.features), -1)
    apart = x[:, None] - model.means[None]
    return model.log_priors - 0.5 * np.einsum("tcf,fg,tcg->tc", apart, model.precision, apart, optimize=True)


def _means(values: Array, low: Array, high: Array) -> Array:
    """Means of the rows [low, high) of values [n, k]: [len(low), k]."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return (sums[high] - sums[low]) / (high - low)[:, None]
