"""What a decoder has to know of the device that recorded: rings of electrodes, sample rate and classes of events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from semgjax.data.keys import NUM_CLASSES, labels_to_text
from semgjax.errors import InputError

if TYPE_CHECKING:
    from semgjax.data.sessions import Session

LARGEST = 1e10
"""largest value of a signal in any unit, far above the counts of any converter: what is larger is broken, and one such
value would make a network's float32 sums infinite from there on"""


@dataclass(frozen=True)
class Band:
    """The device of a session and the classes of its events.

    Attributes:
        rings: electrodes of each ring (a band round one wrist or forearm), in the order of the channels.
        rate: samples a second.
        classes: names of the labels' classes; None for the key set.
    """

    rings: tuple[int, ...] = (16, 16)
    rate: float = 2000.0
    classes: tuple[str, ...] | None = None

    @property
    def channels(self) -> int:
        """Electrodes of all rings."""
        return sum(self.rings)

    @property
    def num_classes(self) -> int:
        """Outputs of a CTC decoder: the classes and the blank."""
        return NUM_CLASSES if self.classes is None else len(self.classes) + 1

    @property
    def blank(self) -> int:
        """The number of the blank: the last one."""
        return self.num_classes - 1

    @property
    def metric(self) -> str:
        """Name of the error of a decoder: "cer" for keys, "event_error_rate" for other classes, both in percent."""
        return "cer" if self.classes is None else "event_error_rate"

    def text(self, labels: Sequence[int] | np.ndarray) -> str:
        """Labels as text: one glyph a key (see `labels_to_text`); other classes by name, separated by spaces."""
        if self.classes is None:
            return labels_to_text(np.asarray(labels))
        return " ".join(self.classes[int(label)] for label in labels)

    def __str__(self) -> str:
        """One line."""
        rings = " + ".join(map(str, self.rings))
        kinds = "keys" if self.classes is None else f"{len(self.classes)} classes"
        return f"{rings} electrodes at {self.rate:g} Hz, {kinds}"


TYPING = Band()
"""emg2qwerty's: two wrists of 16 electrodes at 2 kHz, labelled with keys"""


def default_rings(channels: int) -> tuple[int, ...]:
    """The rings of a source that does not name them: 32 channels are two wrists of 16, others one ring."""
    return TYPING.rings if channels == TYPING.channels else (channels,)


def names_of_rings(band: Band) -> tuple[str, ...]:
    """What the rings are called in pictures: two are those of the wrists of typing, or of two arms."""
    if len(band.rings) == 2:
        return ("left wrist", "right wrist") if band.classes is None else ("left", "right")
    return ("",) if len(band.rings) == 1 else tuple(f"ring {number}" for number in range(1, len(band.rings) + 1))


def common_band(sessions: Iterable["Session"]) -> Band:
    """The band of all sessions.

    Raises:
        InputError: two sessions differ in rings, rate or classes ("mixed-bands"), or there is none ("no-sessions").
    """
    first: Session | None = None
    for session in sessions:
        if first is None:
            first = session
        elif session.band != first.band:
            raise InputError(
                f"{session.path}: session {session.name} has {_difference(session.band, first.band)} of session "
                f"{first.name}; one decoder takes one kind: leave one of them out of the split",
                "mixed-bands",
            )
    if first is None:
        raise InputError("no session, so no band; name one or more", "no-sessions")
    return first.band


def _difference(band: Band, other: Band) -> str:
    if (band.rings, band.rate) == (other.rings, other.rate):
        one, two = (", ".join(names or ("the key set",)) for names in (band.classes, other.classes))
        return f"the classes {one}, not {two}"
    return f"{band}, not the {other}"
