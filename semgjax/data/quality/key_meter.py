"""Statistics of a session's keys: rates, silent stretches, empty and infeasible windows."""

from dataclasses import dataclass

import numpy as np

from semgjax.data.batching.windows import WindowSpec, labels_of, window_starts
from semgjax.data.key_counts import count_keys
from semgjax.data.sessions import Session

FRAME = 0.01
"""Seconds of a decoder's frame at its default rate."""


@dataclass(frozen=True)
class KeyFacts:
    """Counts of a session's keys and windows.

    Attributes:
        minutes: length at the nominal rate.
        keys: presses of keys in the key set, including those outside the signal.
        dropped: names of keys that are not in the key set -> number of presses.
        outside: keys pressed before the first or after the last sample.
        doubled: keys that repeat the same key at the same time.
        longest_silence: longest time without a key in seconds, including the start and the end of the session.
        windows: number of windows (without context); 0 when the session is too short for one.
        empty_windows: windows without a key.
        infeasible_windows: windows with more labels, plus blanks between equal neighbours, than frames, for which no
            CTC path exists.
    """

    minutes: float
    keys: int
    keys_per_second: float
    dropped: dict[str, int]
    outside: int
    doubled: int
    longest_silence: float
    windows: int
    empty_windows: int
    infeasible_windows: int


def key_facts(session: Session, spec: WindowSpec) -> KeyFacts:
    """Count a session's keys and what its windows hold.

    Args:
        spec: in samples of the session.
    """
    seconds, frame = session.samples / session.rate, max(1, round(FRAME * session.rate))
    inside = (session.key_last >= 0) & (session.key_first < session.samples)
    counts = count_keys(session.key_first, session.key_last, session.samples, session.dropped, session.doubled)
    places = np.concatenate([[0], session.key_first[inside], [session.samples]])
    windows = [labels_of(session, start, start + spec.length) for start in window_starts(session.samples, spec)]
    needed = [len(labels) + int((labels[1:] == labels[:-1]).sum()) for labels in windows]
    return KeyFacts(
        minutes=seconds / 60,
        keys=len(session.labels),
        keys_per_second=len(session.labels) / seconds,
        dropped=session.dropped,
        outside=counts.outside,
        doubled=counts.doubled,
        longest_silence=float(np.diff(places).max()) / session.rate,
        windows=len(windows),
        empty_windows=sum(len(labels) == 0 for labels in windows),
        infeasible_windows=sum(frames > spec.length // frame for frames in needed),
    )
