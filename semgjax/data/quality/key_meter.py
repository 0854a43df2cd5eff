"""What a session's keys say: rates, silent stretches, empty and infeasible windows. Writes nothing."""

from dataclasses import dataclass

import numpy as np

from semgjax.data.batching.windows import WindowSpec, labels_of, window_starts
from semgjax.data.key_counts import count_keys
from semgjax.data.sessions import SAMPLE_RATE, Session

FRAME = 20
"""Samples of a decoder's frame at its default rate, 100 Hz."""


@dataclass(frozen=True)
class KeyFacts:
    """Counts of a session's keys and windows.

    Attributes:
        minutes: length at the nominal rate.
        keys: presses in the key set, those outside the signal included.
        dropped: names of keys outside the key set -> how often they were pressed.
        outside: keys pressed before the first or after the last sample.
        doubled: keys that repeat the same key at the same time.
        longest_silence: seconds without a key, the beginning and the end included.
        windows: cores without context; 0 when the session is too short for one.
        empty_windows: how many of them hold no key.
        infeasible_windows: how many hold more labels, plus blanks between equal neighbours, than frames, so that
            no path of CTC spells them.
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
    """Count a session's keys and what its windows hold."""
    seconds = session.samples / SAMPLE_RATE
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
        longest_silence=float(np.diff(places).max()) / SAMPLE_RATE,
        windows=len(windows),
        empty_windows=sum(len(labels) == 0 for labels in windows),
        infeasible_windows=sum(frames > spec.length // FRAME for frames in needed),
    )
