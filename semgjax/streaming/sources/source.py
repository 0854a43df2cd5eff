"""The protocol of live sources: what they say of themselves, and the samples that they give.

A new kind of source is one module with a class of these members, and a line in `semgjax.streaming.sources.choose`.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

POLL = 0.1
"""seconds after which `read` returns with nothing, so that a reader can be stopped"""


@dataclass(frozen=True)
class Described:
    """What a source says of itself.

    Attributes:
        name: for people.
        rate: samples a second, nominal.
        channels: electrodes.
    """

    name: str
    rate: float
    channels: int


@dataclass(frozen=True, eq=False)
class Samples:
    """The next samples of a source.

    Attributes:
        emg_TxC: float32; values that are not finite are lost samples. T may be 0.
        first: number of the first sample, counted by the device; None if it does not count.
        times: of each sample, seconds of the device's clock, float64 [T]; None if it has none.
        received: when the last of them arrived, seconds of `time.monotonic`.
        fresh: the device says that it began anew.
    """

    emg_TxC: np.ndarray
    first: int | None
    times: np.ndarray | None
    received: float
    fresh: bool = False


class Source(Protocol):
    """Where samples come from. Made with the device open; `close` is called once, at the end.

    Attributes:
        live: whether samples come at the device's pace, whether they are read or not. Of a source that is not live
            only as much is read as can be decoded.
    """

    live: bool

    def describe(self) -> Described:
        """Waits until the source has said what it is.

        Raises:
            InputError: it does not answer ("no-source"), or says what no recording can be ("bad-packet").
        """

    def read(self) -> Samples | None:
        """The next samples; none of them (T = 0) if none came for POLL seconds; None at the end.

        Raises:
            InputError: what comes is no signal, or another than was described ("bad-packet").
        """

    def clock_offset(self) -> float | None:
        """Seconds of `time.monotonic` minus the device's clock, as the two agreed on it; None if they did not."""

    def notes(self) -> dict[str, int]:
        """What the source ignored so far: reason -> how often."""

    def close(self) -> None:
        """Let go of the device."""
