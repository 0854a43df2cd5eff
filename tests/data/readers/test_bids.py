"""The BIDS form against the HDF5 form of the same session."""

import numpy as np
import pytest

from semgjax.data.sessions import load_sessions, open_session, read_emg
from semgjax.data.shards.ingest import ingest
from tests.data.edf_files import write_bids
from tests.data.fixtures import START, random_emg, write_session
from tests.refused import refused

HEAD = "onset\tduration\tvalue\tkey\tprompt_text"
# With a quote and an escape that TSV readers like to change, a key before the start and one after the end.
STROKES = [(0.5, "a"), (0.5, '"'), (0.25, "Key.space"), (1.0, "Key.shift_r"), (-0.1, "z"), (1.2345, "B"), (99.0, "q")]


def rows(strokes):
    lines = [f"{onset}\t0.1\tkeystroke_{number}\t{key}\tn/a" for number, (onset, key) in enumerate(strokes)]
    return [HEAD, "0.0\t1.0\tprompt\tn/a\tthe quick\\n", *lines, "", "2.0\t1.0\tprompt"]


def test_signal_and_keys_are_those_of_the_hdf5_form(tmp_path):
    emg = random_emg(3000)
    strokes = [{"key": key, "start": START + onset} for onset, key in STROKES]
    wanted = open_session(write_session(tmp_path / "a.hdf5", emg=emg, keystrokes=strokes))
    ingest(write_bids(tmp_path / "bids", "7", "2", emg, rows(STROKES)), tmp_path / "out")
    (session,) = load_sessions(tmp_path / "out")
    assert (session.name, session.user, session.samples) == ("sub-7_ses-2", "7", 3000)
    assert (session.rate, session.channels, session.classes) == (2000, 32, None)
    for name in ("labels", "key_first", "key_last"):
        assert getattr(session, name).tolist() == getattr(wanted, name).tolist(), name
    assert session.dropped == wanted.dropped == {"Key.shift_r": 1}
    np.testing.assert_allclose(read_emg(session, 0, 3000), emg, rtol=2.0**-10, atol=0.6 / 256)


def test_bands_are_told_apart_by_the_channels_names(tmp_path):
    emg = random_emg(500)
    labels = [f"{'right' if i < 16 else 'Left'}{i}" for i in range(32)]
    ingest(write_bids(tmp_path / "bids", "7", "2", emg, rows([]), labels=labels), tmp_path / "out")
    (session,) = load_sessions(tmp_path / "out")
    np.testing.assert_allclose(read_emg(session, 0, 500), np.roll(emg, 16, axis=1), rtol=2.0**-10, atol=0.6 / 256)


def test_neither_workers_nor_shares_show_in_the_result(tmp_path):
    for subject in "345":
        write_bids(tmp_path / "bids", subject, "1", random_emg(500, int(subject)), rows(STROKES))
    ingest(tmp_path / "bids", tmp_path / "one")
    for share in (2, 1):
        ingest(tmp_path / "bids", tmp_path / "two", shard=(share, 2))
    assert (tmp_path / "one" / "manifest.json").read_bytes() == (tmp_path / "two" / "manifest.json").read_bytes()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["onset\tvalue"], "no-column"),
        ([HEAD, "soon\t0\tkeystroke_1\ta\t"], "bad-row"),
        ([HEAD, "1.0\t0\tkeystroke_1\tn/a\t"], "bad-row"),
        ([HEAD, "1.0\t0\tkeystroke_1"], "bad-row"),
        ([HEAD, "nan\t0\tkeystroke_1\ta\t"], "bad-row"),
    ],
)
def test_events_that_cannot_be_are_named_by_file_and_line(tmp_path, lines, code):
    folder = write_bids(tmp_path / "bids", "7", "2", random_emg(500), lines)
    with refused(code) as caught:
        ingest(folder, tmp_path / "out")
    assert "sub-7_ses-2_task-typing_events.tsv: " in str(caught.value)


def test_a_signal_without_events_is_a_session_without_labels(tmp_path):
    emg = random_emg(500)
    folder = write_bids(tmp_path / "bids", "7", "2", emg, rows(STROKES))
    next(folder.rglob("*_events.tsv")).unlink()
    ingest(folder, tmp_path / "out")
    (session,) = load_sessions(tmp_path / "out")
    assert (session.name, session.labelled, len(session.labels), session.dropped) == ("sub-7_ses-2", False, 0, {})
    np.testing.assert_allclose(read_emg(session, 0, 500), emg, rtol=2.0**-10, atol=0.6 / 256)


def test_another_number_of_signals_and_an_empty_folder_are_refused(tmp_path):
    folder = write_bids(tmp_path / "bids", "7", "2", random_emg(500)[:, :16], rows([]))
    with refused("channel-count"):
        ingest(folder, tmp_path / "out")
    next(folder.rglob("*.bdf")).unlink()
    with refused("no-sessions"):
        ingest(folder, tmp_path / "out")
