"""The best learning rate of one network from a few tried ones, and how far it moves from network to network."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.scaling.parabola import parabola
from semgjax.scaling.quantiles import t_quantile

LEVEL = 0.95


@dataclass(frozen=True)
class Optimum:
    """Best rate of a network.

    Attributes:
        rate: geometric mean over seeds.
        interval: of that mean, Student's t over seeds; None with one seed.
        edge: a seed's best rate is the smallest or largest one tried, so that the best one may lie beyond.
    """

    rate: float
    interval: tuple[float, float] | None
    edge: bool


def optimum(tried: Sequence[Mapping[float, float]]) -> Optimum:
    """The best rate from (rate -> loss) of each seed; infinite losses are runs that diverged.

    Of each seed: the minimum of the parabola through the lowest loss and its two neighbours over the log of the rate,
    no farther away than these; the lowest one itself at an edge or beside a run that diverged.
    """
    places, edges = zip(*(_of_seed(losses) for losses in tried), strict=True)
    logs = np.array(places)
    mean, interval = float(logs.mean()), None
    if len(logs) > 1:
        half = float(t_quantile(0.5 + LEVEL / 2, len(logs) - 1)) * logs.std(ddof=1) / math.sqrt(len(logs))
        interval = (math.exp(mean - half), math.exp(mean + half))
    return Optimum(math.exp(mean), interval, any(edges))


def _of_seed(losses: Mapping[float, float]) -> tuple[float, bool]:
    """(log of the best rate, whether it is an edge)."""
    rates = sorted(losses)
    best = min(range(len(rates)), key=lambda place: losses[rates[place]])
    if not 0 < best < len(rates) - 1:
        return math.log(rates[best]), True
    three = rates[best - 1 : best + 2]
    x, y = [math.log(rate) for rate in three], [losses[rate] for rate in three]
    vertex = parabola(x, y).vertex if all(map(math.isfinite, y)) else None
    return x[1] if vertex is None else min(max(vertex, x[0]), x[2]), False


def drift(optima: Sequence[Optimum]) -> float:
    """Largest ratio between the best rates of two networks."""
    rates = [found.rate for found in optima]
    return max(rates) / min(rates)
