"""BrainFlow's synthetic board: 16 channels at 250 Hz."""

import importlib.util
import os
import time

import numpy as np
import pytest

from semgjax.streaming.sources.choose import open_source
from semgjax.streaming.timeline import Timeline
from tests.refused import refused

# A mark and not a skip of the module: SEMGJAX_NO_SKIPS turns skipped tests into failures, and sees no skipped module.
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("brainflow") is None, reason="the extra brainflow is not installed"
)


@pytest.fixture(autouse=True)
def library_path(monkeypatch):
    """BrainFlow changes this variable when it is imported."""
    monkeypatch.setenv("LD_LIBRARY_PATH", os.environ.get("LD_LIBRARY_PATH", ""))


def test_the_synthetic_board_gives_its_channels_without_a_gap():
    source = open_source("brainflow:SYNTHETIC_BOARD")
    about = source.describe()
    assert (about.rate, about.channels, source.live) == (250.0, 16, True)
    line, placed, until = Timeline(about), [], time.monotonic() + 2.5
    while time.monotonic() < until:
        placed += line.place(source.read())
    source.close()
    emg = np.concatenate([one.emg_TxC for one in placed])
    # Its numbers begin again after 255.
    assert len(emg) > 300 and np.isfinite(emg).all() and emg.std() > 0
    assert (line.gaps, line.late, line.restarts) == (0, 0, 0)


@pytest.mark.parametrize(
    ("board", "code", "named"),
    [
        ("CYTON", "unknown-name", "CYTON_BOARD"),
        ("SYNTHETIC_BOARD,serial=3", "unknown-name", "serial_port"),
        ("SYNTHETIC_BOARD,ip_port=x", "bad-value", "ip_port"),
        ("CYTON_BOARD,serial_port=/dev/no-such-port", "no-source", "CYTON_BOARD"),
    ],
)
def test_a_board_that_is_not_there_is_refused(board, code, named):
    with refused(code, named):
        open_source(f"brainflow:{board}")
