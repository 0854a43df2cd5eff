"""CompleteP: scales of a transformer's branches, rates and epsilons, so that what is tuned on one suits a larger one.

Dey et al., "Don't be lazy: CompleteP enables compute-efficient deep transformers" (2025), Table 1 with alpha = 1; in
width it is the maximal update parametrization (Yang et al., "Tensor Programs V", 2022). At the base (config.base_dim
wide, config.base_layers deep) every factor is 1, that of the standard parametrization.
"""

import re
import typing
from typing import NamedTuple

import jax

from semgjax.model.config import ModelConfig

if typing.TYPE_CHECKING:
    from semgjax.model.encoder import Params

WIDEST_HEAD = 32
"""width of a head from which on the logits of attention are divided by it, not by its root: the ladders' widest one"""
GROUP = 16
"""inputs of a group of the position convolution in the ladders, and in the base"""
_NARROWEST_FRONT, _FIXED_FRONT = 32, 16
"""the ladder's convolutions are 16 + width / 2 wide, and at least 32 (semgjax.model.presets)"""


class Factors(NamedTuple):
    """What a tensor's AdamW has of the configured one."""

    rate: float
    """of the learning rate; weight decay per step stays learning rate x decay, as in the base"""
    epsilon: float
    """of epsilon"""
    width: float
    """inputs of the tensor, as a multiple of the base's; 1 where they do not grow with the network"""


PLAIN = Factors(1.0, 1.0, 1.0)


def residual_scale(config: ModelConfig) -> float:
    """Factor of each residual branch: base_layers / layers."""
    return config.base_layers / config.layers if config.complete_p else 1.0


def logit_scale(config: ModelConfig) -> float:
    """Factor of the logits of attention beside 1 / sqrt(head): they are divided by the head's width where it grows."""
    head = config.dim // config.heads
    return (WIDEST_HEAD / head) ** 0.5 if config.complete_p and head > WIDEST_HEAD else 1.0


def output_scale(config: ModelConfig) -> float:
    """Factor of the frames that the last layer reads: base_dim / dim."""
    return config.base_dim / config.dim if config.complete_p else 1.0


def initial_scale(config: ModelConfig, path: tuple[str, ...]) -> float:
    """Factor of a matrix's initial weights, whose variance is 1 / inputs.

    Zero for the last matrix of each residual branch: random branches add less to the frames the deeper a network is, so
    that networks of two depths would differ before their first step. The last layer starts with the variance of the
    base, as the frames that it reads are scaled instead.
    """
    if not config.complete_p:
        return 1.0
    if path[0] == "head":
        return output_scale(config) ** -0.5
    return 0.0 if path[-1] in ("out", "contract") else 1.0


def factors(config: ModelConfig, params: "Params") -> "Params":
    """`Factors` for every leaf, by rules over its path; leaves that are not the network's have no factors (`PLAIN`)."""
    rules = [(re.compile(pattern), found) for pattern, found in _rules(config)]

    def of(path: tuple[jax.tree_util.DictKey, ...], _: jax.Array) -> Factors:
        name = "/".join(str(key.key) for key in path)
        return next((found for pattern, found in rules if pattern.search(name)), PLAIN)

    return typing.cast("Params", jax.tree_util.tree_map_with_path(of, params))


def _rules(config: ModelConfig) -> list[tuple[str, Factors]]:
    """(pattern of a path, factors), the first that fits counts."""
    if not config.complete_p:
        return []
    width, depth = config.dim / config.base_dim, config.layers / config.base_layers
    gains = float(config.gains == "trained")
    front = config.power_width if config.frontend == "power" else config.conv_widths[-1]

    def matrix(wider: float, deeper: float = 1.0) -> Factors:
        return Factors(1.0 / wider, 1.0 / (width * deeper), wider)

    return [
        (r"^(layers/)?norm_\w+/scale$|^frontend/norm/scale$", Factors(gains, 1.0 / width, 1.0)),
        (r"^layers/.*kernel$", matrix(width, depth)),
        (r"^layers/", Factors(1.0, 1.0 / (width * depth), 1.0)),
        *(
            (rf"^frontend/conv{index}/", matrix(config.conv_widths[index - 1] / _base_convolution(config)))
            for index in range(1, len(config.conv_widths))
        ),
        (r"^project/kernel$", matrix(front / config.base_dim)),
        (r"^position/direction$", matrix(config.dim / config.position_groups / GROUP)),
        # Its output is multiplied instead (`output_scale`).
        (r"^head/", PLAIN),
        (r"^(frontend|norm_frontend|project|position|mask_vector|norm_out)(/|$)", Factors(1.0, 1.0 / width, 1.0)),
    ]


def _base_convolution(config: ModelConfig) -> int:
    return max(_NARROWEST_FRONT, _FIXED_FRONT + config.base_dim // 2)
