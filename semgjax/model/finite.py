"""What keeps a network's numbers finite, and whether every number of a tree of arrays is."""

from typing import Any

import flax.linen as nn
import jax
import numpy as np

from semgjax.errors import InputError

NOT_ZERO = nn.initializers.normal(0.1)
"""Bias of the layer in front of a stack of residual layers with norms. With biases of zero, a frame without signal is
exactly zero through every layer at the start, and each norm makes the gradient of a zero a thousand times larger: NaN
in ten layers. Frames without signal are those of lost electrodes, and the first one of a session."""


def check_finite(tree: Any, where: str) -> None:
    """See that no array holds NaN or infinity.

    Raises:
        InputError: one does ("not-finite"); the message names it.
    """
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        bad = ~np.isfinite(np.asarray(leaf, np.float32))
        if bad.any():
            name = jax.tree_util.keystr(path)
            raise InputError(
                f"{where}: {name} holds {int(bad.sum())} of {bad.size} numbers that are NaN or infinite; "
                "nothing can be read from such a model, train it again at a lower learning rate",
                "not-finite",
            )
