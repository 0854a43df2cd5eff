"""The forward and backward variables of CTC in one kernel, for an NVIDIA GPU (Pallas, by way of Triton).

A scan starts several small kernels for every frame, and on a GPU their starts are what it takes. Here one program per
row and direction walks over all frames with the states in registers. Neighbouring labels are exchanged through a buffer
in the device's memory that a program writes, waits for and reads, with one buffer for even and one for odd frames, so
that one barrier a frame is enough. Arithmetic and rounding are those of the scan in semgjax.losses.ctc.

Not yet run on a GPU: interpreted on a CPU it gives the scan's values, and it is lowered to Triton's code in a test.
"""

import functools

import jax
import jax.numpy as jnp
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton

from semgjax.kernels.wide import Wide, add, from_log, multiply, zeros

_LANES = 32  # threads of a warp; the states of a row are padded to a power of two, and to a warp at least


def alignments(
    log_p_BxTxK: jax.Array, labels_BxN: jax.Array, count_B: jax.Array, both_ways: bool, interpret: bool = False
) -> tuple[tuple[Wide, Wide], tuple[Wide, Wide] | None]:
    """Forward variables over time; with `both_ways` also over reversed time and labels, as a second direction.

    Args:
        log_p_BxTxK: log probabilities, float32, at least one frame; the blank is the last class.
        labels_BxN: int32, N at least 1.
        count_B: number of labels of each row, int32.
        interpret: compute the same without a GPU, slowly.

    Returns:
        (blank [D, B, N + 1], label [D, B, N]) after the last frame, with D directions; and with `both_ways` these over
        time, (blank [D, T, B, N + 1], label [D, T, B, N]): the first direction's after each frame's emission, the
        second's before it.
    """
    (batch, frames, classes), room = log_p_BxTxK.shape, labels_BxN.shape[1]
    ways, states = 1 + both_ways, max(_LANES, pl.next_power_of_2(room + 1))
    shapes = [(ways, batch, width) for width in (room + 1, room)] + [(ways, batch, 2, states)]
    blocks = [pl.BlockSpec((None, None, width), lambda b, d: (d, b, 0)) for width in (room + 1, room)]
    blocks.append(pl.BlockSpec((None, None, 2, states), lambda b, d: (d, b, 0, 0)))
    if both_ways:
        shapes += [(ways, frames, batch, width) for width in (room + 1, room)]
        blocks += [pl.BlockSpec((None, frames, None, shape[-1]), lambda b, d: (d, 0, b, 0)) for shape in shapes[3:]]
    found = pl.pallas_call(
        functools.partial(_walk, states=states, wait=not interpret),
        grid=(batch, ways),
        in_specs=[
            pl.BlockSpec((None, frames, classes), lambda b, d: (b, 0, 0)),
            pl.BlockSpec((None, room), lambda b, d: (b, 0)),
            pl.BlockSpec((1,), lambda b, d: (b,)),
        ],
        out_specs=[block for block in blocks for _ in Wide._fields],
        out_shape=[jax.ShapeDtypeStruct(shape, kind) for shape in shapes for kind in (jnp.float32, jnp.int32)],
        compiler_params=triton.CompilerParams(num_warps=min(8, states // _LANES)),
        interpret=interpret,
        name="ctc_alignments",
    )(log_p_BxTxK, labels_BxN, count_B)
    blank, label, _, *over_time = (Wide(*pair) for pair in zip(found[::2], found[1::2], strict=True))
    return (blank, label), (over_time[0], over_time[1]) if both_ways else None


def _walk(log_p_ref, labels_ref, count_ref, *out_refs, states: int, wait: bool) -> None:
    """One row in one direction. References: the inputs of `alignments`, then mantissa and exponent of each output."""
    blank_refs, label_refs, exchange_refs, *over_time = zip(out_refs[::2], out_refs[1::2], strict=True)
    (frames, classes), room = log_p_ref.shape, labels_ref.shape[0]
    state, back = jnp.arange(states), pl.program_id(1) == 1
    is_label = state < room

    def label_at(place):
        """Labels in this direction's order."""
        at = jnp.where(back, room - 1 - place, place)
        return triton.load(labels_ref.at[jnp.clip(at, 0, room - 1)])

    def log_at(frame):
        """Logarithms of the emissions of the blank and of the labels at this direction's frame."""
        at = jnp.minimum(frame, frames - 1)
        at = jnp.where(back, frames - 1 - at, at)
        blank = triton.load(log_p_ref.at[at, jnp.full((states,), classes - 1)])
        return blank, triton.load(log_p_ref.at[at, labels])

    labels = label_at(state)
    # Two equal neighbours need a blank between; a direction's first label has no neighbour before it.
    skip = ((labels != label_at(state - 1)) & (state > 0) & is_label).astype(jnp.float32)
    start = jnp.where(back, room - count_ref[0], 0)
    none = zeros((states,))
    one = Wide(jnp.ones(states, jnp.float32), jnp.zeros(states, jnp.int32))
    blank = Wide(*(jnp.where(state == start, a, b) for a, b in zip(one, none, strict=True)))

    def before(label: Wide, frame) -> Wide:
        """Label n - 1 at place n, zero at the first."""
        for ref, value in zip(exchange_refs, label, strict=True):
            triton.store(ref.at[frame & 1, state], value)
        if wait:
            triton.debug_barrier()
        found = (triton.load(ref.at[frame & 1, jnp.maximum(state - 1, 0)]) for ref in exchange_refs)
        return Wide(*(jnp.where(state > 0, x, empty) for x, empty in zip(found, none, strict=True)))

    def step(frame, carry):
        blank, label, (log_blank, log_label) = carry
        coming = log_at(frame + 1)  # asked for now, so that it is here when the next frame needs it
        earlier = before(label, frame)
        to_blank = add(blank, earlier)
        to_label = add(label, blank, Wide(earlier.mantissa * skip, earlier.exponent))
        blank, label = multiply(to_blank, from_log(log_blank)), multiply(to_label, from_log(log_label))
        label = Wide(*(jnp.where(is_label, x, empty) for x, empty in zip(label, none, strict=True)))
        kept = (to_blank, to_label), (blank, label)
        for refs, late, early, mask in zip(over_time, *kept, (state <= room, is_label), strict=bool(over_time)):
            for ref, second, first in zip(refs, late, early, strict=True):
                triton.store(ref.at[frame, state], jnp.where(back, second, first), mask=mask)
        return blank, label, coming

    blank, label, _ = jax.lax.fori_loop(0, frames, step, (blank, none, log_at(0)))
    for refs, value, mask in ((blank_refs, blank, state <= room), (label_refs, label, is_label)):
        for ref, x in zip(refs, value, strict=True):
            triton.store(ref.at[state], x, mask=mask)
