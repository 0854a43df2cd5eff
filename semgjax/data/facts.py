"""What a session holds, in numbers a person looks at before training. Writes nothing."""

from dataclasses import dataclass

from semgjax.data.sessions import SAMPLE_RATE, Session
from semgjax.data.windows import WindowSpec, labels_of, window_starts


@dataclass(frozen=True)
class SessionFacts:
    """One session in numbers.

    Attributes:
        minutes: length at the nominal rate.
        keys: presses in the key set, those before the first or after the last sample included.
        dropped: names of keys outside the key set -> how often they were pressed.
        windows: cores without context; 0 when the session is too short for one.
        empty_windows: how many of them hold no key.
    """

    session: str
    user: str
    minutes: float
    keys: int
    keys_per_second: float
    dropped: dict[str, int]
    windows: int
    empty_windows: int


def facts_of(session: Session, spec: WindowSpec) -> SessionFacts:
    """Count a session's keys and its windows."""
    seconds = session.samples / SAMPLE_RATE
    starts = window_starts(session.samples, spec)
    return SessionFacts(
        session=session.name,
        user=session.user,
        minutes=seconds / 60,
        keys=len(session.labels),
        keys_per_second=len(session.labels) / seconds,
        dropped=session.dropped,
        windows=len(starts),
        empty_windows=sum(len(labels_of(session, start, start + spec.length)) == 0 for start in starts),
    )
