"""Which source a word names."""

import sys
import time

import numpy as np
import pytest

from semgjax.data.sessions import open_session, read_emg
from semgjax.streaming.sources.choose import open_source
from tests.refused import refused


@pytest.mark.parametrize(
    ("word", "code"),
    [("lsl:", "bad-value"), ("udp:", "bad-value"), ("udp:eight", "bad-value"), ("udp:99999", "bad-value"),
     ("brainflow:", "bad-value"), ("no-such.hdf5", "no-file")],
)  # fmt: skip
def test_a_word_that_names_no_source_is_refused(word, code):
    with refused(code, word.rstrip(":")):
        open_source(word)


@pytest.mark.parametrize(
    ("word", "module"), [("lsl:x", "pylsl"), ("brainflow:SYNTHETIC_BOARD", "brainflow.board_shim")]
)
def test_a_source_whose_package_is_not_installed_names_the_extra(word, module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with refused("missing-extra", word, "pip install"):
        open_source(word)


def test_only_a_file_can_be_fast():
    for word in ("-", "udp:5000", "lsl:x"):
        with refused("conflict", word):
            open_source(word, fast=True)


def test_a_file_gives_its_session_at_its_pace_or_fast(sessions):
    path = sorted(sessions.glob("*.hdf5"))[0]
    session = open_session(path)
    slow, fast = open_source(str(path)), open_source(str(path), fast=True)
    assert slow.live and not fast.live
    assert (fast.describe().rate, fast.describe().channels) == (2000.0, 32)
    parts = []
    while (samples := fast.read()) is not None:
        assert samples.first == sum(map(len, parts))
        parts.append(samples.emg_TxC)
    np.testing.assert_array_equal(np.concatenate(parts), read_emg(session, 0, session.samples))
    begun, count = time.monotonic(), 0
    while count < 1000:
        samples = slow.read()
        count += len(samples.emg_TxC)
    assert time.monotonic() - begun >= 0.5 and samples.received <= time.monotonic()
