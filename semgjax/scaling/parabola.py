"""The parabola through three points: how an error depends on the log of a learning rate near the best one."""

from collections.abc import Sequence
from typing import NamedTuple


class Parabola(NamedTuple):
    """A parabola.

    Attributes:
        vertex: where it is lowest; None where it opens downwards or is a line.
        curvature: second derivative.
    """

    vertex: float | None
    curvature: float


def parabola(x: Sequence[float], y: Sequence[float]) -> Parabola:
    """Through three points with different x, by divided differences (Press et al. 2007, Numerical Recipes, 10.3)."""
    near = (y[1] - y[0]) / (x[1] - x[0])
    far = (y[2] - y[1]) / (x[2] - x[1])
    bend = (far - near) / (x[2] - x[0])
    vertex = 0.5 * (x[0] + x[1] - near / bend) if bend > 0.0 else None
    return Parabola(vertex, 2.0 * bend)
