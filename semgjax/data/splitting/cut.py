"""A session's beginning as a session of its own, for splits that take so many hours of a user. Writes nothing."""

from dataclasses import replace

import numpy as np

from semgjax.data.sessions import Session


def first_samples(session: Session, samples: int) -> Session:
    """The first `samples` of a session and the keys pressed by then; whole when it is no longer than that.

    `dropped` goes on counting the whole session: where the keys outside of the key set lie is not kept.
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
    )
