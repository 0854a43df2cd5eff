"""What a check can find, how bad it is, and the verdict that follows. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["note", "warning", "error"]
Verdict = Literal["use", "look", "leave out"]

CODES: dict[str, str] = {
    "short": "shorter than a window: no use for training",
    "similar_user": "a user id that differs from another one by case, blanks or leading zeros alone",
    "duplicate": "the same signal as another session, whatever their names",
    "rate": "samples a second differ from 2,000",
    "gaps": "the clock steps by 20 ms to 1 s between two samples: samples are missing",
    "jumps": "the clock steps by 1 s or more between two samples",
    "ties": "many samples carry the time of the one before",
    "flat": "a whole band does not change at all for a while: lost or filled-in signal",
    "dead": "electrodes without contact: constant, far weaker than their band, or noise without any muscle",
    "clipped": "electrodes that sit at their largest value: the amplifier's rail",
    "hum": "electrodes with much of their power in the mains line",
    "outliers": "peaks far above anything the band's loudest electrode does when typing",
    "loud": "electrodes far stronger than their band",
    "scale": "an amplitude that is not that of microvolts at the wrist",
    "rotation": "a band turned against the user's other sessions",
    "no_keys": "no key of the key set was pressed: no labels",
    "key_rate": "hardly any keys, or more than hands can type",
    "keys_outside": "keys pressed before the first or after the last sample",
    "doubled_keys": "keys that repeat the same key at the same instant: written twice",
    "dropped_keys": "keys that are not in the key set, by name",
    "silence": "a long stretch without any key",
    "empty_windows": "many windows without a key",
    "infeasible_windows": "windows with more labels, and blanks between equal ones, than frames",
}
"""Code -> what it means."""


@dataclass(frozen=True)
class Finding:
    """One thing about a session.

    Attributes:
        value: the number, list or table behind it, plain JSON.
        text: the same in words, for a person.
    """

    code: str
    severity: Severity
    value: Any
    text: str


def verdict(findings: Sequence[Finding]) -> Verdict:
    """Any error: leave out; any warning: look; else use."""
    worst = {finding.severity for finding in findings}
    return "leave out" if "error" in worst else "look" if "warning" in worst else "use"
