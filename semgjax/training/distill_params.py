"""Parameters that only training with a teacher needs: heads of intermediate layers and the projector of features.

They are in params["distill"], and leave with the end of training: no network reads them, and they are not evaluated,
exported or counted.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax.nn.initializers import lecun_normal

from semgjax.errors import InputError
from semgjax.model import network
from semgjax.model.config import Network
from semgjax.model.encoder import Params, dense, layer_norm, mostly_blank
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import RunConfig

EXTRA = "distill"
_STREAM = 17
"""folded into the seed's key: these parameters change none of the network's own"""


def with_extra(config: RunConfig, params: Params, key: jax.Array) -> Params:
    """The network's fresh parameters, and those that the run's distillation needs; a run without any gets them as is.

    Raises:
        InputError: the network has no hidden frames or not that layer ("conflict", "bad-value"), or feature_width is
            missing, which pairing with a teacher sets ("bad-value").
    """
    if EXTRA in params:
        raise InputError(
            f"network {config.model.NETWORK!r}: names its own parameters {EXTRA!r}, the place of those that a teacher "
            "needs; choose another name",
            "conflict",
        )
    if config.distill is None or not config.distill.needs_hidden:
        return params
    return params | {EXTRA: _fresh(config, config.distill, jax.random.fold_in(key, _STREAM))}


def check_hidden(model: Network, distill: DistillConfig) -> int:
    """The width of a student's hidden frames, which the options of its distillation fit.

    Raises:
        InputError: see `with_extra`.
    """
    layers, width = network.hidden_shape(model)
    if distill.intermediate and distill.intermediate[-1] >= layers:
        raise InputError(
            f"distill.intermediate {distill.intermediate[-1]} must lie below the last of {layers} layers, which has "
            "the run's own output",
            "bad-value",
        )
    if distill.features and not distill.feature_width:
        raise InputError(
            "distill.feature_width 0 must be the width of the teacher's hidden frames; pair the run with its teacher "
            "by semgjax.distill",
            "bad-value",
        )
    return width


def without_extra(params: Params) -> Params:
    """The network's own parameters."""
    return {name: part for name, part in params.items() if name != EXTRA} if EXTRA in params else params


def intermediate_logits(extra: Params, layer: int, hidden_BxTxD: jax.Array) -> jax.Array:
    """Logits [B, T, K], float32, of the head of a layer (from 1): a layer norm and a linear layer.

    A CTC loss on layers below the last: Lee and Watanabe 2021, "Intermediate Loss Regularization for CTC-based Speech
    Recognition". The teacher's part at these layers too: Yoon et al. 2022, "Inter-KD: Intermediate Knowledge
    Distillation for CTC-Based Automatic Speech Recognition" (arXiv 2211.15075).
    """
    own = extra[f"layer{layer}"]
    return dense(own["head"], layer_norm(hidden_BxTxD, **own["norm"])).astype(jnp.float32)


def _fresh(config: RunConfig, distill: DistillConfig, key: jax.Array) -> Params:
    width = check_hidden(config.model, distill)
    heads, projector = jax.random.split(key)
    made: Params = {}
    for layer in distill.intermediate:
        made[f"layer{layer}"] = {
            "norm": {"scale": jnp.ones(width), "bias": jnp.zeros(width)},
            "head": _linear(jax.random.fold_in(heads, layer), width, config.model.classes, mostly_blank),
        }
    if distill.features:
        made["projector"] = _linear(projector, width, distill.feature_width, None)
    return made


def _linear(key: jax.Array, inputs: int, outputs: int, bias: Any) -> Params:
    return {
        "kernel": lecun_normal()(key, (inputs, outputs)),
        "bias": jnp.zeros(outputs) if bias is None else bias(key, (outputs,)),
    }
