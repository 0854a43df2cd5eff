"""Live decoding as a whole: the text of a session, gaps, lost samples, other rates, lag, and what ends a stream."""

import threading
import time

import jax
import numpy as np
import pytest

from semgjax.data.sessions import session_of_array
from semgjax.decode.beam import make_beam_search
from semgjax.decode.beam_options import BeamOptions, glyphs_of
from semgjax.errors import InputError
from semgjax.evaluate.decoding import decode_by, decode_greedily, make_emit
from semgjax.streaming.incoming import Conditioning
from semgjax.streaming.live import run_live
from semgjax.streaming.sources.source import Samples
from tests.refused import refused
from tests.streaming.live_parts import SMALL, ListSource, live, signal, talkative, text_of


@pytest.fixture(scope="module")
def small():
    """A decoder of an armband."""
    return live(SMALL)


def chunks(emg_TxC, size=7):
    return [emg_TxC[at : at + size] for at in range(0, len(emg_TxC), size)]


def numbered(emg_TxC, size=7, first=0):
    """Chunks with numbers, as they arrive now."""
    return [Samples(emg_TxC[at : at + size], first + at, None, time.monotonic()) for at in range(0, len(emg_TxC), size)]


def heard(source, decoder, **options):
    updates = []
    summary = run_live(source, decoder, [updates.append], **options)
    return summary, updates


def whole_text(emg_TxC, band, decode=decode_greedily):
    config, params = talkative(band)
    ((_, _, log_probs),) = make_emit(config, params, None, 1, "session")(session_of_array(emg_TxC, band))
    return band.text(decode(log_probs)[0])


@pytest.mark.parametrize("size", [1, 7, 333])
def test_text_is_that_of_the_session_decoded_as_one_stream(small, size):
    emg = signal(20, SMALL)
    source = ListSource(chunks(emg[:3_997], size), SMALL)
    summary, updates = heard(source, small)
    text = text_of(updates)
    assert text == whole_text(emg[:3_997], SMALL) and len(text.split()) == summary.keys > 5
    assert (summary.dropped, summary.gaps, summary.ended, summary.error) == (0, 0, "the source ended", None)
    assert summary.seconds == pytest.approx(3_997 / 200) and source.closed
    np.testing.assert_array_equal(np.concatenate([one.emg_TxC for one in updates]), emg[:3_997])
    assert all(one.tentative == "" for one in updates) and summary.latency_ms is None


@pytest.mark.parametrize("samples", [3_997, 3_960])
def test_frames_decoded_together_give_the_same_text(samples):
    emg = signal(20, SMALL)[:samples]
    summary, updates = heard(ListSource(chunks(emg), SMALL), live(SMALL, together=4))
    assert text_of(updates) == whole_text(emg, SMALL) and summary.seconds == samples / 200


def test_text_of_a_beam_is_that_of_the_session(small):
    emg = signal(10, SMALL, seed=1)
    search = make_beam_search(BeamOptions(beam=8), None, glyphs_of(SMALL))
    _, updates = heard(ListSource(chunks(emg, 50), SMALL), live(SMALL, search=search))
    assert text_of(updates) == whole_text(emg, SMALL, decode_by(search)) != ""
    assert any(one.tentative for one in updates) and updates[-1].tentative == ""


def test_a_gap_counts_as_lost_samples(small):
    emg = signal(20, SMALL)
    valid = np.ones(len(emg), bool)
    valid[1000:1100] = False
    parts = numbered(emg[:1000], 10) + numbered(emg[1100:], 10, first=1100)
    summary, updates = heard(ListSource(parts, SMALL), small)
    assert (summary.lost, summary.gaps, summary.dropped) == (100, 1, 100)
    assert summary.seconds == pytest.approx(20.0)
    shown = np.concatenate([one.emg_TxC for one in updates])
    np.testing.assert_array_equal(np.isnan(shown).all(axis=1), ~valid)
    # The same as samples that came and were not finite.
    spoilt = np.where(valid[:, None], emg, np.float32(np.nan))
    other, others = heard(ListSource(chunks(spoilt, 10), SMALL), small)
    assert text_of(others) == text_of(updates)
    assert (other.spoilt, other.gaps, other.dropped) == (100, 0, 100) and updates[-1].dropped == 100


