"""The cost of a network and of a training step in floating-point operations, two per multiply-add."""

from collections.abc import Sequence

from semgjax.model.kind import Network


def forward_flops(config: Network, samples: int) -> float:
    """Operations of the matrix products of a forward pass over `samples` samples, by the network's own count."""
    return config.flops(samples)


def train_flops(config: Network, samples: int, teachers: Sequence[Network] = ()) -> float:
    """Operations of a training step on one window: forward, twice that backward, and each teacher's forward."""
    return 3.0 * forward_flops(config, samples) + sum(forward_flops(teacher, samples) for teacher in teachers)
