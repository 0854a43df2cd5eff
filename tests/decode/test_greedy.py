"""Greedy decoding on paths that are easy to read."""

import numpy as np
import pytest

from semgjax.data.keys import BLANK, NUM_CLASSES
from semgjax.decode.greedy import greedy

B = BLANK


def emissions(path: list[int]) -> np.ndarray:
    """Noise, with the class of each frame on top."""
    logits = np.random.default_rng(0).normal(size=(len(path), NUM_CLASSES)).astype(np.float32)
    logits[np.arange(len(path)), path] = 10.0
    return logits


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ([3], [3]),
        ([3, 3, 3], [3]),
        ([3, B, 3], [3, 3]),
        ([3, 3, B, B, 3, 4, 4, 3], [3, 3, 4, 3]),
        ([B, 0, B, 97, B], [0, 97]),
        ([B, B, B, B], []),
        ([B], []),
        ([], []),
    ],
)
def test_repeats_are_merged_unless_a_blank_is_between_and_blanks_are_dropped(path, labels):
    found = greedy(emissions(path))
    assert found.tolist() == labels
    assert found.dtype == np.int32
