"""One frame of the beam search for one row, on arrays of fixed size; `beam` loops over frames and batches it.

The prefixes of a beam are distinct, so that after a frame two candidates are the same prefix only if one is kept and
the other is its own parent plus its last label. Comparing all pairs of 64-bit hashes of prefixes and parents finds
them.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from semgjax.decode.beam_options import BACKSPACE, NO_KEY

NOTHING = -1e30
"""Log probability of what has no mass; finite, so that differences of two are no NaN."""
_DEAD = -5e29
# A length that no prefix and no parent of one has: entries without mass are never merged.
_NO_LENGTH = -9


class Tables(NamedTuple):
    """A model on the device; W is its vocabulary and one column for keys outside of it.

    Attributes:
        gain_N: what a key adds to the score, weight and bonus included, float32 [S * W], by state * W + column.
        next_N: state after it, int32 [S * W].
        columns_K: part of each class, see `columns_of`.
        width: W.
        start: state at the beginning of a word.
        bonus: the part of a gain that is the bonus.
    """

    gain_N: jax.Array
    next_N: jax.Array
    columns_K: jax.Array
    width: jax.Array
    start: jax.Array
    bonus: jax.Array


class Prefixes(NamedTuple):
    """A beam of M prefixes, best first. Log probabilities are relative to `total_2`.

    Attributes:
        blank_M, label_M: of the paths that end in a blank, and of those that do not.
        last_M: last label, -1 if there is none.
        hash_Mx2, parent_Mx2: 64-bit hashes of the prefix, and of the prefix without its last label.
        length_M: labels.
        state_M: of the model.
        undoable_M: keys in the stack.
        top_M: place above the last key in the stack.
        stack_MxU: rows of the tables that scored the last keys that are not undone; a ring.
        total_2: log probability to be added to all, and the rounding error of that number.
        frames: frames seen.
    """

    blank_M: jax.Array
    label_M: jax.Array
    last_M: jax.Array
    hash_Mx2: jax.Array
    parent_Mx2: jax.Array
    length_M: jax.Array
    state_M: jax.Array
    undoable_M: jax.Array
    top_M: jax.Array
    stack_MxU: jax.Array
    total_2: jax.Array
    frames: jax.Array


def first_prefixes(beam: int, undo: int, start: int) -> Prefixes:
    """The empty prefix, with all mass; the other entries have none."""
    first_M = jnp.arange(beam) == 0
    return Prefixes(
        blank_M=jnp.where(first_M, 0.0, NOTHING),
        label_M=jnp.full(beam, NOTHING),
        last_M=jnp.full(beam, -1),
        hash_Mx2=jnp.zeros((beam, 2), jnp.uint32),
        parent_Mx2=jnp.zeros((beam, 2), jnp.uint32),
        length_M=jnp.where(first_M, 0, _NO_LENGTH),
        state_M=jnp.full(beam, start),
        undoable_M=jnp.zeros(beam, jnp.int32),
        top_M=jnp.zeros(beam, jnp.int32),
        stack_MxU=jnp.zeros((beam, undo), jnp.int32),
        total_2=jnp.zeros(2),
        frames=jnp.zeros((), jnp.int32),
    )


def without(state: Prefixes, removed_BxM: jax.Array) -> Prefixes:
    """Beams of several rows without some of their entries: their paths have no mass from now on."""
    return state._replace(
        blank_M=jnp.where(removed_BxM, NOTHING, state.blank_M),
        label_M=jnp.where(removed_BxM, NOTHING, state.label_M),
        length_M=jnp.where(removed_BxM, _NO_LENGTH, state.length_M),
    )


def step(
    old: Prefixes, value_L: jax.Array, class_L: jax.Array, is_frame: jax.Array, blank: int, tables: Tables | None
) -> tuple[Prefixes, jax.Array]:
    """The beam after one frame.

    Args:
        value_L: log probabilities of the frame's best classes, best first, NOTHING where they are -inf.
        class_L: these classes, int32.
        is_frame: False for padding, which changes nothing.
        blank: the class of the blank.
        tables: of the model, if any.

    Returns:
        The beam, and for each entry source * (blank + 1) + new label + 1 (0 for a kept prefix), int32 [M].
    """
    beam, top = len(old.last_M), len(value_L)
    entry_M = jnp.arange(beam)
    blank_here_L = class_L == blank
    repeat_MxL = class_L == old.last_M[:, None]
    all_M = add(old.blank_M, old.label_M)

    # Every prefix kept: by a blank, or by its last key held.
    blank_M = _with(all_M, jnp.max(jnp.where(blank_here_L, value_L, NOTHING)))
    label_M = _with(old.label_M, jnp.max(jnp.where(repeat_MxL, value_L, NOTHING), 1))
    # Every prefix with one label more; the same key again needs a blank between.
    gain_MxL, row_MxL, undone_M = _gains(old, class_L, tables)
    new_MxL = _with(jnp.where(repeat_MxL, old.blank_M[:, None], all_M[:, None]), value_L + gain_MxL)
    new_MxL = jnp.where(blank_here_L, NOTHING, new_MxL)

    # A kept prefix takes the mass of its parent with one label more. The pair stands where its first is expanded.
    child_MxM = (
        (old.parent_Mx2[:, None, 0] == old.hash_Mx2[None, :, 0])
        & (old.parent_Mx2[:, None, 1] == old.hash_Mx2[None, :, 1])
        & (old.length_M[:, None] == old.length_M + 1)
    )
    parent_M, place_M = jnp.argmax(child_MxM, 1), jnp.argmax(repeat_MxL, 1)
    merged_M = jnp.any(child_MxM, 1) & jnp.any(repeat_MxL, 1)
    label_M = jnp.where(merged_M, add(label_M, _at(new_MxL.ravel(), parent_M * top + place_M)), label_M)
    kept_M = add(blank_M, label_M)
    moved_M = merged_M & (parent_M < entry_M)
    # By a product of one-hot matrices, each sum of which has one term: a scatter is a slow loop on a CPU.
    joined_MxL, child_MxL = jnp.split(
        jnp.matmul(
            child_MxM.T.astype(jnp.float32),
            jnp.concatenate(
                [
                    jnp.where(repeat_MxL, jnp.where(moved_M, kept_M, NOTHING)[:, None], 0.0),
                    jnp.where(repeat_MxL, (entry_M + 1.0)[:, None], 0.0),
                ],
                1,
            ),
            precision=jax.lax.Precision.HIGHEST,
        ),
        2,
        1,
    )
    candidates = jnp.concatenate(
        [jnp.where(moved_M, NOTHING, kept_M)[:, None], jnp.where(child_MxL > 0, joined_MxL, new_MxL)], 1
    )

    best_M, index_M = jax.lax.top_k(candidates.ravel(), beam)  # of equals, the lower index comes first
    source_M, place_M = index_M // (top + 1), index_M % (top + 1) - 1
    source_M = jnp.where(is_frame, source_M, entry_M)
    longer_M = (place_M >= 0) & is_frame
    chosen_M = source_M * top + jnp.maximum(place_M, 0)
    child_M = _at(child_MxL.ravel(), chosen_M).astype(jnp.int32) - 1
    joined_M = jnp.where(longer_M, child_M, source_M)  # the kept prefix whose mass the entry has, if any
    fresh_M = joined_M < 0
    # Fewer candidates than entries: what fills the rest, such as a place that a merged pair has left, has no mass.
    alive_M = best_M > _DEAD
    shift = jnp.where(is_frame, best_M[0], 0.0)

    def passed(kept_M: jax.Array, old_M: jax.Array) -> jax.Array:
        return jnp.where(is_frame, jnp.where(alive_M, jnp.maximum(kept_M - shift, NOTHING), NOTHING), old_M)

    class_M = _at(class_L, jnp.maximum(place_M, 0))
    hash_Mx2, parent_Mx2 = old.hash_Mx2[source_M], old.parent_Mx2[source_M]
    length_M = _at(old.length_M, source_M) + longer_M
    pushed = _pushed(old, source_M, longer_M, class_M, _at(row_MxL.ravel(), chosen_M), undone_M, tables)
    joined_M = jnp.maximum(joined_M, 0)
    return Prefixes(
        blank_M=passed(jnp.where(fresh_M, NOTHING, _at(blank_M, joined_M)), old.blank_M),
        label_M=passed(jnp.where(fresh_M, best_M, _at(label_M, joined_M)), old.label_M),
        last_M=jnp.where(longer_M, class_M, _at(old.last_M, source_M)),
        hash_Mx2=jnp.where(longer_M[:, None], _hash(hash_Mx2, class_M), hash_Mx2),
        parent_Mx2=jnp.where(longer_M[:, None], hash_Mx2, parent_Mx2),
        length_M=jnp.where(alive_M | ~is_frame, length_M, _NO_LENGTH),
        **pushed,
        total_2=_sum(old.total_2, shift),
        frames=old.frames + is_frame,
    ), source_M * (blank + 1) + jnp.where(longer_M, class_M + 1, 0)


def _gains(old: Prefixes, class_L: jax.Array, tables: Tables | None) -> tuple[jax.Array, jax.Array, jax.Array]:
    """What each label adds to the score of each prefix, its row of the tables, and the row that a backspace undoes."""
    if tables is None:
        return jnp.zeros(()), jnp.zeros((len(old.last_M), len(class_L)), jnp.int32), old.state_M
    columns_L = _at(tables.columns_K, class_L)
    row_MxL = old.state_M[:, None] * tables.width + jnp.maximum(columns_L, 0)
    gain_MxL = jnp.where(columns_L == NO_KEY, 0.0, _at(tables.gain_N, row_MxL))
    undo = old.stack_MxU.shape[1]
    places_M = jnp.arange(len(old.last_M)) * undo + (old.top_M - 1) % undo
    undone_M = _at(old.stack_MxU.ravel(), places_M)
    back_M = jnp.where(old.undoable_M > 0, -_at(tables.gain_N, undone_M), 0.0)
    return jnp.where(columns_L == BACKSPACE, back_M[:, None], gain_MxL), row_MxL, undone_M


def _pushed(
    old: Prefixes,
    source_M: jax.Array,
    longer_M: jax.Array,
    class_M: jax.Array,
    row_M: jax.Array,
    undone_M: jax.Array,
    tables: Tables | None,
) -> dict[str, jax.Array]:
    """The model's part of the new beam: keys pushed on the stacks of their sources, backspaces popped."""
    if tables is None:
        return {"state_M": old.state_M, "undoable_M": old.undoable_M, "top_M": old.top_M, "stack_MxU": old.stack_MxU}
    undo = old.stack_MxU.shape[1]
    column_M = _at(tables.columns_K, class_M)
    undoable_M, top_M = _at(old.undoable_M, source_M), _at(old.top_M, source_M)
    push_M = longer_M & (column_M >= 0)
    pop_M = longer_M & (column_M == BACKSPACE) & (undoable_M > 0)
    before_M = _at(undone_M, source_M) // tables.width
    state_M = jnp.where(pop_M, before_M, _at(old.state_M, source_M))
    here_MxU = push_M[:, None] & (jnp.arange(undo) == top_M[:, None])
    return {
        "state_M": jnp.where(push_M, _at(tables.next_N, row_M), state_M),
        "undoable_M": jnp.minimum(undoable_M + push_M, undo) - pop_M,
        "top_M": (top_M + push_M - pop_M) % undo,
        "stack_MxU": jnp.where(here_MxU, row_M[:, None], old.stack_MxU[source_M]),
    }


