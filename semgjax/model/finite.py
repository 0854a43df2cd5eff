"""Whether every number of a tree of arrays is finite."""

from typing import Any

import jax
import numpy as np

from semgjax.errors import InputError


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
