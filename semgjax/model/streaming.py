"""The streaming form of a network: its own `apply` on the newest frames, what came before in a state of fixed size.

A network reaches across time only through `Operations`. Here these keep what the next frames need: the samples and
frames under a convolution, the keys and values within the attention window, and the running sums of the norms. So the
layers of a stream are those of the whole input, and their output is equal beyond rounding.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp

from semgjax.errors import InputError
from semgjax.kernels.masked import masked_softmax
from semgjax.model.encoder import Operations, Params
from semgjax.model.kind import Network
from semgjax.model.running import BLOCK, rolling_sum

State = tuple[jax.Array, ...]
"""arrays [B, ...] of one shape for the whole stream, in the order in which a pass asks for them"""


def why_not(config: Network) -> str | None:
    """Why a network cannot stream: it sees what follows a frame, or all that came before it, or it does not say that
    it can. None: it can."""
    if not config.STREAMS:
        return "let its mixing over time go through ops and set STREAMS (docs/guides/extend.md)"
    if config.look_ahead is None:
        return "it sees the whole input; train one with a rolling norm and bounded attention"
    if config.look_ahead:
        return f"a frame sees {config.look_ahead} samples after it; train one with model.causal true"
    if config.ATTENDS and config.attention_window is None:
        return "its attention has no bound; train one with model.attention-window"
    return None


def check_streams(config: Network) -> None:
    """
    Raises:
        InputError: the network cannot stream ("conflict").
    """
    why = why_not(config)
    if why is not None:
        raise InputError(f"network {config.NETWORK or 'transformer'}: cannot stream: {why}", "conflict")


@cache
def state_shapes(config: Network, rows: int = 1, dtype: Any = jnp.float32) -> tuple[jax.ShapeDtypeStruct, ...]:
    """Shapes of a stream's state; nothing is computed.

    Raises:
        InputError: as `check_streams`.
    """
    check_streams(config)
    params = jax.eval_shape(lambda: config.init(jax.random.key(0)))
    emg = jax.ShapeDtypeStruct((rows, config.stride, config.channels), dtype)
    valid = jax.ShapeDtypeStruct((rows, config.stride), jnp.bool_)
    state, _ = jax.eval_shape(lambda p, x, ok: _pass(config, p, None, x, ok), params, emg, valid)
    return state


def begin(config: Network, rows: int = 1, dtype: Any = jnp.float32) -> State:
    """The state before the first sample.

    Raises:
        InputError: as `check_streams`.
    """
    return tuple(jnp.zeros(part.shape, part.dtype) for part in state_shapes(config, rows, dtype))


def step(
    config: Network, params: Params, state: State, emg_BxTxC: jax.Array, valid_BxT: jax.Array | None = None
) -> tuple[State, jax.Array]:
    """The next frames: the state after them, and their natural-log probabilities, float32 [B, T / stride, classes].

    A pure function, to be compiled once for a T. Frame t of the stream depends on no sample after its own last one,
    (t + 1) stride - 1; the keys that it emits were pressed `config.emission_delay` samples before.

    Args:
        state: from `begin`, with as many rows, or from the last call.
        emg_BxTxC: the next samples in the type of the state; T is a multiple of the stride.
        valid_BxT: False where a sample is missing; None: all are there.
    """
    valid_BxT = jnp.ones(emg_BxTxC.shape[:2], bool) if valid_BxT is None else valid_BxT
    state, logits = _pass(config, params, state, emg_BxTxC, valid_BxT)
    return state, jax.nn.log_softmax(logits)


def _pass(config: Network, params: Params, state: State | None, emg_BxTxC, valid_BxT) -> tuple[State, jax.Array]:
    memory = _Memory(state)
    logits = config.apply(params, emg_BxTxC, valid_BxT, None, "none", None, _operations(memory))
    return tuple(memory.after), logits


class _Memory:
    """What the operations of one pass kept of the last one, in the order of their calls; zeros at the beginning."""

    def __init__(self, before: State | None) -> None:
        self._before = None if before is None else iter(before)
        self.after: list[jax.Array] = []

    def swap(self, shape: tuple[int, ...], dtype: Any, renew: Callable[[jax.Array], tuple[jax.Array, Any]]) -> Any:
        """`renew` of what was kept, which gives what to keep and a result."""
        before = jnp.zeros(shape, dtype) if self._before is None else next(self._before)
        after, result = renew(before)
        self.after.append(after)
        return result


def _operations(memory: _Memory) -> Operations:
    """The operations of a pass over the newest frames."""

    def history(x_BxTx: jax.Array, steps: int) -> jax.Array:
        def renew(before: jax.Array) -> tuple[jax.Array, jax.Array]:
            both = jnp.concatenate([before, x_BxTx], axis=1)
            return both[:, both.shape[1] - steps :], both

        return memory.swap((x_BxTx.shape[0], steps, *x_BxTx.shape[2:]), x_BxTx.dtype, renew) if steps else x_BxTx

    def fading(x_BxTxD: jax.Array, decay: float) -> jax.Array:
        """The sum of about a block in its own number, added to the older ones once a block, as `rolling_sum` does.

        One number for all, rounded at every frame, would settle at a place that is off by half a unit in its last
        place over 1 - decay: 1e-5 of it.
        """
        batch, time, width = x_BxTxD.shape
        frames_T = 1.0 + jnp.arange(time, dtype=jnp.float32)

        def renew(kept_BxS: jax.Array) -> tuple[jax.Array, jax.Array]:
            older_BxD, newer_BxD, count_Bx1 = jnp.split(kept_BxS, [width, 2 * width], axis=1)
            newer_BxTxD = newer_BxD[:, None] * (decay**frames_T)[:, None] + rolling_sum(
                x_BxTxD, decay, min(BLOCK, time)
            )
            total_BxTxD = newer_BxTxD + older_BxD[:, None] * (decay ** (count_Bx1 + frames_T))[..., None]
            count_Bx1 = count_Bx1 + time
            full_Bx1 = count_Bx1 >= BLOCK
            older_BxD = jnp.where(full_Bx1, total_BxTxD[:, -1], older_BxD)
            newer_BxD = jnp.where(full_Bx1, 0.0, newer_BxTxD[:, -1])
            count_Bx1 = jnp.where(full_Bx1, 0.0, count_Bx1)
            return jnp.concatenate([older_BxD, newer_BxD, count_Bx1], axis=1), total_BxTxD

        return memory.swap((batch, 2 * width + 1), jnp.float32, renew)

    def strided_conv(x_BxTxC: jax.Array, kernel_KxCxD: jax.Array, stride: int) -> jax.Array:
        taps, _, width = kernel_KxCxD.shape
        seen = history(x_BxTxC, taps - stride)
        steps = x_BxTxC.shape[1] // stride
        patches = jnp.stack([seen[:, at * stride : at * stride + taps] for at in range(steps)], axis=1)
        return patches.reshape(*patches.shape[:2], -1) @ kernel_KxCxD.reshape(-1, width)

    def grouped_conv(x_BxTxD: jax.Array, kernel_KxCxE: jax.Array, groups: int, padding: tuple[int, int]) -> jax.Array:
        taps, inputs, width = kernel_KxCxE.shape
        assert padding == (taps - 1, 0)  # causal, as check_streams sees to
        seen = history(x_BxTxD, taps - 1)
        patches = jnp.stack([seen[:, at : at + taps] for at in range(x_BxTxD.shape[1])], axis=1)
        patches = patches.reshape(*patches.shape[:3], groups, inputs)
        y = jnp.einsum("btkgi,kige->btge", patches, kernel_KxCxE.reshape(taps, inputs, groups, width // groups))
        return y.reshape(*x_BxTxD.shape[:2], width)

    def attention(q_BxTxHxD, k_BxTxHxD, v_BxTxHxD, valid_BxT, window: int, causal: bool) -> jax.Array:
        assert causal  # as check_streams sees to
        time = q_BxTxHxD.shape[1]
        k, v, valid_BxK = (history(x, window - 1) for x in (k_BxTxHxD, v_BxTxHxD, valid_BxT))
        age_TxK = jnp.arange(time)[:, None] + (window - 1) - jnp.arange(window - 1 + time)[None, :]
        mask = (((age_TxK >= 0) & (age_TxK < window))[None] & valid_BxK[:, None])[:, None]
        scores = jnp.einsum("bqhd,bkhd->bhqk", q_BxTxHxD, k).astype(jnp.float32) * q_BxTxHxD.shape[-1] ** -0.5
        weights = masked_softmax(scores, mask)
        return jnp.einsum("bhqk,bkhd->bqhd", weights.astype(v.dtype), v)

    return Operations(
        attention=attention,
        strided_conv=strided_conv,
        grouped_conv=grouped_conv,
        rolling_sum=fading,
        history=history,
        scan=_unrolled,
    )


def _unrolled(body: Callable[..., Any], carry: Any, xs: Any) -> tuple[Any, Any]:
    """`jax.lax.scan` as a loop of Python, so that every layer has a state of its own."""
    results = []
    for index in range(jax.tree.leaves(xs)[0].shape[0]):
        carry, result = body(carry, jax.tree.map(lambda x: x[index], xs))  # noqa: B023
        results.append(result)
    return carry, None if results[0] is None else jax.tree.map(lambda *parts: jnp.stack(parts), *results)