def add(one: jax.Array, other: jax.Array) -> jax.Array:
    """log(exp(one) + exp(other)) of finite numbers."""
    return jnp.maximum(one, other) + jnp.log1p(jnp.exp(-jnp.abs(one - other)))


def _with(mass: jax.Array, value: jax.Array) -> jax.Array:
    return jnp.maximum(mass + value, NOTHING)


def _at(values: jax.Array, index: jax.Array) -> jax.Array:
    return values.at[index].get(mode="promise_in_bounds")


def _hash(hash_Mx2: jax.Array, label_M: jax.Array) -> jax.Array:
    """Two hashes of 32 bits of prefixes with one label more, each by the last steps of MurmurHash3."""
    factors_2 = jnp.array([0x9E3779B1, 0x85EBCA77], jnp.uint32)
    mixed_Mx2 = hash_Mx2 * factors_2 + label_M[:, None].astype(jnp.uint32) + 1
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        mixed_Mx2 = (mixed_Mx2 ^ (mixed_Mx2 >> shift)) * jnp.uint32(factor)
    return mixed_Mx2 ^ (mixed_Mx2 >> 16)


def _sum(total_2: jax.Array, value: jax.Array) -> jax.Array:
    """A sum and its rounding error, one value more (Knuth's two-sum)."""
    total = total_2[0] + value
    part = total - total_2[0]
    return jnp.stack([total, total_2[1] + ((total_2[0] - (total - part)) + (value - part))])
