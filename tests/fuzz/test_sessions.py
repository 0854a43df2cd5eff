"""Session files with odd keystrokes and attributes: right labels, or one line and nothing left behind."""

import json
import tempfile
from pathlib import Path

import h5py
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from semgjax.data.keys import KEY_NAMES
from semgjax.data.sessions import open_session
from tests.data.fixtures import START, sample_times, write_session
from tests.fuzz.outcome import bounded, check_refusal, files_under, outcome

SAMPLES = 2000
odd = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
keystroke = st.fixed_dictionaries(
    {},
    optional={
        "key": odd | st.sampled_from(["a", "Key.space", "Key.shift", "\u202e", "\x1b[2J"]),
        "start": odd,
        "end": odd,
    },
)
texts = st.sampled_from(
    ["", "[", "[]", "{}", "null", "NaN", "[NaN]", "[1e400]", "[" * 100_000, '[{"key":' * 2000, "\udcff"]
)


def ingest_of(change) -> None:
    """Ingest a session that `change` has made odd: exit 0 with a readable session, or 2 and no file."""
    with tempfile.TemporaryDirectory() as place:
        folder, out = Path(place) / "sessions", Path(place) / "out"
        change(write_session(folder / "a.hdf5", SAMPLES, keystrokes=[{"key": "a", "start": START + 0.25}]))
        before = files_under(folder)
        code, _, err = outcome(["data", "ingest", str(folder), str(out), "--workers", "1"])
        assert code in (0, 2), err
        assert files_under(folder) == before
        if code == 2:
            check_refusal(err)
            assert not files_under(out)


def set_attribute(path: Path, name: str, value) -> None:
    with h5py.File(path, "r+") as file:
        file["emg2qwerty"].attrs[name] = value


@bounded
@given(st.lists(st.tuples(st.sampled_from(KEY_NAMES), st.floats(-1, 2)), max_size=8))
def test_sound_keystrokes_become_the_labels_inside_the_signal(strokes):
    with tempfile.TemporaryDirectory() as place:
        given_keys = [{"key": key, "start": START + seconds} for key, seconds in strokes]
        path = write_session(Path(place) / "a.hdf5", SAMPLES, keystrokes=given_keys)
        session = open_session(path)
        times = sample_times(SAMPLES)
        inside = (session.key_first < SAMPLES) & (session.key_last >= 0)
        wanted = [key for key, seconds in strokes if times[0] <= START + seconds <= times[-1]]
        assert sorted(KEY_NAMES[label] for label in session.labels[inside]) == sorted(wanted)
        assert len(session.labels) == len(strokes) and np.all(np.diff(session.key_first) >= 0)


@bounded
@given(st.lists(keystroke | odd, max_size=4) | odd)
def test_any_keystroke_json_is_read_or_refused(value):
    ingest_of(lambda path: set_attribute(path, "keystrokes", json.dumps(value)))


@bounded
@given(
    st.sampled_from(["session_name", "user", "condition", "duration_mins", "keystrokes", "prompts"]),
    texts.map(lambda text: np.bytes_(text.encode("utf-8", "surrogateescape")))
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.lists(st.floats(), max_size=3).map(lambda numbers: np.array(numbers, "f8"))
    | st.booleans(),
)
def test_any_attribute_is_read_or_refused(name, value):
    def change(path: Path) -> None:
        try:
            set_attribute(path, name, value)
        except (ValueError, OSError):  # HDF5 itself takes no attribute above 64 KB
            set_attribute(path, name, "")

    ingest_of(change)
