"""Names of simulated sessions, by which they are known wherever their numbers go."""

import re
from collections.abc import Iterable

_SIMULATED = re.compile(r"sim\d+-user\d+-session\d+")


def session_name(seed: int, user: int, session: int) -> str:
    """The name of a session and of its file."""
    return f"sim{seed}-user{user:03d}-session{session:02d}"


def all_simulated(names: Iterable[str]) -> bool:
    """Whether every session has a name as the simulator gives: then no number from them is of real people."""
    return all(_SIMULATED.match(name) for name in names)
