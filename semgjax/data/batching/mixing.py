"""Batches of labelled and unlabelled windows: which rows are unlabelled, and the order of the windows."""

from dataclasses import dataclass

import grain.python as grain
import numpy as np

from semgjax.errors import InputError


def unlabelled_rows(batch: int, share: float) -> np.ndarray:
    """Which rows of a batch are unlabelled, bool [batch]: round(share x batch) of them, evenly spread.

    Raises:
        InputError: not 0 <= share < 1, or so small or large a share that no row of one kind is left ("bad-value").
    """
    count = round(share * batch) if 0 <= share < 1 else -1
    if not 0 <= count < batch or (share and not count):
        raise InputError(
            f"a share {share} of unlabelled windows in a batch of {batch} is {max(count, 0)} rows; give a share in "
            "[0, 1) that leaves rows of both kinds",
            "bad-value",
        )
    passed = np.arange(batch + 1) * count // batch
    return passed[1:] > passed[:-1]


@dataclass(frozen=True)
class _Join:
    """(step, labelled window indices) -> the indices of the whole batch, the unlabelled ones in their rows."""

    unlabelled: grain.MapDataset
    rows: np.ndarray
    offset: int

    def __call__(self, step: int, labelled: np.ndarray) -> np.ndarray:
        indices = np.empty(len(self.rows), np.int64)
        indices[~self.rows] = labelled
        indices[self.rows] = self.offset + self.unlabelled[step]
        return indices


def mixed_batches(labelled: int, unlabelled: int, share: float | None, batch: int, seed: int) -> grain.MapDataset:
    """An endless sequence of index arrays int64 [batch]; index i >= `labelled` is unlabelled window i - `labelled`.

    Labelled and unlabelled windows have shuffled epochs of their own. With share None they have one in common: a batch
    then has labelled and unlabelled rows by their number, on average.

    Args:
        labelled, unlabelled: numbers of windows, 1 or more.

    Raises:
        InputError: as `unlabelled_rows`.
    """
    if share is None:
        return shuffled(labelled + unlabelled, seed).batch(batch, drop_remainder=True)
    rows = unlabelled_rows(batch, share)
    # A seed of its own, or equally many windows of both kinds would come in one order.
    other = int(np.random.SeedSequence((seed, 1)).generate_state(1)[0])
    join = _Join(shuffled(unlabelled, other).batch(int(rows.sum()), drop_remainder=True), rows, labelled)
    return shuffled(labelled, seed).batch(int((~rows).sum()), drop_remainder=True).map_with_index(join)


def shuffled(windows: int, seed: int) -> grain.MapDataset:
    """An endless sequence of window indices; every epoch has its own order."""
    return grain.MapDataset.source(range(windows)).seed(seed).shuffle().repeat()
