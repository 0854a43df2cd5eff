"""The batch that benchmarks of a training step work on."""

import numpy as np

from semgjax.data.batching.windows import WindowSpec
from semgjax.model.config import ModelConfig

ROWS, LABELS, ROOM = 16, 20, 32  # windows, keys of one (5 a second), and the padded width of the labels
SPEC = WindowSpec()

Batch = dict[str, np.ndarray]


def make_batch(model: ModelConfig, rows: int = ROWS, spec: WindowSpec = SPEC) -> Batch:
    """Noise of the size of real signals with random keys, 5 a second."""
    rng = np.random.default_rng(0)
    count = LABELS * spec.length // SPEC.length
    labels = np.zeros((rows, ROOM * spec.length // SPEC.length), np.int32)
    labels[:, :count] = rng.integers(0, model.classes - 1, (rows, count))
    return {
        "emg": rng.normal(0, 14, (rows, spec.total, model.channels)).astype(np.float32),
        "valid": np.tile(np.array([[0, spec.total]], np.int32), (rows, 1)),
        "labels": labels,
        "label_count": np.full(rows, count, np.int32),
    }
