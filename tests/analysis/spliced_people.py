"""Spliced sessions of made-up people for tests: each class raises one pair of electrodes."""

from pathlib import Path

import numpy as np

from semgjax.data.sessions import Session

CLASSES = ("one", "two", "three")
RATE, CHANNELS, REPEATS = 200.0, 8, 4
HOLD, REST, LEAD = 240, 160, 120


def recorded(person: int, session: int, turn: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(events [classes x repeats, HOLD + REST, channels], their classes) of a recorded session."""
    random = np.random.default_rng((7, person, session))
    labels = np.repeat(np.arange(len(CLASSES)), REPEATS)
    signal = random.normal(size=(len(labels), LEAD + HOLD + REST, CHANNELS)).astype(np.float32) * 0.1
    for event, label in enumerate(labels):
        place = np.arange(2) + 2 * label + turn
        signal[event, LEAD : LEAD + HOLD, place % CHANNELS] *= 10.0 * np.exp(0.2 * random.normal())
    return signal.astype(np.float16).astype(np.float32), labels


def spliced(person: int, session: int, order: int, turn: int = 0) -> Session:
    """One order of a recorded session: all events, with holds and rests cut at random."""
    signal, labels = recorded(person, session, turn)
    random = np.random.default_rng((8, person, session, order))
    parts, firsts, ends, joints, done = [], [], [], [], 0
    places = random.permutation(len(labels))
    for place in places:
        lead, hold, tail = (int(random.integers(low, high)) for low, high in ((60, LEAD), (160, HOLD), (60, 120)))
        joints += [done] if done else []
        joints.append(done + lead + hold)
        firsts.append(done + lead)
        ends.append(done + lead + hold - 1)
        parts += [signal[place, LEAD - lead : LEAD + hold], signal[place, LEAD + HOLD : LEAD + HOLD + tail]]
        done += lead + hold + tail
    name = f"p{person:02d}-{session}"
    first = np.array(firsts, np.int64)
    return Session(
        path=Path(f"{name}-order-{order:02d}"),
        name=f"{name}-order-{order:02d}",
        user=f"p{person:02d}",
        samples=done,
        labels=labels[places].astype(np.int32),
        key_first=first,
        key_last=first,
        dropped={},
        channels=CHANNELS,
        rate=RATE,
        classes=CLASSES,
        array=np.concatenate(parts),
        rings=(CHANNELS,),
        key_end=np.array(ends, np.int64),
        joints=tuple(joints),
        origin=name,
        origin_samples=20_000,
    )
