"""Arrays of .npy, .npz and .mat files as sessions; all forms of one recording give the same."""

import h5py
import numpy as np
import pytest
import scipy.io

from tests.data.tabular.table_folders import declared, samples, written
from tests.data.tabular.test_tables import EVENTS, emg_of, events_of, opened
from tests.refused import refused

TOML = """version = 1

[files]
pattern = "{user}-{session}.npz"
form = "npz"

[arrays]
signal = "emg"
rate = "fs"

[signal]
rate = 100

[labels]
source = "column"
column = "stimulus"
rest = ["0"]

[labels.names]
"1" = "fist"
"2" = "point"
"""
ROWS = np.array([[int(cell) for cell in row] for row in samples()])
FIELDS = {"emg": ROWS[:, :2].astype(np.int16), "stimulus": ROWS[:, 3].astype(np.uint8), "fs": 100.0}
LISTED = TOML.replace('source = "column"\ncolumn = "stimulus"', 'source = "events"') + (
    '\n[events]\nonset = "start"\nend = "stop"\nlabel = "kind"\nend_is = "after"\n'
)


def as_npz(folder, **changes):
    np.savez(folder / "ann-1.npz", **(FIELDS | changes))
    return folder


def as_mat(path, fields):
    scipy.io.savemat(path, {name: np.atleast_2d(value).T for name, value in fields.items() if name != "emg"} | fields)


def as_mat73(path, fields):
    """As MATLAB writes it: axes reversed."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in fields.items():
            file[name] = np.atleast_2d(value).T if name == "emg" else np.atleast_2d(value)
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


def check(recording):
    assert (emg_of(recording) == ROWS[:, :2]).all()
    assert events_of(recording) == EVENTS
    assert (recording.name, recording.user, recording.rate) == ("ann-1", "ann", 100.0)


def test_npz(tmp_path):
    check(opened(as_npz(declared(tmp_path, TOML)))["ann-1"])


@pytest.mark.parametrize("write", [as_mat, as_mat73])
@pytest.mark.parametrize("transposed", [False, True])
def test_mat_of_both_kinds(tmp_path, write, transposed):
    emg = FIELDS["emg"].T if transposed else FIELDS["emg"]
    declared(
        tmp_path,
        TOML,
        pattern='pattern = "{user}-{session}.mat"',
        form='form = "mat"',
        signal=f'signal = "emg"\ntransposed = {str(transposed).lower()}',
    )
    write(tmp_path / "ann-1.mat", FIELDS | {"emg": emg})
    check(opened(tmp_path)["ann-1"])


def test_npy_with_labels_in_a_column(tmp_path):
    text = TOML.replace("npz", "npy").replace('[arrays]\nsignal = "emg"\nrate = "fs"\n', "")
    text = text.replace("rate = 100", "rate = 100\nchannels = [1, 2]").replace('"stimulus"', "4")
    np.save(declared(tmp_path, text) / "ann-1.npy", ROWS)
    check(opened(tmp_path)["ann-1"])


def test_events_joints_user_and_session_may_stand_in_the_file(tmp_path):
    text = LISTED.replace('rate = "fs"', 'user = "who"\nsession = "day"\njoints = "segments"').replace(
        "{user}-{session}", "*"
    )
    declared(tmp_path, text)
    more = {
        "who": np.array(7),
        "day": np.array("b"),
        "segments": np.array([[0, 15], [15, 40]]),
        "start": np.array([0.05, 0.2], np.float32),
        "stop": np.array([0.12, 0.3], np.float32),
        "kind": np.array(["1", "2"]),
    }
    recording = opened(as_npz(tmp_path, **more))["7-b"]
    assert recording.user == "7" and recording.joints == (15,)
    assert events_of(recording) == EVENTS


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"emg": FIELDS["emg"].astype(object)}, "bad-field", ["emg"]),
        ({"emg": FIELDS["emg"][:, 0]}, "bad-shape", ["(40,)"]),
        ({"emg": FIELDS["emg"].T}, "bad-shape", ["transposed"]),
        ({"emg": np.zeros((0, 2))}, "empty", []),
        ({"emg": np.where(ROWS[:, :2] == ROWS[3, 0], np.nan, ROWS[:, :2])}, "not-finite", ["sample 3"]),
        ({"stimulus": FIELDS["stimulus"][:39]}, "bad-shape", ["39", "40"]),
        ({"stimulus": FIELDS["stimulus"] + 3}, "unknown-class", ["sample 0", "'3'"]),
        ({"fs": 200.0}, "rate-differs", ["200", "100"]),
        ({"fs": np.array("fast")}, "bad-number", ["fast"]),
    ],
)
def test_a_fault_of_an_array_names_it(tmp_path, changes, code, named):
    as_npz(declared(tmp_path, TOML), **changes)
    with refused(code, tmp_path / "ann-1.npz", *named):
        opened(tmp_path)


def test_a_missing_array_is_named_with_those_that_there_are(tmp_path):
    np.savez(declared(tmp_path, TOML) / "ann-1.npz", emg=FIELDS["emg"], fs=100.0)
    with refused("no-column", tmp_path / "ann-1.npz", "stimulus", "'emg'"):
        opened(tmp_path)


@pytest.mark.parametrize("name", ["ann-1.npz", "ann-1.mat", "ann-1.npy"])
@pytest.mark.parametrize("content", [b"", b"not an array " * 40])
def test_a_damaged_file_is_one_line(tmp_path, name, content):
    form = name[-3:]
    declared(tmp_path, TOML, pattern=f'pattern = "{{user}}-{{session}}.{form}"', form=f'form = "{form}"')
    (tmp_path / name).write_bytes(content)
    with refused("damaged", tmp_path / name):
        opened(tmp_path)


def test_a_truncated_npz_is_damaged(tmp_path):
    as_npz(declared(tmp_path, TOML))
    path = tmp_path / "ann-1.npz"
    path.write_bytes(path.read_bytes()[:-200])
    with refused("damaged", path):
        opened(tmp_path)


def test_an_array_that_claims_an_absurd_size_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("semgjax.data.tabular.array_files.LARGEST", 100)
    as_npz(declared(tmp_path, TOML))
    with refused("too-large", tmp_path / "ann-1.npz", "emg"):
        opened(tmp_path)


def test_text_and_arrays_of_one_recording_are_equal(tmp_path):
    written(declared(tmp_path / "text") / "ann-1.csv", samples())
    text = opened(tmp_path / "text")["ann-1"]
    listed = {"start": np.array([5, 20]) / 100, "stop": np.array([12, 30]) / 100, "kind": np.array([1, 2])}
    arrays = opened(as_npz(declared(tmp_path / "arrays", LISTED), **listed))["ann-1"]
    for name in ("labels", "key_first", "key_last", "key_end"):
        assert (getattr(text, name) == getattr(arrays, name)).all()
    assert (emg_of(text) == emg_of(arrays)).all() and text.classes == arrays.classes
