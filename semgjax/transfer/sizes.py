"""Sizes of activations that a coordinate check measures, and how far they change from network to network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

HIDDEN = ("third of the layers", "two thirds", "last layer")
ROWS = (*HIDDEN, "logits")
BOUND = 1.1
"""largest ratio between members of a family whose hidden rows are said to keep their size"""


@dataclass(frozen=True)
class Sizes:
    """Root mean squares of one member's activations, over valid frames and coordinates.

    Attributes:
        width, depth: of the network.
        size: [rows, steps + 1], before each step and after the last one; the rows are `ROWS`.
        moved: [rows, steps + 1], of the difference from the network before its first step.
    """

    width: int
    depth: int
    size: np.ndarray
    moved: np.ndarray


def spread(members: Sequence[Sizes], row: str) -> float:
    """Largest ratio of a row's size between two members, over all steps."""
    sizes = np.array([member.size[ROWS.index(row)] for member in members])
    return float((sizes.max(axis=0) / sizes.min(axis=0)).max())
