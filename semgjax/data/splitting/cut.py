"""Cut a session to its first samples, for splits that limit the hours of a user; withhold its labels."""

from dataclasses import replace

import numpy as np

from semgjax.data.sessions import Session


def first_samples(session: Session, samples: int) -> Session:
    """The first `samples` of a session and the keys pressed by then; a shorter session is returned unchanged.

    `dropped` still counts the whole session, since the places of keys that are not in the key set are not kept.
    """
    if samples >= session.samples:
        return session
    keys = int(np.searchsorted(session.key_first, samples - 1, "right"))
    return replace(
        session,
        samples=samples,
        labels=session.labels[:keys],
        key_first=session.key_first[:keys],
        # A key pressed at a time that samples on both sides of the cut share
        key_last=np.minimum(session.key_last[:keys], samples - 1),
        key_end=None if session.key_end is None else np.minimum(session.key_end[:keys], samples - 1),
        joints=tuple(joint for joint in session.joints if joint < samples),
    )


def without_labels(session: Session) -> Session:
    """The session's signal without its labels, as if they had never been recorded."""
    none = np.zeros(0, np.int64)
    ends = None if session.key_end is None else none
    return replace(
        session, labels=np.zeros(0, np.int32), key_first=none, key_last=none, key_end=ends, dropped={}, doubled=0,
        labelled=False,
    )  # fmt: skip
