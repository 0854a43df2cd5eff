"""The shape of the transformer's front end, convolutions or power: its checks, its frame, its width and its cost."""

import itertools
import math
from typing import TYPE_CHECKING

from semgjax.errors import InputError

if TYPE_CHECKING:
    from semgjax.model.config import ModelConfig

WIDEST = 65_536
"""upper limit of widths, so that a typing error does not allocate all memory"""
POWER_FEATURES = 2
"""of an electrode in a frame of the power front end: root mean square and mean absolute difference"""


def check_front(config: "ModelConfig") -> None:
    """Raises InputError: the front end that a configuration describes cannot be built ("bad-value")."""
    _check_convolutions(config)
    if config.frontend == "power":
        _check_power(config)


def _check_convolutions(config: "ModelConfig") -> None:
    if (
        len({len(config.conv_widths), len(config.conv_kernels), len(config.conv_strides)}) != 1
        or not config.conv_widths
    ):
        raise InputError("model: conv_widths, conv_kernels and conv_strides must have one entry per layer", "bad-value")
    for kernel, stride in zip(config.conv_kernels, config.conv_strides, strict=True):
        if not 1 <= stride <= kernel:
            raise InputError(
                f"model: convolution of {kernel} taps and stride {stride} skips samples; use more taps", "bad-value"
            )
    if min(config.conv_widths) < 1 or max(*config.conv_widths, *config.conv_kernels) > WIDEST:
        raise InputError(
            f"model: conv_widths {config.conv_widths} and conv_kernels {config.conv_kernels} must be at least 1, and "
            f"no more than {WIDEST}",
            "bad-value",
        )


def _check_power(config: "ModelConfig") -> None:
    if not config.rings or min(config.rings) < 1 or sum(config.rings) != config.channels:
        raise InputError(
            f"model: rings {config.rings} must have one electrode or more each, and {config.channels} together, as "
            "many as channels",
            "bad-value",
        )
    # A frame of one sample has no difference of neighbours within it.
    for name, least in (("power_frame", 2), ("power_width", 1), ("power_turns", 0)):
        if not least <= getattr(config, name) <= WIDEST:
            raise InputError(f"model: {name} {getattr(config, name)} must lie in {least} to {WIDEST}", "bad-value")
    if config.power_turns > most_turns(config.rings):
        raise InputError(
            f"model: power_turns {config.power_turns} turns a ring of {min(config.rings)} electrodes onto itself; "
            f"choose at most {most_turns(config.rings)}",
            "bad-value",
        )


def most_turns(rings: tuple[int, ...]) -> int:
    """By how many electrodes all rings can be turned to either side without two turns being the same."""
    return (min(rings) - 1) // 2


def frame_samples(config: "ModelConfig") -> int:
    """Samples per frame."""
    return config.power_frame if config.frontend == "power" else math.prod(config.conv_strides)


def front_width(config: "ModelConfig") -> int:
    """Features of a frame that the front end gives."""
    return config.power_width * len(config.rings) if config.frontend == "power" else config.conv_widths[-1]


def ring_places(config: "ModelConfig") -> tuple[tuple[int, int], ...]:
    """First and last + 1 channel of each ring."""
    ends = tuple(itertools.accumulate(config.rings))
    return tuple(zip((0, *ends[:-1]), ends, strict=True))


def multiply_adds(config: "ModelConfig", samples: int) -> int:
    """Multiply-adds of the front end's matrix products over `samples` samples."""
    if config.frontend == "power":
        places = 2 * config.power_turns + 1
        return samples // config.power_frame * places * POWER_FEATURES * config.channels * config.power_width
    time, inputs, total = samples, config.channels, 0
    for width, kernel, stride in zip(config.conv_widths, config.conv_kernels, config.conv_strides, strict=True):
        time //= stride
        total += time * kernel * inputs * width
        inputs = width
    return total
