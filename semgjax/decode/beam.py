"""CTC prefix beam search with a character n-gram as one compiled loop: batched, and streamed by chunks.

What is searched is defined by `beam_reference`. A search holds the tables of its model on the device; its state between
chunks has a fixed size, and what each frame chose is returned as a history (4 bytes a frame and entry), from which
`hypotheses` reads labels and frames. Scores are sums of float32 with the large part kept apart: within 1e-3.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from semgjax.decode.automaton import Automaton
from semgjax.decode.beam_options import BeamOptions, Hypothesis, check_emissions, columns_of, glyphs_of
from semgjax.decode.beam_step import NOTHING, Prefixes, Tables, add, first_prefixes, step
from semgjax.errors import InputError

CHUNK = 256
"""Most frames of one call of the compiled loop."""
_SHORT = 16
"""Frames of a call for short chunks. All others are padded to CHUNK, so that two shapes are compiled."""


@dataclass(frozen=True, eq=False)
class BeamSearch:
    """A search, ready to run: make one with `make_beam_search` and use it for all sessions.

    Attributes:
        options: how to search.
        classes: K, the blank last.
        tables: of the model on the device; None without one.
    """

    options: BeamOptions
    classes: int
    tables: Tables | None


def make_beam_search(
    options: BeamOptions | None = None,
    model: Automaton | None = None,
    glyphs: Sequence[str | None] | None = None,
) -> BeamSearch:
    """Bring a model to the device.

    Args:
        options: those of BeamOptions() if None.
        model: a character n-gram; None searches without one, and then neither weight nor bonus applies.
        glyphs: of the K - 1 classes (`glyphs_of`); None for the key set.

    Raises:
        InputError: a model with more than 2**31 entries ("too-large").
    """
    options, glyphs = options or BeamOptions(), glyphs_of() if glyphs is None else glyphs
    return BeamSearch(options, len(glyphs) + 1, None if model is None else _tables(model, options, glyphs))


def _tables(model: Automaton, options: BeamOptions, glyphs: Sequence[str | None]) -> Tables:
    states, width = len(model.end_log10p), len(model.vocabulary) + 1
    if states * width >= 2**31:
        raise InputError(f"model: value {states} states of {width} keys; give one below 2**31 entries", "too-large")
    start_S = np.arange(states) == model.start
    outside_S = np.where(start_S, model.unknown_log10p, model.end_log10p)
    scores_SxW = np.concatenate([model.log10p, outside_S[:, None]], 1).astype(np.float32)
    next_SxW = np.concatenate([model.next_state, np.full((states, 1), model.start)], 1).astype(np.int32)
    return Tables(
        gain_N=jnp.asarray((np.float32(options.factor) * scores_SxW + np.float32(options.insertion_bonus)).ravel()),
        next_N=jnp.asarray(next_SxW.ravel()),
        columns_K=jnp.asarray(columns_of(glyphs, model)),
        width=jnp.int32(width),
        start=jnp.int32(model.start),
        bonus=jnp.float32(options.insertion_bonus),
    )


def begin(search: BeamSearch, rows: int) -> Prefixes:
    """The state before the first frame: every array has a leading axis of `rows`."""
    tables = search.tables
    undo = 0 if tables is None else search.options.undo
    one = first_prefixes(search.options.beam, undo, 0 if tables is None else int(tables.start))
    return jax.tree.map(lambda x: jnp.broadcast_to(x, (rows, *x.shape)), one)


def advance(
    search: BeamSearch, state: Prefixes, emissions_BxTxK: np.ndarray, frames_B: np.ndarray | None = None
) -> tuple[Prefixes, np.ndarray]:
    """Search further; the result does not depend on how a session is cut into chunks.

    Args:
        state: of `begin` or of an earlier call.
        emissions_BxTxK: natural logs of probabilities of the next frames, the blank last.
        frames_B: frames of each row, the others are padding; None for T.

    Returns:
        The state after them, and their history int32 [T, B, beam], for `hypotheses`.

    Raises:
        InputError: as `check_emissions` (padding is not looked at); other rows than the state's ("bad-shape"); more
            frames than T, or less than none ("bad-value").
    """
    rows = len(state.frames)
    values_BxTxK, frames_B = _checked(emissions_BxTxK, frames_B, search.classes)
    if len(values_BxTxK) != rows:
        raise InputError(f"emissions: value {len(values_BxTxK)} rows; give {rows} as in the state", "bad-shape")
    history = [np.zeros((0, rows, search.options.beam), np.int32)]
    length = values_BxTxK.shape[1]
    for begun in range(0, length, CHUNK):
        chunk_BxTxK = values_BxTxK[:, begun : begun + CHUNK]
        count = chunk_BxTxK.shape[1]
        padding = (_SHORT if count <= _SHORT else CHUNK) - count
        state, chosen = _loop(
            state,
            np.pad(chunk_BxTxK, ((0, 0), (0, padding), (0, 0))),
            np.clip(frames_B - begun, 0, count).astype(np.int32),
            search.tables,
            min(search.options.top, search.classes),
        )
        history.append(np.asarray(chosen)[:count])
    return state, np.concatenate(history)


def hypotheses(search: BeamSearch, state: Prefixes, history: np.ndarray, best: int = 1) -> list[list[Hypothesis]]:
    """The best hypotheses of each row, best first, and with the end of the last word if the options ask for it.

    Args:
        state: after all frames.
        history: of all frames from the first one, [T, B, beam]: the parts of `advance`, concatenated.
        best: how many at most.

    Raises:
        InputError: best below 1 ("bad-value"); a history of other rows, entries or frames than the state's
            ("bad-shape").
    """
    _check_best(best)
    shape = (len(state.frames), search.options.beam)
    if history.ndim != 3 or history.shape[1:] != shape:
        raise InputError(f"history: value {list(history.shape)}; give [frames, {shape[0]}, {shape[1]}]", "bad-shape")
    counted_B, seen_B = np.sum(history[:, :, 0] >= 0, 0), np.asarray(state.frames)
    if (counted_B != seen_B).any():
        text = f"value {counted_B.tolist()} frames; give all {seen_B.tolist()} of the state"
        raise InputError(f"history: {text}", "bad-shape")
    found = []
    for row, ranks in enumerate(ranked(search, state, best)):
        history_TxM = history[history[:, row, 0] >= 0, row]
        found.append([_read(history_TxM, entry, score, search.classes) for entry, score in ranks])
    return found


def ranked(search: BeamSearch, state: Prefixes, best: int) -> list[list[tuple[int, float]]]:
    """Entry and score of the best live hypotheses of each row, best first; see `hypotheses`."""
    totals_BxM = np.asarray(_totals(state, search.tables if search.options.scores_end else None), np.float64)
    large_B = np.asarray(state.total_2, np.float64).sum(1)
    return [
        [
            (int(entry), float(large + totals_M[entry]))
            for entry in np.argsort(-totals_M, kind="stable")[:best]
            if totals_M[entry] > NOTHING / 2
        ]
        for large, totals_M in zip(large_B, totals_BxM, strict=True)
    ]


def beam_search(search: BeamSearch, emissions_TxK: np.ndarray, best: int = 1) -> list[Hypothesis]:
    """The best hypotheses of one session, best first.

    Raises:
        InputError: as `check_emissions`; best below 1 ("bad-value").
    """
    if np.ndim(emissions_TxK) != 2:
        raise InputError(f"emissions: value of {np.ndim(emissions_TxK)} axes; give [frames, classes]", "bad-shape")
    return beam_search_batch(search, np.asarray(emissions_TxK)[None], best=best)[0]


def beam_search_batch(
    search: BeamSearch, emissions_BxTxK: np.ndarray, frames_B: np.ndarray | None = None, best: int = 1
) -> list[list[Hypothesis]]:
    """The best hypotheses of each of several sessions, padded to one length; see `advance`.

    Raises:
        InputError: as `advance` and `hypotheses`.
    """
    _check_best(best)
    state, history = advance(search, begin(search, len(emissions_BxTxK)), emissions_BxTxK, frames_B)
    return hypotheses(search, state, history, best)


def _check_best(best: int) -> None:
    if best < 1:
        raise InputError(f"best: value {best}; give 1 or more", "bad-value")


def _checked(emissions: np.ndarray, frames: np.ndarray | None, classes: int) -> tuple[np.ndarray, np.ndarray]:
    values = np.asarray(emissions)
    if values.ndim != 3:
        raise InputError(f"emissions: value of {values.ndim} axes; give [rows, frames, classes]", "bad-shape")
    rows, length = values.shape[:2]
    frames_B = np.full(rows, length) if frames is None else np.asarray(frames)
    if frames_B.shape != (rows,) or frames_B.dtype.kind not in "iu":
        raise InputError(f"frames: value {frames_B!r}; give one whole number for each of {rows} rows", "bad-shape")
    if rows and not (frames_B.min() >= 0 and frames_B.max() <= length):
        found = f"{frames_B.min()}..{frames_B.max()}"
        raise InputError(f"frames: value {found}; give 0..{length}, the frames of the emissions", "bad-value")
    values = np.where((np.arange(length) < frames_B[:, None])[..., None], values, 0)
    return np.maximum(check_emissions(values, classes), NOTHING).astype(np.float32), frames_B


@functools.partial(jax.jit, static_argnames="top")
def _loop(
    state: Prefixes, values_BxTxK: jax.Array, frames_B: jax.Array, tables: Tables | None, top: int
) -> tuple[Prefixes, jax.Array]:
    """The beam after the frames, and what each chose, int32 [T, B, M], -1 in padding."""
    blank = values_BxTxK.shape[2] - 1
    # Of equals, the lower class comes first.
    value_TxBxL, class_TxBxL = jax.lax.top_k(jnp.swapaxes(values_BxTxK, 0, 1), top)
    rows = jax.vmap(functools.partial(step, blank=blank, tables=tables))

    def after(frame: jax.Array, before: tuple[Prefixes, jax.Array]) -> tuple[Prefixes, jax.Array]:
        state, history_TxBxM = before
        is_frame_B = frame < frames_B
        state, chosen_BxM = rows(state, value_TxBxL[frame], class_TxBxL[frame], is_frame_B)
        return state, history_TxBxM.at[frame].set(jnp.where(is_frame_B[:, None], chosen_BxM, -1))

    history_TxBxM = jnp.full((len(value_TxBxL), *state.last_M.shape), -1)
    return jax.lax.fori_loop(0, jnp.max(frames_B, initial=0), after, (state, history_TxBxM))


@jax.jit
def _totals(state: Prefixes, tables: Tables | None) -> jax.Array:
    """Log probability of each prefix, relative to `total_2`; with tables, also the end of its last word."""
    totals_BxM = add(state.blank_M, state.label_M)
    if tables is None:
        return totals_BxM
    end_BxM = tables.gain_N[(state.state_M + 1) * tables.width - 1] - tables.bonus
    return totals_BxM + jnp.where(state.state_M == tables.start, 0.0, end_BxM)


def _read(history_TxM: np.ndarray, entry: int, score: float, classes: int) -> Hypothesis:
    """Follow an entry back to the first frame."""
    labels, frames = [], []
    for frame in range(len(history_TxM) - 1, -1, -1):
        entry, label = divmod(int(history_TxM[frame, entry]), classes)
        if label:
            labels.append(label - 1)
            frames.append(frame)
    return Hypothesis(np.array(labels[::-1], np.int32), score, np.array(frames[::-1], np.int32))
