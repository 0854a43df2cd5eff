"""Checks that all values in a tree of arrays are finite."""

from typing import Any

import jax
import numpy as np

from semgjax.errors import InputError


def check_finite(tree: Any, where: str) -> None:
    """Check that no array holds NaN or infinity.

    Raises:
        InputError: an array does ("not-finite"); the message names it.
    """
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        bad = ~np.isfinite(np.asarray(leaf, np.float32))
        if bad.any():
            name = jax.tree_util.keystr(path)
            raise InputError(
                f"{where}: {name} holds {int(bad.sum())} of {bad.size} numbers that are NaN or infinite; "
                "the model is unusable, train it again at a lower learning rate",
                "not-finite",
            )
