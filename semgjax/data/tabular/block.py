"""Some samples of a table in order: signal, labels and times, and where each stands in its file."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Block:
    """Consecutive samples of one file.

    Attributes:
        emg_TxC: float64.
        labels: a label for each sample, numbers or text; None if the file has none.
        time: float64, in the file's unit; None if the file has none.
        name_of: a label's name in the files.
        place_of: where a sample of the block stands ("line 17"), for messages.
        first: number of the first sample in the file.
    """

    emg_TxC: np.ndarray
    labels: np.ndarray | None
    time: np.ndarray | None
    name_of: Callable[[object], str]
    place_of: Callable[[int], str]
    first: int

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.emg_TxC)
