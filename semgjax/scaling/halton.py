"""Scrambled Halton sequences: points that fill a box evenly, the same for a seed."""

import math
from collections.abc import Iterator
from itertools import count as numbers
from itertools import islice

import numpy as np


def halton(dimensions: int, count: int, seed: int) -> np.ndarray:
    """Points [count, dimensions] in (0, 1), digits scrambled (Owen 2017, arXiv:1706.02808).

    The numbers are those of `scipy.stats.qmc.Halton(dimensions, seed=seed).random(count)`; importing scipy.stats for
    them takes half a second.
    """
    random = np.random.default_rng(seed)
    columns = []
    for base in islice(_primes(), dimensions):
        digits = math.ceil(54 / math.log2(base)) - 1
        orders = np.repeat(np.arange(base)[None], digits, axis=0)
        for order in orders:
            random.shuffle(order)
        rest, share, column = np.arange(count), 1.0 / base, np.zeros(count)
        for order in orders:
            column += order[rest % base] * share
            share /= base
            rest = rest // base
        columns.append(column)
    return np.stack(columns, axis=1)


def _primes() -> Iterator[int]:
    found: list[int] = []
    for number in numbers(2):
        if all(number % prime for prime in found):
            found.append(number)
            yield number
