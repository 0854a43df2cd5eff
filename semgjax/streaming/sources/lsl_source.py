"""Source: a stream of the Lab Streaming Layer (extra "stream": pylsl)."""

import time
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.streaming.sources.packet_stream import nothing_yet
from semgjax.streaming.sources.source import POLL, Described, Samples

_BUFFER = 360  # seconds that liblsl holds when nobody reads
_MOST = 4096  # samples of one read
_CLOCK_EVERY = 5.0  # seconds
_LOOK = 1.0  # seconds to look for the stream at once
_SECOND = 0.5  # seconds to look for another stream of the same name


class LslSource:
    """The stream of a name. Its samples have times of the sender's clock, and liblsl measures that clock's offset."""

    live = True

    def __init__(self, name: str, wait: float) -> None:
        """Find the stream and connect.

        Args:
            wait: seconds to look for it.

        Raises:
            InputError: pylsl is not installed ("missing-extra"); no stream of the name, or one without a rate or of
                text ("no-source"); several of them ("conflict").
        """
        try:
            import pylsl
        except (ImportError, RuntimeError) as error:  # the latter without liblsl
            raise InputError(
                f"--source lsl:{name}: pylsl cannot be imported ({error}); pip install 'semgjax[stream]'",
                "missing-extra",
            ) from None
        self._where, self._lost, self._slow = f"lsl:{name}", pylsl.util.LostError, pylsl.util.TimeoutError
        found: list[Any] = []
        until = time.monotonic() + wait
        while not found and time.monotonic() < until:  # Ctrl-C is heard between two looks
            found = pylsl.resolve_byprop("name", name, 1, min(_LOOK, wait))
        if not found:
            raise InputError(
                f"{self._where}: no stream of this name in {wait:g} s; start the sender, or give a longer --wait",
                "no-source",
            )
        found += pylsl.resolve_byprop("name", name, 2, min(_SECOND, wait))
        if len({info.uid() for info in found}) > 1:
            hosts = ", ".join(sorted({info.hostname() for info in found}))
            raise InputError(
                f"{self._where}: there are several streams of this name (on {hosts}); give each a name of its own",
                "conflict",
            )
        info = found[0]
        if info.channel_format() == pylsl.cf_string or info.nominal_srate() <= 0:
            raise InputError(
                f"{self._where}: a stream of text or without a rate is no signal; choose the signal's", "no-source"
            )
        self._about = Described(self._where, float(info.nominal_srate()), int(info.channel_count()))
        # Not recovered: a sender that began anew is another stream, with other times.
        self._inlet = pylsl.StreamInlet(info, max_buflen=_BUFFER, recover=False, as_numpy=True)
        try:
            self._inlet.open_stream(wait)
        except (self._lost, self._slow):
            raise InputError(f"{self._where}: the stream went away; start the sender again", "no-source") from None
        self._offset: float | None = None
        self._asked = -np.inf

    def describe(self) -> Described:
        """See `Source`."""
        return self._about

    def read(self) -> Samples | None:
        """See `Source`."""
        try:
            emg_TxC, times = self._inlet.pull_chunk(timeout=POLL, max_samples=_MOST, min_samples=1)
        except self._lost:
            return None
        if not len(times):
            return nothing_yet()
        return Samples(np.array(emg_TxC, np.float32), None, np.array(times, np.float64), time.monotonic())

    def clock_offset(self) -> float | None:
        """See `Source`."""
        if time.monotonic() - self._asked > _CLOCK_EVERY:
            self._asked = time.monotonic()
            try:
                # liblsl's clock is that of time.monotonic.
                self._offset = float(self._inlet.time_correction(0.0 if self._offset is not None else 0.2))
            except (self._lost, self._slow):
                return self._offset
        return self._offset

    def notes(self) -> dict[str, int]:
        """See `Source`."""
        return {}

    def close(self) -> None:
        """See `Source`."""
        self._inlet.close_stream()
