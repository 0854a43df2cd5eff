import dataclasses
import hashlib
import multiprocessing
import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest

from semgjax.data.keys import labels_to_text
from semgjax.data.readers import timeseries
from semgjax.data.sessions import find_sessions, load_sessions, open_session, peek_session, read_emg
from semgjax.errors import CODES, InputError
from tests.data.damage import BAD_FILES
from tests.data.fixtures import START, random_emg, sample_times, typed, write_session
from tests.refused import refused


@pytest.mark.parametrize(
    "order",
    [("emg_left", "emg_right", "time"), ("emg_right", "time", "emg_left"), ("time", "emg_left", "emg_right")],
)
def test_fields_are_read_by_name_whatever_their_order(tmp_path, order):
    emg = random_emg(3000)
    session = open_session(write_session(tmp_path / "a.hdf5", emg=emg, order=order, user="42"))
    assert (session.name, session.user, session.samples) == ("a", "42", 3000)
    found = read_emg(session, 0, 3000)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, emg)
    np.testing.assert_array_equal(read_emg(session, 17, 1234), emg[17:1234])
    assert read_emg(session, 3000, 3000).shape == (0, 32)


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (6, 5), (0, 3001)])
def test_samples_outside_the_session_are_refused(tmp_path, start, stop):
    session = open_session(write_session(tmp_path / "a.hdf5", 3000))
    with pytest.raises(ValueError, match=r"\b3000\b"):
        read_emg(session, start, stop)


def test_float64_and_big_endian_samples_become_float32(tmp_path):
    emg = random_emg(100)
    for kind in ("<f8", ">f4"):
        session = open_session(write_session(tmp_path / "a.hdf5", emg=emg, emg_type=kind))
        found = read_emg(session, 0, 100)
        np.testing.assert_array_equal(found, emg)
        session.path.unlink()


def test_keys_are_sorted_by_press_and_equal_presses_keep_their_order(tmp_path):
    strokes = [*typed("b", START + 1), *typed("xy", START + 0.5, interval=0), *typed("a", START + 0.2)]
    session = open_session(write_session(tmp_path / "a.hdf5", keystrokes=strokes))
    assert labels_to_text(session.labels) == "axyb"
    assert session.labels.dtype == np.int32


def test_unknown_keys_are_dropped_and_counted(tmp_path):
    names = ["h", "Key.shift_r", "Key.ctrl", "Key.shift_r", "Key.space", "\u2026", "\u2019"]
    strokes = [{"key": name, "start": START + i / 10, "more": [1]} for i, name in enumerate(names)]
    session = open_session(write_session(tmp_path / "a.hdf5", keystrokes=strokes))
    assert labels_to_text(session.labels) == "h '"
    assert session.dropped == {"Key.ctrl": 1, "Key.shift_r": 2, "\u2026": 1}


def test_keys_are_placed_at_the_samples_around_their_press(tmp_path):
    time = sample_times(6)
    time[2] = time[3]  # a tie: samples 2 and 3
    presses = [time[0] - 1, time[0], (time[0] + time[1]) / 2, time[3], time[5], time[5] + 1]
    strokes = [{"key": "a", "start": press} for press in presses]
    session = open_session(write_session(tmp_path / "a.hdf5", time=time, keystrokes=strokes))
    assert session.key_first.tolist() == [0, 0, 1, 2, 5, 6]
    assert session.key_last.tolist() == [-1, 0, 0, 3, 5, 5]
    assert session.key_first.dtype == session.key_last.dtype == np.int64


def test_the_scan_gives_the_same_in_small_blocks_as_in_one(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    time = START + np.sort(rng.integers(0, 400, 1000)) / 2000  # many ties, also across blocks
    presses = [*rng.choice(time, 40), *(START + rng.uniform(-0.01, 0.21, 40))]
    path = write_session(tmp_path / "a.hdf5", time=time, keystrokes=[{"key": "a", "start": press} for press in presses])
    whole = open_session(path)
    monkeypatch.setattr(timeseries, "_BLOCK", 7)
    session = open_session(path)
    presses.sort()
    assert session.signal_hash == whole.signal_hash == hashlib.sha256(session.emg[:].tobytes()).hexdigest()
    assert session.key_first.tolist() == np.searchsorted(time, presses, "left").tolist()
    assert session.key_last.tolist() == (np.searchsorted(time, presses, "right") - 1).tolist()


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("block", [1 << 18, 1000])
def test_a_bad_file_gives_one_line_that_names_it_and_the_fault(tmp_path, monkeypatch, name, block):
    make, says = BAD_FILES[name]
    make(tmp_path / "bad.hdf5")
    monkeypatch.setattr(timeseries, "_BLOCK", block)
    with pytest.raises(InputError) as caught:
        open_session(tmp_path / "bad.hdf5")
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'bad.hdf5'}: ")
    assert says in message and "\n" not in message
    assert caught.value.code in CODES and caught.value.code != "input"


def test_time_that_falls_between_two_blocks_is_found(tmp_path, monkeypatch):
    time = sample_times(3000)
    time[2000:] -= 1
    monkeypatch.setattr(timeseries, "_BLOCK", 1000)
    with refused("gap-in-signal", "sample 2000"):
        open_session(write_session(tmp_path / "a.hdf5", time=time))


def test_a_missing_file_is_named(tmp_path):
    with refused("no-file", "gone.hdf5"):
        open_session(tmp_path / "gone.hdf5")


def test_a_file_cut_at_any_place_is_an_input_error_and_never_one_of_the_library(tmp_path):
    sound = write_session(tmp_path / "a.hdf5", 40, keystrokes=typed("abc")).read_bytes()
    path = tmp_path / "cut.hdf5"
    for size in range(0, len(sound), 97):
        path.write_bytes(sound[:size])
        with pytest.raises(InputError) as caught:
            open_session(path)
        assert "\n" not in str(caught.value)


