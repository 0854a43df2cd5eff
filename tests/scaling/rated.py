"""Made-up tables of sizes at several learning rates, whose truth is known."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

SIZES = tuple(float(size) for size in np.geomspace(1e4, 1e6, 6))
CURVATURE = 0.1


def best_error(size: float) -> float:
    """Error in percent at the best rate."""
    return 8.0 + 60.0 * (size / 1e4) ** -0.45


def best_rate(size: float) -> float:
    return 2e-3 * (size / 1e5) ** -0.3


def error(size: float, rate: float) -> float:
    return best_error(size) * math.exp(0.5 * CURVATURE * math.log(rate / best_rate(size)) ** 2)


def table(rates: Mapping[float, Sequence[float]], noise: float = 0.0, seeds: int = 1) -> dict[str, list[float]]:
    """Columns params, lr and cer of runs at each size's rates."""
    random = np.random.default_rng(0)
    rows = [(size, rate) for size, tried in rates.items() for rate in tried for _ in range(seeds)]
    return {
        "params": [size for size, _ in rows],
        "lr": [rate for _, rate in rows],
        "cer": [error(*row) * math.exp(noise * random.standard_normal()) for row in rows],
    }


def around(size: float, shift: float = 1.0) -> tuple[float, ...]:
    """Three rates, a factor of 2 apart, the middle one the best times `shift`."""
    middle = best_rate(size) * shift
    return (middle / 2.0, middle, middle * 2.0)
