"""A thread that reads a source: every sample to the recorders at once, and to the decoder when it asks for them."""

import threading
import time
from collections import deque
from collections.abc import Sequence

from semgjax.errors import InputError, SemgjaxError
from semgjax.streaming.clock_drift import Drift
from semgjax.streaming.recording.recorder import Recorder
from semgjax.streaming.sources.source import Described, Samples, Source
from semgjax.streaming.timeline import Placed, Timeline

AHEAD = 2.0
"""seconds that are read ahead of the decoder from a source that waits"""
BEHIND = 60.0
"""seconds by which the decoder may lag behind a live source; what is older is recorded, and not decoded"""


class Intake:
    """The samples of a source, recorded and waiting to be decoded.

    Attributes:
        timeline: counts of what was lost.
        rate: the pace at which samples arrive, by the host's clock.
        clock: the device's clock against the host's, if samples have times.
        skipped: samples that the decoder never got, as it was too far behind.
        error: what ended the source, or the recording, before its end.
        crash: the same, where it is a fault of this program.
        ended: why no more samples come; "" while they do.
    """

    def __init__(
        self,
        source: Source,
        about: Described,
        channels: tuple[int, ...],
        recorders: Sequence[Recorder],
        wait: float,
    ) -> None:
        """
        Args:
            about: of the source, with the chosen channels only.
            channels: numbers of these; () for all.
            wait: seconds without a sample after which a live source has ended.
        """
        self.timeline, self.rate, self.clock = Timeline(about), Drift(), Drift()
        self.skipped, self.ended = 0, ""
        self.error: SemgjaxError | None = None
        self.crash: Exception | None = None
        self._source, self._about, self._channels = source, about, list(channels)
        self._recorders, self._wait = recorders, wait
        self._placed: deque[Placed] = deque()
        self._samples, self._drop = 0, False
        self._offset: float | None = None
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read the source", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self, why: str) -> None:
        """Read no more; what was read can still be taken."""
        with self._changed:
            self.ended = self.ended or why
            self._stop.set()
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until the thread has read its last."""
        self._thread.join()

    @property
    def waiting(self) -> float:
        """Seconds of signal that were read and not taken."""
        return self._samples / self._about.rate

    def take(self, most: int, seconds: float) -> Placed | None:
        """The next samples, `most` of them or less; None if there are none within these seconds, or at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._placed or not self._thread.is_alive(), seconds)
            if not self._placed:
                return None
            first = self._placed.popleft()
            if len(first.emg_TxC) > most:
                self._placed.appendleft(_part(first, most, len(first.emg_TxC), False))
                first = _part(first, 0, most, first.fresh)
            self._samples -= len(first.emg_TxC)
            self._changed.notify_all()
            return first

    @property
    def over(self) -> bool:
        """Whether nothing is left, and nothing will come."""
        return not self._thread.is_alive() and not self._placed

    def _run(self) -> None:
        try:
            self._read()
        except SemgjaxError as error:
            self.error = error
            self.ended = self.ended or "an error of the source"
        except Exception as error:  # raised again by whoever started the thread, once the recording is complete
            self.crash = error
            self.ended = self.ended or "an error of the program"
        finally:
            for placed in self.timeline.finish():
                self._pass(placed)
            with self._changed:
                self.ended = self.ended or "the source ended"
                self._changed.notify_all()

    def _read(self) -> None:
        newest, any_yet = time.monotonic(), False
        while not self._stop.is_set():
            samples = self._source.read()
            if samples is None:
                return
            if not len(samples.emg_TxC):
                if self._source.live and time.monotonic() - newest > self._wait:
                    self.ended = f"no samples for {self._wait:g} s"
                    if not any_yet:
                        raise InputError(
                            f"{self._about.name}: no samples in {self._wait:g} s; see that it sends, or give a longer "
                            "--wait",
                            "no-source",
                        )
                    return
                continue
            newest, any_yet = time.monotonic(), True
            self._offset = self._source.clock_offset()
            for placed in self.timeline.place(self._chosen(samples)):
                self._pass(placed)
            for recorder in self._recorders:
                if recorder.failed is not None:
                    raise recorder.failed

    def _chosen(self, samples: Samples) -> Samples:
        if not self._channels:
            return samples
        emg_TxC = samples.emg_TxC[:, self._channels]
        return Samples(emg_TxC, samples.first, samples.times, samples.received, samples.fresh)

    def _pass(self, placed: Placed) -> None:
        for recorder in self._recorders:
            recorder.put(placed, self._offset)
        self._measure(placed)
        self._give(placed)

    def _measure(self, placed: Placed) -> None:
        if placed.fresh:
            self.rate, self.clock = Drift(), Drift()
        if not self._source.live or placed.missing:
            return
        end = placed.first + len(placed.emg_TxC)
        self.rate.add(end / self._about.rate, placed.received)
        if placed.times is not None:
            self.clock.add(float(placed.times[-1]), placed.received)

    def _give(self, placed: Placed) -> None:
        with self._changed:
            most = (BEHIND if self._source.live else AHEAD) * self._about.rate
            if not self._source.live:
                self._changed.wait_for(lambda: self._samples < most or self._stop.is_set())
            elif self._samples > most:  # a decoder that never catches up: from here it begins anew
                self.skipped += self._samples
                self._placed.clear()
                self._samples, self._drop = 0, True
            if self._drop:
                placed, self._drop = _part(placed, 0, len(placed.emg_TxC), True), False
            self._placed.append(placed)
            self._samples += len(placed.emg_TxC)
            self._changed.notify_all()


def _part(placed: Placed, begun: int, end: int, fresh: bool) -> Placed:
    times = None if placed.times is None else placed.times[begun:end]
    rows = slice(begun, end)
    return Placed(
        placed.first + begun, placed.emg_TxC[rows], placed.valid_T[rows], times, placed.received, fresh, placed.missing
    )


def recording_errors(recorders: Sequence[Recorder]) -> list[SemgjaxError]:
    """Complete all recordings; what is wrong with them, after every one of them was tried."""
    found: list[SemgjaxError] = []
    for recorder in recorders:
        try:
            recorder.finish()
        except InputError as error:
            found.append(error)
    return found
