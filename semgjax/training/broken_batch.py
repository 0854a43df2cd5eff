"""Why a batch made a run diverge, for the error message."""

from collections.abc import Sequence

import numpy as np

from semgjax.data.batching.batches import TrainData


def about_batch(data: TrainData, step: int) -> str:
    """What is wrong with the signal of this process's rows of the batch of step `step` (from 1)."""
    emg = np.asarray(data.batches[step - 1]["emg"])
    broken = [row for row in range(len(emg)) if not np.isfinite(emg[row]).all()]
    if broken:
        return f"repair the recordings: rows {_listed(broken)} of its batch hold values that are not finite"
    return f"look at its batch, number {step - 1} of the seed (its signal is finite, at most {np.abs(emg).max():.3g})"


def _listed(rows: Sequence[int]) -> str:
    shown = ", ".join(map(str, rows[:8]))
    return shown if len(rows) <= 8 else f"{shown} and {len(rows) - 8} more"
