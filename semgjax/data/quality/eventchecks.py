"""Findings about events with a known end, and about gesture sessions beside others, with all their thresholds."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from semgjax.data.quality.event_meter import Activity
from semgjax.data.quality.findings import Finding, Severity
from semgjax.data.quality.meter import MAINS, Measures
from semgjax.data.quality.rotation import Turn, turned_patterns
from semgjax.data.quality.signalchecks import band_name, ring_name

QUIET = 1.5  # power in the hold over that before it, at the electrode where it is largest
QUIET_SOME, QUIET_MANY = 0.1, 0.5  # of the events
FITS, GAINS = 0.5, 0.1  # correlation that a turn of class patterns must have, and its gain over no turn
LIKE_ENOUGH = 2  # classes with events that a session needs to be compared
OTHERS = 5  # sessions that say what the mains line usually is
LINE = 1.0  # natural logarithm (4.3 dB) above the sessions' median


def event_findings(found: Measures) -> Iterator[Finding]:
    """Events during which nothing happens."""
    activity = found.activity
    if activity is None or not len(activity.labels):
        return
    ratio = (activity.hold / np.maximum(activity.rest, 1e-30)).max(axis=1)
    quiet = float((ratio < QUIET).mean())
    if quiet > QUIET_SOME:
        severity: Severity = "warning" if quiet > QUIET_MANY else "note"
        text = f"{quiet:.0%} of {len(ratio)} events are no stronger than the rest before them"
        yield Finding("quiet_events", severity, quiet, text)


def compare_gestures(measures: Mapping[str, Measures]) -> dict[str, list[Finding]]:
    """Session -> its findings beside the others: turned and mirrored rings, more of the mains line.

    Args:
        measures: of sessions of one band, by session name.
    """
    found: dict[str, list[Finding]] = defaultdict(list)
    for name, finding in _lines(measures):
        found[name].append(finding)
    for name, finding in _turns(measures):
        found[name].append(finding)
    return found


def _lines(measures: Mapping[str, Measures]) -> Iterator[tuple[str, Finding]]:
    levels = {name: np.median(one.line, axis=1) for name, one in measures.items()}
    if len(levels) <= OTHERS:
        return
    usual = np.median(list(levels.values()), axis=0)
    for name, level in levels.items():
        above = level - usual
        line = int(above.argmax())
        if above[line] >= LINE:
            decibels = 10 * float(above[line]) / np.log(10)
            value = {"line": MAINS[line], "decibels": decibels}
            text = f"{MAINS[line]} Hz line {decibels:.0f} dB above that of most sessions"
            yield name, Finding("hum", "note", value, text)


def _turns(measures: Mapping[str, Measures]) -> Iterator[tuple[str, Finding]]:
    patterns = {name: one for name in measures if (one := _pattern(measures[name])) is not None}
    if len(patterns) < 2:
        return
    rings = next(iter(measures.values())).band.rings
    edges = np.cumsum(rings)[:-1]
    for ring in range(len(rings)):
        if rings[ring] < 3:
            continue  # no order round the arm
        turns = turned_patterns([np.split(pattern, edges, axis=1)[ring] for pattern in patterns.values()])
        for name, turn in zip(patterns, turns, strict=True):
            yield from ((name, finding) for finding in _said(turn, rings, ring))


def _pattern(found: Measures) -> np.ndarray | None:
    """Mean logarithm of the power in events of each class, [classes, C]; NaN for classes without events."""
    activity: Activity | None = found.activity
    if activity is None or len(np.unique(activity.labels)) < LIKE_ENOUGH:
        return None
    log = np.log(np.maximum(activity.hold, 1e-30))
    names = range(len(found.band.classes or ()))
    blank = np.full(log.shape[1], np.nan)
    rows = [activity.labels == label for label in names]
    return np.stack([log[row].mean(axis=0) if row.any() else blank for row in rows])


def _said(turn: Turn, rings: Sequence[int], ring: int) -> Iterator[Finding]:
    if turn.fit < FITS or turn.gain < GAINS:
        return
    value = {"band": ring_name(rings, ring), "places": turn.places, "fit": turn.fit, "gain": turn.gain}
    name = band_name(rings, ring)
    if turn.mirrored:
        if turn.mirror_gain >= GAINS:
            text = f"{name} mirrored and turned by {turn.places:+d} electrodes (fit {turn.fit:.2f})"
            yield Finding("mirrored", "warning", value, text)
    elif turn.places:
        text = f"{name} turned by {turn.places:+d} electrodes (fit {turn.fit:.2f})"
        yield Finding("rotation", "note" if abs(turn.places) == 1 else "warning", value, text)
