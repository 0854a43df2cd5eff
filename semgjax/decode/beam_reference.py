"""CTC prefix beam search with a character n-gram in plain Python: the definition that `beam` is tested against.

The search is that of Hannun et al. 2014 (arXiv:1408.2873, algorithm 1), pruned to the best classes of each frame, with
a model that works inside words and that backspace undoes, as emg2qwerty decodes (Sivakumar et al. 2024,
arXiv:2410.20081).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.decode.automaton import Automaton
from semgjax.decode.beam_options import (
    BACKSPACE,
    NO_KEY,
    BeamOptions,
    Hypothesis,
    check_emissions,
    columns_of,
    glyphs_of,
)
from semgjax.errors import InputError


@dataclass(frozen=True)
class _Model:
    """The model's part of a prefix: its state now, and (state before, gain) of each key that is not undone."""

    state: int
    undoable: tuple[tuple[int, float], ...] = ()


@dataclass
class _Prefix:
    """A decoded sequence and the log probabilities of its paths that end in a blank, and of those that do not."""

    labels: tuple[int, ...]
    frames: tuple[int, ...]
    model: _Model
    blank: float = -math.inf
    label: float = -math.inf

    @property
    def total(self) -> float:
        return _add(self.blank, self.label)


def beam_search_reference(
    emissions_TxK: np.ndarray,
    options: BeamOptions | None = None,
    model: Automaton | None = None,
    glyphs: Sequence[str | None] | None = None,
    best: int = 1,
) -> list[Hypothesis]:
    """The best hypotheses of one session, best first; ties in the order in which they were expanded.

    Args:
        emissions_TxK: natural logs of probabilities, the blank last.
        options: those of BeamOptions() if None.
        model: a character n-gram; None searches without one, and then neither weight nor bonus applies.
        glyphs: of the K - 1 classes (`glyphs_of`); None for the key set. Only a model needs them.
        best: how many at most.

    Raises:
        InputError: as `check_emissions`; best below 1 ("bad-value").
    """
    options = options or BeamOptions()
    if best < 1:
        raise InputError(f"best: value {best}; give 1 or more", "bad-value")
    glyphs = glyphs_of() if glyphs is None else glyphs
    values_TxK = check_emissions(emissions_TxK, None if model is None else len(glyphs) + 1)
    columns_K = None if model is None else columns_of(glyphs, model)
    beam = [_Prefix((), (), _Model(0 if model is None else model.start), blank=0.0)]
    for frame, values_K in enumerate(values_TxK.astype(np.float64)):
        beam = _after_frame(beam, frame, values_K, options, model, columns_K)
    if model is not None and options.scores_end:
        for prefix in beam:
            end = _gain_of_end(prefix.model.state, options, model)
            prefix.blank, prefix.label = prefix.blank + end, prefix.label + end
        beam.sort(key=lambda prefix: -prefix.total)
    return [Hypothesis(np.array(p.labels, np.int32), p.total, np.array(p.frames, np.int32)) for p in beam[:best]]


def _after_frame(
    beam: list[_Prefix],
    frame: int,
    values_K: np.ndarray,
    options: BeamOptions,
    model: Automaton | None,
    columns_K: np.ndarray | None,
) -> list[_Prefix]:
    candidates = np.argsort(-values_K, kind="stable")[: options.top].tolist()
    blank = len(values_K) - 1
    found: dict[tuple[int, ...], _Prefix] = {}  # in the order of expansion
    for old in beam:
        kept = found.setdefault(old.labels, _Prefix(old.labels, old.frames, old.model))
        for label in candidates:
            value = float(values_K[label])
            if label == blank:
                kept.blank = _add(kept.blank, old.total + value)
                continue
            gain, after = _scored(old.model, label, options, model, columns_K)
            longer = (*old.labels, label)
            new = found.setdefault(longer, _Prefix(longer, (*old.frames, frame), after))
            if old.labels[-1:] == (label,):  # the same key again needs a blank between; without one it is held
                kept.label = _add(kept.label, old.label + value)
                new.label = _add(new.label, old.blank + value + gain)
            else:
                new.label = _add(new.label, old.total + value + gain)
    alive = [prefix for prefix in found.values() if prefix.total > -math.inf]
    return sorted(alive, key=lambda prefix: -prefix.total)[: options.beam]


def _scored(
    old: _Model, label: int, options: BeamOptions, model: Automaton | None, columns_K: np.ndarray | None
) -> tuple[float, _Model]:
    """What a new label adds to the score, and the model's part after it."""
    if model is None or columns_K is None or columns_K[label] == NO_KEY:
        return 0.0, old
    column = int(columns_K[label])
    if column == BACKSPACE:
        if not old.undoable:
            return 0.0, old
        state, gain = old.undoable[-1]
        return -gain, _Model(state, old.undoable[:-1])
    if column < len(model.vocabulary):
        score, state = float(model.log10p[old.state, column]), int(model.next_state[old.state, column])
    elif old.state != model.start:
        score, state = float(model.end_log10p[old.state]), model.start
    else:
        score, state = model.unknown_log10p, model.start
    gain = options.factor * score + options.insertion_bonus
    return gain, _Model(state, (*old.undoable, (old.state, gain))[-options.undo :])


def _gain_of_end(state: int, options: BeamOptions, model: Automaton) -> float:
    return 0.0 if state == model.start else options.factor * float(model.end_log10p[state])


def _add(one: float, other: float) -> float:
    """log(exp(one) + exp(other))."""
    high, low = max(one, other), min(one, other)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
