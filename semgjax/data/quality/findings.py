"""Findings of a check: their codes and severities, and the verdict on a session."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["note", "warning", "error"]
Verdict = Literal["use", "look", "leave out"]

CODES: dict[str, str] = {
    "short": "shorter than a window: cannot be used for training",
    "similar_user": "a user id that differs from another one only by case, blanks or leading zeros",
    "duplicate": "the same signal as another session of another name",
    "rate": "samples a second differ from 2,000",
    "gaps": "the clock steps by 20 ms to 1 s between two samples: samples are missing",
    "jumps": "the clock steps by 1 s or more between two samples",
    "ties": "many samples have the same time stamp as the previous one",
    "flat": "a whole band does not change at all for a while: lost or filled-in signal",
    "dead": "electrodes without contact: constant, far weaker than their band, or noise without any muscle",
    "clipped": "electrodes that stay at their largest value: the amplifier saturates",
    "hum": "electrodes with much of their power in the mains line, or more than the other sessions have",
    "drift": "electrodes with much of their power below 10 Hz: the signal was not high-pass filtered",
    "outliers": "peaks far above anything the band's loudest electrode does otherwise",
    "loud": "electrodes far stronger than their band",
    "scale": "an amplitude that is implausible for microvolts at the wrist",
    "rotation": "a band rotated relative to the user's other sessions, or to the other sessions of the same classes",
    "mirrored": "electrodes in the opposite order round the arm: a left arm among right ones, or a band turned over",
    "quiet_events": "events during which no electrode is clearly stronger than in the rest before them",
    "unlabelled": "the file holds no labels: the session can be used as an unlabelled one, for distillation",
    "no_keys": "no key of the key set, or event of a class: there are no labels",
    "key_rate": "hardly any keys, or more than hands can type",
    "keys_outside": "keys or events before the first or after the last sample",
    "doubled_keys": "keys or events that repeat the same one at the same instant: written twice",
    "dropped_keys": "keys that are not in the key set, or events of no class, by name",
    "silence": "a long stretch without any key",
    "empty_windows": "many windows without a key",
    "infeasible_windows": "windows with more labels (and blanks between equal ones) than frames",
}
"""Code -> what it means."""


@dataclass(frozen=True)
class Finding:
    """One finding about a session.

    Attributes:
        value: the number, list or table it is based on, as JSON values.
        text: the same in words.
    """

    code: str
    severity: Severity
    value: Any
    text: str


def verdict(findings: Sequence[Finding]) -> Verdict:
    """Any error: leave out; any warning: look; else use."""
    worst = {finding.severity for finding in findings}
    return "leave out" if "error" in worst else "look" if "warning" in worst else "use"