def test_a_stream_that_begins_anew_is_two_texts(small):
    emg = signal(20, SMALL)
    parts = numbered(emg[:2000], 10) + numbered(emg[2000:], 10, first=100_000)
    summary, updates = heard(ListSource(parts, SMALL), small)
    one, other = whole_text(emg[:2000], SMALL), whole_text(emg[2000:], SMALL)
    assert text_of(updates) == f"{one} {other}" and summary.restarts == 1 and summary.dropped == 0


def test_a_decoder_that_was_used_has_forgotten_it(small):
    emg = signal(5, SMALL)
    texts = [text_of(heard(ListSource(chunks(emg), SMALL), small)[1]) for _ in range(2)]
    assert texts[0] == texts[1] == whole_text(emg, SMALL)


def test_a_source_of_another_rate_is_resampled(small):
    emg = np.repeat(signal(10, SMALL), 2, axis=0)
    summary, updates = heard(
        ListSource(chunks(emg, 20), SMALL, rate=400.0), small, conditioning=Conditioning(resample=True)
    )
    assert summary.seconds == pytest.approx(10.0, abs=0.01) and summary.resampling_ms > 0
    assert np.concatenate([one.emg_TxC for one in updates]).shape == (2000, 8)
    with refused("rate-differs", "400"):
        heard(ListSource([], SMALL, rate=400.0), small)


def test_an_error_of_the_source_leaves_the_text_before_it(small):
    emg = signal(10, SMALL)
    error = InputError("it broke", "bad-packet")
    summary, updates = heard(ListSource([*chunks(emg), error], SMALL), small)
    assert summary.error is error and text_of(updates) == whole_text(emg, SMALL)


@pytest.mark.parametrize("search", [None, make_beam_search(BeamOptions(beam=8), None, glyphs_of(SMALL))])
def test_a_warm_decoder_compiles_nothing_more(search):
    decoder, compiled = live(SMALL, search=search), []

    def listen(name, seconds, **facts):
        if name == "/jax/core/compile/backend_compile_duration":
            compiled.append(name)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        decoder.warm()
        assert compiled
        compiled.clear()
        emg = signal(30, SMALL)
        heard(ListSource([*chunks(emg[:200]), emg[200:]], SMALL), decoder)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    assert not compiled


class Endless(ListSource):
    """A live source without an end, faster than its rate."""

    def __init__(self, emg_TxC, pause=0.001):
        super().__init__([], SMALL, live=True)
        self._emg, self._at, self._pause = emg_TxC, 0, pause

    def read(self):
        time.sleep(self._pause)
        self._at += 1
        return Samples(self._emg, (self._at - 1) * len(self._emg), None, time.monotonic())


def test_a_stream_that_is_stopped_decodes_what_it_read(small):
    stop = threading.Event()
    updates = []

    def listener(update):
        updates.append(update)
        if update.seconds > 2:
            stop.set()

    summary = run_live(Endless(signal(0.1, SMALL)), small, [listener], stop=stop)
    assert summary.ended == "interrupted" and summary.seconds == updates[-1].seconds > 2
    assert summary.latency_ms is not None and summary.dropped == 0


def test_a_decoder_that_lags_says_so_and_catches_up(small):
    stop, notes, slow = threading.Event(), [], True

    def listener(update):
        nonlocal slow
        if slow and update.seconds < 1:
            time.sleep(1.0)
        slow = update.seconds < 1
        if update.seconds > 40:
            stop.set()

    run_live(Endless(signal(0.1, SMALL), 0.02), small, [listener], stop=stop, note=notes.append)
    assert len(notes) >= 2 and "behind" in notes[0] and "caught up" in notes[1]


