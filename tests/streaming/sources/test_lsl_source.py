"""A stream of the Lab Streaming Layer, sent by another process over loopback."""

import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest

from semgjax.streaming.sources.choose import open_source
from semgjax.streaming.timeline import Timeline
from tests.refused import refused

SENDER = Path(__file__).with_name("lsl_sender.py")


@pytest.fixture
def sent():
    """Starts senders; their streams' names."""
    started = []

    def send(*words, name=None):
        name = name or f"test-{uuid.uuid4().hex[:8]}"
        started.append(subprocess.Popen([sys.executable, str(SENDER), name, *map(str, words)]))
        return name

    yield send
    for process in started:
        process.kill()
        process.wait()


def received(source):
    line, placed = Timeline(source.describe()), []
    while (samples := source.read()) is not None:
        placed += line.place(samples)
    placed += line.finish()
    return line, placed


def test_all_samples_arrive_with_their_times_and_the_stream_ends(sent):
    source = open_source(f"lsl:{sent(4, 1000.0, 2.0)}", wait=30.0)
    assert source.live and (source.describe().rate, source.describe().channels) == (1000.0, 4)
    line, placed = received(source)
    assert abs(source.clock_offset() or 0.0) < 0.1  # one machine, one clock
    source.close()
    numbers = np.concatenate([one.emg_TxC[:, 0] for one in placed])
    np.testing.assert_array_equal(numbers, np.arange(2000))
    assert (line.gaps, line.lost, line.restarts) == (0, 0, 0)
    times = np.concatenate([one.times for one in placed])
    assert np.diff(times).mean() == pytest.approx(0.001, rel=0.01)


def test_samples_that_the_sender_lost_are_missing_at_their_place(sent):
    source = open_source(f"lsl:{sent(2, 1000.0, 4.0, 3000, 200)}", wait=30.0)
    line, placed = received(source)
    source.close()
    numbers = np.concatenate([np.where(one.valid_T, one.emg_TxC[:, 0], np.nan) for one in placed])
    assert line.gaps == 1 and abs(line.lost - 200) <= 5
    assert np.isnan(numbers[3010:3190]).all() and not np.isnan(numbers[:3000]).any()


def test_a_name_that_nobody_sends_is_refused():
    with refused("no-source", "nobody-sends-this"):
        open_source("lsl:nobody-sends-this", wait=0.2)


def test_two_streams_of_one_name_are_refused(sent):
    import pylsl

    name = f"twice-{uuid.uuid4().hex[:8]}"
    outlets = [pylsl.StreamOutlet(pylsl.StreamInfo(name, "EMG", 1, 100, "float32", f"{name}{n}")) for n in range(2)]
    assert len(pylsl.resolve_byprop("name", name, 2, 20)) == 2
    with refused("conflict", name):
        open_source(f"lsl:{name}", wait=5.0)
    del outlets


def test_a_stream_of_text_is_refused():
    import pylsl

    name = f"text-{uuid.uuid4().hex[:8]}"
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo(name, "Markers", 1, 0, "string", name))
    with refused("no-source", name):
        open_source(f"lsl:{name}", wait=20.0)
    del outlet
