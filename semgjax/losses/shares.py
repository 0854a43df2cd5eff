"""The share of the teacher's term in the loss, by step."""

from typing import Literal

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

Schedule = Literal["constant", "linear", "cosine"]


def share_at(step: ArrayLike, steps: int, first: float, last: float, schedule: Schedule) -> float | jax.Array:
    """`first` at step 0, `last` at step `steps` - 1, a line or half a cosine between; constant: `first`.

    A teacher's weight that falls lets the student first follow the teacher and then the labels (teacher
    annealing: Clark et al. 2019, "BAM! Born-Again Multi-Task Networks for Natural Language Understanding").
    """
    if schedule == "constant":
        return first
    done = jnp.clip(jnp.asarray(step, jnp.float32) / max(steps - 1, 1), 0.0, 1.0)
    moved = done if schedule == "linear" else 0.5 * (1.0 - jnp.cos(jnp.pi * done))
    return first + (last - first) * moved
