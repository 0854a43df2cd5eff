"""Parameters, logits and size of any network, with the kernels that suit the device."""

from functools import cache

import jax
import jax.numpy as jnp

from semgjax.model.encoder import Params, count_parameters
from semgjax.model.kind import Network
from semgjax.model.operations import AUTO, Kernels, operations


def init(config: Network, key: jax.Array) -> Params:
    """Fresh parameters: a nested dict of float32 arrays."""
    return config.init(key)


def apply(
    config: Network,
    params: Params,
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    train_key: jax.Array | None = None,
    remat: str = "cheap",
    rows_B: jax.Array | None = None,
    kernels: Kernels = AUTO,
) -> jax.Array:
    """Logits [B, T / stride, classes], float32; frame t ends at sample (t + 1) stride - 1 (see `encoder.apply`).

    Args:
        kernels: forms of attention and convolution (default: what suits the device).

    Raises:
        InputError: T is no multiple of the stride, another channel count, or a form that the device cannot do.
    """
    ops = operations(kernels, config, emg_BxTxC.dtype, emg_BxTxC.shape[1])
    return config.apply(params, emg_BxTxC, valid_BxT, train_key, remat, rows_B, ops)


def hidden(
    config: Network,
    params: Params,
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    train_key: jax.Array | None = None,
    remat: str = "cheap",
    rows_B: jax.Array | None = None,
    kernels: Kernels = AUTO,
) -> tuple[jax.Array, jax.Array]:
    """The logits of `apply`, and the frames after each layer [layers, B, T / stride, D]; the head reads the last.

    Raises:
        InputError: as `apply`; or the network offers no hidden frames ("conflict").
    """
    ops = operations(kernels, config, emg_BxTxC.dtype, emg_BxTxC.shape[1])
    return config.hidden(params, emg_BxTxC, valid_BxT, train_key, remat, rows_B, ops)


@cache
def hidden_shape(config: Network) -> tuple[int, int]:
    """Layers and width of a network's hidden frames; nothing is computed.

    Raises:
        InputError: the network offers none ("conflict").
    """
    emg, valid = jnp.zeros((1, config.stride, config.channels)), jnp.ones((1, config.stride), bool)
    found = jax.eval_shape(lambda: hidden(config, init(config, jax.random.key(0)), emg, valid)[1])
    return found.shape[0], found.shape[-1]


@cache
def count(config: Network) -> int:
    """Number of parameters of a network; none are allocated."""
    return count_parameters(jax.eval_shape(lambda: init(config, jax.random.key(0))))
