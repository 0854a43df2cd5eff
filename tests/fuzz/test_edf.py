"""BDF headers with any bytes changed: the same signal, or one line and nothing left behind."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semgjax.data.sessions import load_sessions, read_emg
from tests.data.edf_files import write_bids
from tests.data.fixtures import random_emg
from tests.data.readers.test_bids import rows
from tests.fuzz.outcome import bounded, check_refusal, files_under, outcome

EMG = random_emg(1000)
HEADER = 256 * 34
pieces = st.binary(min_size=1, max_size=8) | st.sampled_from(
    [b"-1      ", b"0       ", b"nan     ", b"1e300   ", b"\0" * 8, b"9" * 8, b"2       ", b"\xb5V      ", b"inf     "]
)
GENERAL = {"records": 236, "seconds": 244, "signals": 252, "header": 184, "version": 0, "reserved": 192}


def ingest_of(damages: list[tuple[int, bytes]], cut: int = 0) -> None:
    with tempfile.TemporaryDirectory() as place:
        source, out = write_bids(Path(place) / "bids", "7", "2", EMG, rows([(0.1, "a")])), Path(place) / "out"
        (path,) = source.rglob("*.bdf")
        content = bytearray(path.read_bytes())
        for at, piece in damages:
            content[at : at + len(piece)] = piece
        path.write_bytes(content[: len(content) - cut])
        code, _, err = outcome(["data", "ingest", str(source), str(out), "--workers", "1"])
        assert code in (0, 2), err
        if code == 2:
            check_refusal(err)
            assert not files_under(out)
            return
        (session,) = load_sessions(out)
        signal = read_emg(session, 0, session.samples)
        assert np.all(np.isfinite(signal)) and signal.shape == (session.samples, 32)


@bounded
@given(st.lists(st.tuples(st.integers(0, HEADER - 8), pieces), min_size=1, max_size=3))
def test_a_header_with_bytes_changed_is_read_or_refused(damages):
    ingest_of(damages)


@bounded
@given(st.sampled_from(sorted(GENERAL)), pieces, st.integers(0, 4000))
def test_the_general_header_and_the_files_end_are_read_or_refused(field, piece, cut):
    ingest_of([(GENERAL[field], piece)], cut)
