"""The names of simulated sessions, by which they are known wherever they go: in folders, shards and splits."""

import re
from collections.abc import Iterable
from typing import Literal

from semgjax.data.hidden_names import is_hidden
from semgjax.data.sessions import Session

Signals = Literal["simulated", "recorded", "simulated and recorded"]
"""what sessions hold; whatever the simulator did not name counts as recorded"""
_NAME = re.compile(r"sim\d+-user\d+-session\d+")


def session_name(seed: int, user: int, session: int) -> str:
    """The name of a session and of its file."""
    return f"sim{seed}-user{user:03d}-session{session:02d}"


def signals_of(sessions: Iterable[Session]) -> Signals:
    """What sessions hold, by their names; of spliced ones by the names of the recordings.

    Raises:
        ValueError: no session.
    """
    kinds = {bool(_NAME.match(session.origin or session.name)) for session in sessions}
    if not kinds:
        raise ValueError("no session, so no signal")
    if len(kinds) == 2:
        return "simulated and recorded"
    return "simulated" if kinds.pop() else "recorded"


def all_simulated(names: Iterable[str]) -> bool | None:
    """Whether all names are as the simulator gives them; None: those that are not hidden are, and the others may be."""
    found = {True if _NAME.match(name) else None if is_hidden(name) else False for name in names}
    return False if False in found else None if None in found else True
