"""Live decoding: a source's samples through a network to text, and every part of it to the listeners."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from semgjax.data.band import Band
from semgjax.decode.beam import BeamSearch
from semgjax.errors import SemgjaxError
from semgjax.streaming.feed import BLOCK, Fed, Feed, advance, begin
from semgjax.streaming.incoming import Conditioning, Incoming, check_source
from semgjax.streaming.intake import Intake, recording_errors
from semgjax.streaming.live_summary import LiveSummary
from semgjax.streaming.recording.recorder import Recorder
from semgjax.streaming.running_quantiles import Quantiles
from semgjax.streaming.running_text import BeamText, GreedyText, RunningText
from semgjax.streaming.sources.source import Described, Source
from semgjax.streaming.timeline import Placed

_TAKE = 0.1  # seconds to wait for samples
_LAG = 1.0
"""seconds of signal that wait to be decoded before it is said"""
_FOLLOW_EVERY, _FOLLOW_FROM = 5.0, 1e-4
"""seconds between looks at the measured rate; relative difference from which it is followed"""


@dataclass(frozen=True, eq=False)
class Update:
    """What a part of the signal added to a running text.

    The text so far is every `committed`, joined as they are, and then this `tentative`.

    Attributes:
        seconds: of signal since the start of the stream, lost samples too.
        emg_TxC: samples since the last update, float32 at the decoder's rate, NaN where they were lost.
        committed: what became final since the last update: no later sample changes it. Often empty.
        tentative: what follows all that is final, as it stands now; the next update replaces it.
        latency_ms: from the arrival of the newest sample of the newest frame to this update; NaN if no frame ended.
        dropped: samples lost so far.
    """

    seconds: float
    emg_TxC: np.ndarray
    committed: str
    tentative: str
    latency_ms: float
    dropped: int


Listener = Callable[[Update], None]


@dataclass(frozen=True, eq=False)
class LiveDecoder:
    """A decoder that streams.

    Attributes:
        band: electrodes, rate and classes.
        feed: the network.
        late: frames by which it emits a key after it was pressed.
        search: a beam search; None for the best class of every frame.
        most: keys that a search may leave open (`BeamText`).
    """

    band: Band
    feed: Feed
    late: int
    search: BeamSearch | None = None
    most: int = 200

    def text(self) -> RunningText:
        """An empty text."""
        return GreedyText(self.band) if self.search is None else BeamText(self.band, self.search, self.most)

    def warm(self) -> None:
        """Compile all that a stream needs, so that the first samples need not wait."""
        state, text = begin(self.feed), self.text()
        text.tentative()
        unit = self.feed.unit
        for size in (unit, self.feed.block * self.feed.stride, unit):  # to JAX the first state is of another kind
            state, log_probs = advance(self.feed, state, np.zeros((size, self.feed.channels), np.float32))
            text.add(log_probs)
            text.tentative()
        text.finish()


def run_live(
    source: Source,
    decoder: LiveDecoder,
    listeners: Sequence[Listener] = (),
    conditioning: Conditioning | None = None,
    recorders: Callable[[Described], Sequence[Recorder]] = lambda about: (),
    stop: threading.Event | None = None,
    note: Callable[[str], None] = lambda line: None,
    wait: float = 10.0,
) -> LiveSummary:
    """Decode a source until it ends or `stop` is set; the listeners are called from this thread, after every frame.

    A thread reads the source and records it, whatever the decoder does. A decoder that lags behind takes longer chunks.
    The source is closed, and the recordings are complete, when this returns.

    Args:
        recorders: makes the recorders for what the source turned out to be.
        stop: ends the stream; what was read by then is decoded.
        note: called with one line for the person who waits for text.
        wait: seconds without a sample after which a live source has ended.

    Raises:
        InputError: as `check_source` and the source, before the first sample. What happens later is the summary's
            `error`: the text and the recording until then are whole.
    """
    conditioning, stop = conditioning or Conditioning(), stop or threading.Event()
    try:
        about = check_source(source.describe(), decoder.band, conditioning)
        decoder.warm()
        kept = recorders(about)
        intake = Intake(source, about, conditioning.channels, kept, wait)
        run = _Run(decoder, about, conditioning, listeners, source.live)
        intake.start()
        try:
            _decode_all(run, intake, stop, note)
        finally:
            intake.stop("an error of the decoder")
            intake.join()
            failed = recording_errors(kept)
    finally:
        source.close()
    if intake.crash is not None:
        raise intake.crash
    errors = failed if intake.error is None else [intake.error, *failed]
    for error in errors[1:]:
        note(str(error))
    return run.summary(intake, source.notes(), errors[0] if errors else None)


def _decode_all(run: "_Run", intake: Intake, stop: threading.Event, note: Callable[[str], None]) -> None:
    lagging, looked = False, time.monotonic()
    while not intake.over:
        if stop.is_set():
            intake.stop("interrupted")
        placed = intake.take(BLOCK * run.decoder.feed.stride, _TAKE)
        if placed is None:
            continue
        run.add(placed)
        waiting = intake.waiting
        if run.live:
            run.behind = max(run.behind, waiting)
        if run.live and lagging != (waiting > (0.1 if lagging else _LAG)):
            lagging = not lagging
            note(f"decoding is {waiting:.1f} s behind the signal" if lagging else "decoding has caught up")
        if time.monotonic() - looked > _FOLLOW_EVERY:
            looked = time.monotonic()
            slope = intake.rate.slope
            if slope is not None and abs(slope) > max(_FOLLOW_FROM, 3 * intake.rate.doubt):
                run.incoming.follow(run.about.rate / (1.0 + slope))
    run.finish()


class _Run:
    """One stream under way."""

    def __init__(
        self,
        decoder: LiveDecoder,
        about: Described,
        conditioning: Conditioning,
        listeners: Sequence[Listener],
        live: bool,
    ) -> None:
        self.decoder, self.about, self.live, self._listeners = decoder, about, live, listeners
        self.incoming = Incoming(about, decoder.band, conditioning)
        self.behind = 0.0
        self._text = decoder.text()
        self._samples = self._frames = self._dropped = 0
        self._busy = 0.0
        self._latency, self._steps = Quantiles(), Quantiles()
        self._shown: list[np.ndarray] = []
        self._begin()

    def _begin(self) -> None:
        self._state: Fed = begin(self.decoder.feed)
        self._fed = 0  # samples of this signal that the network got
        self._skip, self._heard = self.decoder.late, 0
        self._arrivals: deque[tuple[int, float]] = deque()

    def add(self, placed: Placed) -> None:
        """Decode some samples, of BLOCK frames at most."""
        if placed.fresh:
            self._flush()
        begun = time.perf_counter()
        self._dropped += int((~placed.valid_T).sum())
        self._decode(*self.incoming.add(placed), placed.received, begun)

    def finish(self) -> None:
        """The end of the stream."""
        self._flush()

    def _decode(self, emg_TxC: np.ndarray, valid_T: np.ndarray, received: float, begun: float) -> None:
        feed = self.decoder.feed
        self._fed += len(emg_TxC)
        self._samples += len(emg_TxC)
        self._arrivals.append((self._fed, received))
        self._shown.append(np.where(valid_T[:, None], emg_TxC, np.float32(np.nan)))
        log_probs = self._advance(emg_TxC, valid_T)
        committed = self._read(log_probs)
        if len(log_probs):
            ended = (self._fed // feed.unit) * feed.unit
            while self._arrivals[0][0] < ended:
                self._arrivals.popleft()
            self._steps.add(1e3 * (time.perf_counter() - begun))
            late = 1e3 * (time.monotonic() - self._arrivals[0][1]) if self.live else math.nan
            self._latency.add(late)
            self._tell(committed, late)
        self._busy += time.perf_counter() - begun

    def _advance(self, emg_TxC: np.ndarray, valid_T: np.ndarray) -> np.ndarray:
        self._state, log_probs = advance(self.decoder.feed, self._state, emg_TxC, valid_T)
        return log_probs

    def _read(self, log_probs_FxK: np.ndarray) -> str:
        """What the frames make final; those before the first key can be emitted are left out."""
        self._frames += len(log_probs_FxK)
        self._heard += len(log_probs_FxK)
        skipped = min(self._skip, len(log_probs_FxK))
        self._skip -= skipped
        return self._text.add(log_probs_FxK[skipped:]) if len(log_probs_FxK) > skipped else ""

    def _flush(self) -> None:
        """A signal ends: the frames that its last keys are emitted in, as if nothing followed."""
        begun = time.perf_counter()
        feed = self.decoder.feed
        stride, unit, channels = feed.stride, feed.unit, feed.channels
        emg_TxC, valid_T = self.incoming.finish()
        self._fed += len(emg_TxC)
        self._samples += len(emg_TxC)
        self._shown.append(np.where(valid_T[:, None], emg_TxC, np.float32(np.nan)))
        frames = -(-self._fed // stride) + self.decoder.late
        rest = -(-frames * stride // unit) * unit - self._fed
        emg_TxC = np.concatenate([emg_TxC, np.zeros((rest, channels), np.float32)])
        log_probs = self._advance(emg_TxC, np.concatenate([valid_T, np.zeros(rest, bool)]))
        committed = self._read(log_probs[: frames - self._heard])
        self._tell(committed + self._text.finish(), math.nan)
        self._begin()
        self._busy += time.perf_counter() - begun

    def _tell(self, committed: str, late: float) -> None:
        shown = self._shown[0] if len(self._shown) == 1 else np.concatenate(self._shown)
        self._shown = [shown[:0]]
        seconds = self._samples / self.decoder.band.rate
        update = Update(seconds, shown, committed, self._text.tentative(), late, self._dropped)
        for listener in self._listeners:
            listener(update)

    def summary(self, intake: Intake, ignored: dict[str, int], error: SemgjaxError | None) -> LiveSummary:
        """After the end."""
        timeline, slope, clock = intake.timeline, intake.rate.slope, intake.clock.slope
        seconds = self._samples / self.decoder.band.rate
        rate = None if slope is None else self.about.rate / (1.0 + slope)
        return LiveSummary(
            seconds=seconds,
            keys=self._text.keys,
            forced=self._text.forced,
            frames=self._frames,
            ended=intake.ended,
            latency_ms=_spread(self._latency),
            step_ms=_spread(self._steps),
            real_time_factor=self._busy / seconds if seconds else 0.0,
            lost=timeline.lost,
            gaps=timeline.gaps,
            spoilt=timeline.spoilt,
            late=timeline.late,
            skipped=intake.skipped,
            restarts=timeline.restarts,
            behind=self.behind,
            rate=rate,
            rate_doubt=None if rate is None else rate * intake.rate.doubt,
            clock_ppm=None if clock is None else -1e6 * clock,
            resampling_ms=1e3 * self.incoming.delay,
            ignored=ignored,
            error=error,
        )


def _spread(found: Quantiles) -> tuple[float, float] | None:
    median, high = found.at(0.5), found.at(0.99)
    return None if median is None or high is None else (median, high)
