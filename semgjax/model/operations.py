"""Which form of attention, convolution and CTC a device gets: what suits it, or what was asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp

from semgjax.errors import InputError
from semgjax.kernels.blocks import block_attention
from semgjax.kernels.convolutions import banded_products, strided_products
from semgjax.kernels.cudnn import cudnn_attention
from semgjax.kernels.norms import flat_norm, flat_step_sums
from semgjax.kernels.tiles import tiled_attention
from semgjax.model import encoder
from semgjax.model.encoder import Operations
from semgjax.model.kind import Network

Attention = Literal["auto", "reference", "tiles", "blocks", "cudnn"]
Convolution = Literal["auto", "reference", "products"]
CTCForm = Literal["scan", "fused"]
_ATTENTION: dict[str, Callable[..., jax.Array]] = {
    "reference": encoder.attention,
    "tiles": tiled_attention,
    "blocks": block_attention,
    "cudnn": cudnn_attention,
}


@dataclass(frozen=True)
class Kernels:
    """What is asked for; all forms give the same values beyond rounding."""

    attention: Attention = "auto"
    convolution: Convolution = "auto"
    ctc: CTCForm = "scan"


AUTO = Kernels()
REFERENCE = Kernels("reference", "reference")


def platform() -> str:
    """Kind of device that the present trace is for: of the mesh set by `jax.set_mesh`, else of the default device."""
    abstract = jax.sharding.get_abstract_mesh().abstract_device
    return jax.default_backend() if abstract is None else abstract.platform


def check_kernels(kernels: Kernels, config: Network, kind: str, dtype: Any) -> None:
    """See that a kind of device can do what is asked for.

    Raises:
        InputError: it cannot, or the network has no attention to choose a form of ("conflict").
    """
    if kernels.ctc == "fused" and kind != "gpu":
        raise InputError(f"engine.ctc fused: needs a GPU, and the device is a {kind}; choose scan", "conflict")
    _check_attention(kernels, config, kind, dtype)


def _check_attention(kernels: Kernels, config: Network, kind: str, dtype: Any) -> None:
    name, problem = kernels.attention, ""
    if not config.ATTENDS:
        problem = "" if name in ("auto", "reference") else "this network has no attention"
    elif name == "blocks" and config.attention_window is None:
        problem = "blocks need a bounded model.attention-window"
    elif name == "cudnn" and kind != "gpu":
        problem = f"cuDNN needs a GPU, and the device is a {kind}"
    elif name == "cudnn" and jnp.dtype(dtype) not in (jnp.float16, jnp.bfloat16):
        problem = f"cuDNN computes no {jnp.dtype(dtype)}; set train.compute to bfloat16"
    if problem:
        raise InputError(f"engine.attention {name}: {problem}; choose another, or auto", "conflict")


def choose_attention(asked: str, kind: str, time: int, window: int | None) -> str:
    """The form of attention for a kind of device and a length, in frames."""
    if asked != "auto":
        return asked
    if kind == "cpu":
        return "tiles"
    # Blocks of the window pay only when there are several of them.
    return "reference" if window is None or time < 4 * window else "blocks"


def operations(kernels: Kernels, config: Network, dtype: Any, samples: int) -> Operations:
    """The costly parts for the device that the present trace is for.

    Raises:
        InputError: as `check_kernels`, of attention.
    """
    kind = platform()
    _check_attention(kernels, config, kind, dtype)
    chosen = Operations(layer_norm=flat_norm(encoder.layer_norm), step_sums=flat_step_sums)
    if kernels.convolution == "products" or (kernels.convolution == "auto" and kind == "cpu"):
        chosen = chosen._replace(strided_conv=strided_products, grouped_conv=banded_products)
    if not config.ATTENDS:
        return chosen
    form = choose_attention(kernels.attention, kind, samples // config.stride, config.attention_window)
    return chosen._replace(attention=_ATTENTION[form])