def test_a_decoder_that_never_catches_up_leaves_the_oldest_out(small):
    stop = threading.Event()

    def listener(update):
        time.sleep(0.05)
        if update.seconds > 20:
            stop.set()

    summary = run_live(Endless(signal(5, SMALL), 0.0), small, [listener], stop=stop)
    assert summary.skipped > 0 and summary.dropped == summary.skipped and summary.lost == 0


class Silent(ListSource):
    """A live source that stops to send."""

    def read(self):
        return super().read() or Samples(np.zeros((0, 8), np.float32), None, None, time.monotonic())


def test_a_live_source_that_falls_silent_has_ended(small):
    emg = signal(3, SMALL)
    summary, updates = heard(Silent(numbered(emg), SMALL, live=True), small, wait=0.2)
    assert "no samples" in summary.ended and text_of(updates) == whole_text(emg, SMALL)


@pytest.mark.slow
def test_ten_minutes_need_no_more_memory_than_one(small):
    """Live arrays of JAX and objects of Python, counted during the stream."""
    import gc
    import tracemalloc

    emg, counts = signal(600, SMALL), {}

    def listener(update):
        minute = int(update.seconds // 60)
        if minute in (1, 9) and minute not in counts:
            gc.collect()
            counts[minute] = (len(jax.live_arrays()), tracemalloc.get_traced_memory()[0])

    source = ListSource([], SMALL)
    parts = iter(chunks(emg, 40))
    source.read = lambda: next((Samples(part, None, None, 0.0) for part in parts), None)
    tracemalloc.start()
    try:
        summary = run_live(source, small, [listener])
    finally:
        tracemalloc.stop()
    assert summary.seconds == 600 and summary.keys > 100
    assert counts[9][0] <= counts[1][0]
    assert counts[9][1] - counts[1][1] < 100_000


class Keeping:
    """A recorder that counts, and whose file cannot be completed."""

    failed = None

    def __init__(self, error=None):
        self.samples, self.finished, self._error = 0, False, error

    def put(self, placed, offset):
        self.samples += len(placed.emg_TxC)

    def finish(self):
        self.finished = True
        if self._error is not None:
            raise self._error

    def discard(self):
        raise AssertionError("a recording with samples is kept")


def test_every_error_of_source_and_recordings_is_reported_and_the_first_is_the_summarys(small):
    first, second = InputError("one", "io-error"), InputError("two", "no-space")
    for broken, expected in (([], first), ([InputError("zero", "bad-packet")], None)):
        kept, notes = [Keeping(first), Keeping(), Keeping(second)], []
        source = ListSource([*chunks(signal(2, SMALL)), *broken], SMALL)
        summary = run_live(source, small, recorders=lambda about, kept=kept: kept, note=notes.append)
        assert summary.error is (expected or broken[0]) and all(one.finished for one in kept)
        assert notes == (["two"] if expected else ["one", "two"])


def test_a_fault_of_the_program_within_the_reading_thread_is_raised_after_the_recording_is_complete(small):
    kept = [Keeping()]
    with pytest.raises(ZeroDivisionError):
        run_live(
            ListSource([*chunks(signal(2, SMALL), 100), ZeroDivisionError()], SMALL), small, recorders=lambda _: kept
        )
    assert kept[0].samples == 400 and kept[0].finished


def test_a_live_source_that_never_sends_is_an_error(small):
    summary, _ = heard(Silent([], SMALL, live=True), small, wait=0.2)
    assert summary.error is not None and summary.error.code == "no-source"


def test_a_rate_that_cannot_be_converted_is_refused(small):
    for rate in (10.0, 1e-300, 1e300):
        with refused("rate-differs", f"{rate:g}"):
            heard(ListSource([], SMALL, rate=rate), small, conditioning=Conditioning(resample=True))
    for scale in (0.0, np.nan, np.inf, 1e38, 1e-30):
        with refused("bad-value", f"{scale:g}"):
            heard(ListSource([], SMALL), small, conditioning=Conditioning(scale=scale))
