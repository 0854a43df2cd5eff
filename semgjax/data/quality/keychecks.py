"""Findings about a session's keys and windows, with all their thresholds."""

from collections.abc import Iterator

from semgjax.data.quality.findings import Finding, Severity
from semgjax.data.quality.key_meter import KeyFacts
from semgjax.measures import CER, EVENT_ERROR_RATE

SLOW, IDLE, FAST = 1.0, 0.3, 12.0  # keys a second
OUTSIDE_MANY, OUTSIDE_MOST = 0.01, 0.5  # of the keys
DROPPED_MANY = 0.05  # of all presses
DOUBLED_MANY = 0.001  # of the keys
SILENCE, SILENCE_LONG = 30.0, 120.0  # seconds
EMPTY, EMPTY_MOST = 0.2, 0.5  # of the windows
INFEASIBLE_MANY = 0.01  # of the windows


def key_findings(facts: KeyFacts, typing: bool = True, labelled: bool = True) -> Iterator[Finding]:
    """Length, keys, silence and windows.

    Args:
        typing: whether the events are keys: gestures are rarer, with long rests in between.
        labelled: whether the session has labels; without them there is nothing to find but its length.
    """
    severity: Severity
    measure = CER if typing else EVENT_ERROR_RATE
    if not facts.windows:
        yield Finding("short", "error", facts.minutes, f"{facts.minutes * 60:.1f} s, shorter than a window")
    if not labelled:
        yield Finding("unlabelled", "note", None, "no labels: for distillation only")
        return
    if not facts.keys:
        yield Finding("no_keys", "error", 0, f"no {measure.thing}")
    elif typing and not SLOW <= facts.keys_per_second <= FAST:
        far = facts.keys_per_second < IDLE or facts.keys_per_second > FAST
        text = f"{facts.keys_per_second:.2f} keys a second"
        yield Finding("key_rate", "warning" if far else "note", facts.keys_per_second, text)
    if facts.outside:
        share = facts.outside / facts.keys
        severity = "error" if share > OUTSIDE_MOST else "warning" if share > OUTSIDE_MANY else "note"
        text = f"{facts.outside} of {facts.keys} {measure.things} outside the signal"
        yield Finding("keys_outside", severity, facts.outside, text)
    if facts.doubled:
        text = f"{facts.doubled} {measure.things} repeat the same {measure.thing} at the same instant"
        many = facts.doubled > DOUBLED_MANY * facts.keys
        yield Finding("doubled_keys", "warning" if many else "note", facts.doubled, text)
    if facts.dropped:
        count = sum(facts.dropped.values())
        text = ", ".join(f"{name} {times}" for name, times in facts.dropped.items())
        many = count > DROPPED_MANY * (facts.keys + count)
        yield Finding("dropped_keys", "warning" if many else "note", facts.dropped, text)
    if typing and facts.longest_silence >= SILENCE:
        text = f"{facts.longest_silence:.0f} s without a key"
        severity = "warning" if facts.longest_silence >= SILENCE_LONG else "note"
        yield Finding("silence", severity, facts.longest_silence, text)
    if typing and facts.empty_windows > EMPTY * facts.windows and facts.keys:
        text = f"{facts.empty_windows} of {facts.windows} windows without a key"
        severity = "warning" if facts.empty_windows > EMPTY_MOST * facts.windows else "note"
        yield Finding("empty_windows", severity, facts.empty_windows / facts.windows, text)
    if facts.infeasible_windows:
        many = facts.infeasible_windows > INFEASIBLE_MANY * facts.windows
        text = f"{facts.infeasible_windows} of {facts.windows} windows have more labels than frames"
        yield Finding("infeasible_windows", "warning" if many else "note", facts.infeasible_windows, text)
