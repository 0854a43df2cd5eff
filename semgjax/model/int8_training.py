"""A network's output as an int8 export computes it, with gradients: what quantisation-aware training minimises."""

from typing import Any

import jax

from semgjax.model import network
from semgjax.model.encoder import Params
from semgjax.model.int8_scheme import ROUNDED
from semgjax.model.kind import Network
from semgjax.model.operations import Kernels
from semgjax.model.plain_form import plain


def apply_rounded(
    config: Network,
    params: Params,
    emg_BxTxC: jax.Array,
    valid_BxT: jax.Array,
    train_key: jax.Array | None,
    rows_B: jax.Array | None,
    kernels: Kernels,
    hidden: bool = False,
) -> Any:
    """`semgjax.model.network.apply`, or `hidden`, with the rounding of `semgjax.model.int8_scheme`.

    The rounding of weights and of what they multiply is passed by gradients as if it were not there.

    Raises:
        InputError: as they do.
    """
    inside = network.hidden if hidden else network.apply

    def forward(params: Params, *inputs: Any) -> Any:
        emg, valid, key, rows = inputs
        return inside(config, params, emg, valid, key, "none", rows, kernels)

    given = (params, emg_BxTxC, valid_BxT, train_key, rows_B)
    return plain(forward, *given, replaced=ROUNDED, differentiable=True)(*given)
