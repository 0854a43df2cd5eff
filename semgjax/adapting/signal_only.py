"""What an adapter may see: a session without its labels, as a type of its own, and its windows."""

from typing import NewType

import numpy as np

from semgjax.data.batching.batches import Batch, session_chunks
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.sessions import Session
from semgjax.data.splitting.cut import without_labels

Unlabelled = NewType("Unlabelled", Session)
"""a session that went through `signal_of`; every adapter takes this type and no other"""


def signal_of(session: Session) -> Unlabelled:
    """The session's signal alone: its labels and their places are taken away.

    Example:
        >>> import numpy as np
        >>> from semgjax.data.sessions import session_of_array
        >>> signal_of(session_of_array(np.zeros((100, 32)))).labelled
        False
    """
    return Unlabelled(without_labels(session))


def windows_of(session: Unlabelled, spec: WindowSpec) -> Batch:
    """All windows of a session with adjacent cores: emg float32 [W, T, C] and valid int32 [W, 2]."""
    chunks = list(session_chunks(session, spec, batch=1))
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in ("emg", "valid")}
