"""The cost of a network and of a training step in floating-point operations, two per multiply-add."""

from semgjax.model.kind import Network


def forward_flops(config: Network, samples: int) -> float:
    """Operations of the matrix products of a forward pass over `samples` samples, by the network's own count."""
    return config.flops(samples)


def train_flops(config: Network, samples: int, teacher: Network | None = None) -> float:
    """Operations of a training step on one window: forward, twice that backward, and the teacher's forward."""
    extra = forward_flops(teacher, samples) if teacher is not None else 0.0
    return 3.0 * forward_flops(config, samples) + extra
