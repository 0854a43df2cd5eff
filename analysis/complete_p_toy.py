"""The toy of CompleteP: does a block learn with both of its layers, whatever the depth?

    .venv/bin/python -m analysis.complete_p_toy

A residual perceptron of width 256, h + m W2 relu(W1 h), takes one step of Adam at 1e-4. Of the change of the first
block's product W2 W1 the part that needs both layers, dW2 dW1, is compared with the part that each makes alone,
dW2 W1 + W2 dW1. With branches times 1 / depth (alpha 1) their ratio does not depend on the depth: blocks learn with
both layers ("complete" feature learning; Dey et al. 2025, section 5). With 1 / sqrt(depth) (alpha 1/2), whose learning
rate must fall as 1 / sqrt(depth), it falls likewise, and the blocks of a deep network learn as linear ones.
"""

import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from analysis import command
from analysis.study import markdown

WIDTH, EXAMPLES, RATE, EPSILON = 256, 256, 1e-4, 1e-8
BASE_DEPTH = 2
PUBLISHED = {
    1.0: (8.71, 8.94, 8.81, 8.59, 8.46, 8.36, 8.34, 8.34, 8.31, 8.35, 8.34, 8.31),
    0.5: (8.73, None, 4.97, None, 2.61, None, 1.33, None, 0.66, None, 0.33, None),
}
"""1e4 times the ratio at depths 2, 4, 8, ..., 4096"""


@dataclass(frozen=True)
class Options:
    """How much is simulated."""

    depths: tuple[int, ...] = (2, 8, 32, 128, 512)
    """residual blocks, powers of two; memory grows with them (2,048 take 1 GB)"""
    seeds: int = 31
    """of weights and examples; the median is taken"""


@functools.partial(jax.jit, static_argnums=(1, 2))
def ratio(key: jax.Array, depth: int, alpha: float) -> jax.Array:
    """|dW2 dW1| / |dW2 W1 + W2 dW1| of the first block (Frobenius norms) after one step of Adam."""
    of_first, of_second, of_x, of_y, of_read = jax.random.split(key, 5)
    first, second = (jax.random.normal(one, (depth, WIDTH, WIDTH)) * WIDTH**-0.5 for one in (of_first, of_second))
    x_BxN = jax.random.normal(of_x, (EXAMPLES, WIDTH))
    y_B, read_N = jax.random.normal(of_y, (EXAMPLES,)), jax.random.normal(of_read, (WIDTH,)) / WIDTH

    def loss(weights: tuple[jax.Array, jax.Array]) -> jax.Array:
        def block(h: jax.Array, pair: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
            return h + depth**-alpha * jax.nn.relu(h @ pair[0].T) @ pair[1].T, None

        h, _ = jax.lax.scan(block, x_BxN, weights)
        return jnp.mean((h @ read_N - y_B) ** 2)

    rate = RATE * (depth / BASE_DEPTH) ** (alpha - 1.0)
    # The first step of Adam: moments are the gradient and its square.
    d1, d2 = (-rate * g[0] / (jnp.abs(g[0]) + EPSILON) for g in jax.grad(loss)((first, second)))
    return jnp.linalg.norm(d2 @ d1) / jnp.linalg.norm(d2 @ first[0] + second[0] @ d1)


def medians(options: Options, alpha: float) -> list[float]:
    """Median of 1e4 times the ratio over seeds, at each depth."""
    keys = jax.random.split(jax.random.key(0), options.seeds)
    return [float(np.median([1e4 * ratio(key, depth, alpha) for key in keys])) for depth in options.depths]


def study(options: Options) -> str:
    """Both alphas at each depth beside the published values, as Markdown."""
    rows = []
    found = {alpha: medians(options, alpha) for alpha in PUBLISHED}
    for place, depth in enumerate(options.depths):
        cells = [str(depth)]
        for alpha, values in PUBLISHED.items():
            published = values[int(np.log2(depth)) - 1]
            cells += [f"{found[alpha][place]:.2f}", "" if published is None else f"{published:.2f}"]
        rows.append(cells)
    return markdown(["depth", "alpha 1", "published", "alpha 1/2", "published"], rows)


if __name__ == "__main__":
    command.run(study, Options, __doc__)