def test_bytes_attributes_are_read_like_text(tmp_path):
    attributes = {
        "user": np.bytes_(b"u1"),
        "condition": np.bytes_(b"on_keyboard"),
        "keystrokes": np.bytes_(b"[]"),
    }
    session = open_session(write_session(tmp_path / "a.hdf5", attributes=attributes))
    assert session.user == "u1"
    assert len(session.labels) == 0


def test_peek_tells_name_and_user_without_reading_the_signal(tmp_path):
    path = write_session(tmp_path / "a.hdf5", name="other", user="9", dataset=None)
    assert peek_session(path) == ("other", "9")


def test_sessions_of_a_folder_are_found_sorted_and_by_suffix(tmp_path):
    for name in ("b.hdf5", "a.hdf5", ".part.hdf5", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in find_sessions(tmp_path)] == ["a.hdf5", "b.hdf5"]


def test_a_missing_or_empty_folder_is_an_input_error(tmp_path):
    with refused("no-file"):
        find_sessions(tmp_path / "gone")
    with refused("no-sessions"):
        find_sessions(tmp_path)


def test_sessions_are_loaded_by_their_own_name_in_the_order_asked_for(tmp_path):
    for file, name in (("1", "x"), ("2", "y"), ("3", "z")):
        write_session(tmp_path / f"{file}.hdf5", 100, name=name)
    assert [session.name for session in load_sessions(tmp_path)] == ["x", "y", "z"]
    assert [session.name for session in load_sessions(tmp_path, ["z", "x"])] == ["z", "x"]
    with refused("no-sessions", "'w'"):
        load_sessions(tmp_path, ["x", "w", "v"])


def test_two_files_with_one_session_name_are_refused(tmp_path):
    for file in ("1", "2"):
        write_session(tmp_path / f"{file}.hdf5", 100, name="x")
    with refused("duplicate-session", "2.hdf5", "1.hdf5", "'x'"):
        load_sessions(tmp_path)


def test_a_file_changed_after_opening_is_an_input_error(tmp_path):
    path = write_session(tmp_path / "a.hdf5", 1000)
    session = open_session(path)
    write_session(path, 500)
    with refused("changed"):
        read_emg(session, 400, 600)


def test_a_signal_gone_bad_after_opening_is_an_input_error(tmp_path):
    session = open_session(write_session(tmp_path / "a.hdf5", 1000))
    write_session(tmp_path / "nan.hdf5", emg=np.full((1000, 32), np.nan, np.float32))
    write_session(tmp_path / "half.hdf5", 1000, order=("emg_right", "time"))
    for name, code in (("nan", "changed"), ("half", "damaged"), ("gone", "no-file")):
        with refused(code, f"{name}.hdf5"):
            read_emg(dataclasses.replace(session, path=tmp_path / f"{name}.hdf5"), 0, 10)


def test_threads_read_the_right_slices_of_more_files_than_are_kept_open(tmp_path, monkeypatch):
    monkeypatch.setattr("semgjax.data.sessions._FILES", timeseries.OpenFiles(limit=2))
    emg = [random_emg(400, seed) for seed in range(5)]
    sessions = [open_session(write_session(tmp_path / f"{i}.hdf5", emg=e)) for i, e in enumerate(emg)]
    jobs = [(int(i), int(a)) for i, a in np.random.default_rng(0).integers(0, [5, 300], (400, 2))]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda job: read_emg(sessions[job[0]], job[1], job[1] + 100), jobs))
    for (i, a), signal in zip(jobs, found, strict=True):
        np.testing.assert_array_equal(signal, emg[i][a : a + 100])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_process_reads_a_file_that_its_parent_has_open(tmp_path, method):
    emg = random_emg(500)
    session = open_session(write_session(tmp_path / "a.hdf5", emg=emg))
    read_emg(session, 0, 500)
    with multiprocessing.get_context(method).Pool(1) as pool:
        found = [pool.apply_async(read_emg, (session, a, a + 50)) for a in range(0, 450, 25)]
        for a, result in zip(range(0, 450, 25), found, strict=True):
            np.testing.assert_array_equal(read_emg(session, a, a + 50), emg[a : a + 50])
            np.testing.assert_array_equal(result.get(60), emg[a : a + 50])


def test_no_open_file_crosses_a_fork(tmp_path):
    files = timeseries.OpenFiles(limit=2)
    files.read(write_session(tmp_path / "a.hdf5", 100), 0, 10)
    assert len(files) == 1
    child = os.fork()
    if not child:
        os._exit(len(files))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_session_survives_pickling(tmp_path):
    session = open_session(write_session(tmp_path / "a.hdf5", keystrokes=typed("abc")))
    copy = pickle.loads(pickle.dumps(session))
    assert copy.labels.tolist() == session.labels.tolist()
    assert copy.path == session.path


@pytest.mark.parametrize("stored", [0, 4096])
def test_a_signal_that_declares_more_samples_than_are_stored_is_refused_at_once(tmp_path, stored):
    path = write_session(tmp_path / "a.hdf5", 100)
    with h5py.File(path, "r+") as file:
        group = file["emg2qwerty"]
        records = group["timeseries"][:]
        del group["timeseries"]
        signal = group.create_dataset("timeseries", (2**40,), records.dtype, chunks=(4096,), maxshape=(None,))
        if stored:
            signal[:stored] = np.resize(records, stored)
    with pytest.raises(InputError) as caught:
        open_session(path)
    assert caught.value.code == "damaged"
