"""What both beam searches take and give: options, emissions, the part of each class in the model, hypotheses."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.data.band import TYPING, Band
from semgjax.data.keys import BACKSPACE_GLYPH, NUM_KEYS, label_of_key, labels_to_text
from semgjax.decode.automaton import Automaton
from semgjax.errors import InputError

BACKSPACE = -1
"""Column of backspace: it undoes the last key in the model."""
NO_KEY = -2
"""Column of the blank and of classes that are no keys: the model does not see them."""


@dataclass(frozen=True)
class BeamOptions:
    """How to search.

    Attributes:
        beam: prefixes kept after each frame.
        top: classes considered in each frame, the blank included; more than there are means all.
        lm_weight: factor of the model's scores.
        insertion_bonus: added for each key that the model scores, in nats; only with a model.
        finish: score the end of the last word when the emissions end.
        proper: convert the model's scores from log10 to nats before they are weighted, and score the end of the last
            word whatever `finish` says. False: log10 scores are weighted unconverted, as emg2qwerty does.
        undo: keys that a run of backspaces can undo in the model; further ones change no score, as at the root.
    """

    beam: int = 50
    top: int = 10
    lm_weight: float = 2.0
    insertion_bonus: float = 2.0
    finish: bool = False
    proper: bool = False
    undo: int = 512

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InputError: a count below 1, or a weight or bonus that is not finite ("bad-value").
        """
        for name in ("beam", "top", "undo"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InputError(f"{name}: value {value!r}; give a whole number of 1 or more", "bad-value")
        for name in ("lm_weight", "insertion_bonus"):
            if not math.isfinite(getattr(self, name)):
                raise InputError(f"{name}: value {getattr(self, name)!r}; give a finite number", "bad-value")

    @property
    def factor(self) -> float:
        """What a log10 score of the model is multiplied by."""
        return self.lm_weight * (math.log(10.0) if self.proper else 1.0)

    @property
    def scores_end(self) -> bool:
        """Whether the end of the last word is scored."""
        return self.finish or self.proper


@dataclass(frozen=True)
class Hypothesis:
    """One decoded sequence.

    Attributes:
        labels: its classes, int32 [N]; backspace is one of them.
        score: natural log of the summed probability of its paths in the beam, plus the model's part.
        frames: frame of each label, int32 [N]: where the search added the label to the prefix. A prefix that is
            reached both by keeping it and by adding its last label takes the frame of what is expanded first, that
            is, of the one with the better score before the frame.
    """

    labels: np.ndarray
    score: float
    frames: np.ndarray


def glyphs_of(band: Band = TYPING) -> tuple[str | None, ...]:
    """For each class but the blank, the glyph of its key; None for a class that is no key, such as a gesture."""
    if band.classes is None:
        return tuple(labels_to_text(np.array([label])) for label in range(NUM_KEYS))
    labels = [label_of_key(name) for name in band.classes]
    return tuple(None if label is None else labels_to_text(np.array([label])) for label in labels)


def columns_of(glyphs: Sequence[str | None], model: Automaton) -> np.ndarray:
    """The part of each class in the model, the blank last: int32 [K].

    A column of its vocabulary; one more than the last for keys outside of the vocabulary; BACKSPACE; or NO_KEY.
    """
    column_of = {glyph: column for column, glyph in enumerate(model.vocabulary)}
    outside = len(model.vocabulary)

    def column(glyph: str | None) -> int:
        if glyph is None:
            return NO_KEY
        return BACKSPACE if glyph == BACKSPACE_GLYPH else column_of.get(glyph, outside)

    return np.array([*map(column, glyphs), NO_KEY], np.int32)


def check_emissions(emissions: np.ndarray, classes: int | None = None, where: str = "emissions") -> np.ndarray:
    """Natural logs of probabilities [..., T, K], checked: float64 if they are, else float32.

    A class of -inf cannot be; below -1e20 counts as -inf.

    Args:
        classes: the expected K; None for any.

    Raises:
        InputError: not at least two axes of numbers, no class, or another K ("bad-shape"); NaN, +inf, or a frame
            without any finite value ("not-finite").
    """
    values = np.asarray(emissions)
    if values.ndim < 2 or values.shape[-1] < 1 or not _is_real(values.dtype):
        shown = f"{values.dtype}{list(values.shape)}"
        raise InputError(f"{where}: value {shown}; give real numbers [frames, classes]", "bad-shape")
    if classes is not None and values.shape[-1] != classes:
        raise InputError(f"{where}: value {values.shape[-1]} classes; give {classes}, the blank last", "bad-shape")
    if values.dtype != np.float64:
        values = values.astype(np.float32)
    if np.isnan(values).any() or np.isposinf(values).any():
        raise InputError(f"{where}: value NaN or +inf; give natural logs of probabilities", "not-finite")
    values = np.where(values < -1e20, values.dtype.type(-np.inf), values)
    if not np.isfinite(values).any(-1).all():
        raise InputError(f"{where}: value -inf in all classes of a frame; give one that can be", "not-finite")
    return values


def _is_real(dtype: np.dtype) -> bool:
    return dtype.kind in "fiu" or dtype.name == "bfloat16"
