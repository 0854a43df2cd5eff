"""Files that look like sessions: legal ones are read, every other one is named and counted."""

import json
import os

import pytest

from semgjax.cli.main import main
from semgjax.data.sessions import find_sessions, load_sessions
from semgjax.data.shards.ingest import ingest
from semgjax.data.shards.manifest import FILE, read_manifest
from semgjax.errors import InputError
from tests.data.edf_files import write_bids, write_edf
from tests.data.fixtures import random_emg, typed, write_session
from tests.data.readers.test_bids import rows
from tests.fuzz.outcome import outcome
from tests.refused import refused


def left_out(out):
    return [skip["source"] for skip in json.loads((out / FILE).read_text())["skipped"]]


def test_hdf5_files_are_read_whatever_the_case_of_their_suffix_and_others_are_named(tmp_path):
    src, out = tmp_path / "src", tmp_path / "out"
    for name in ("a.hdf5", "b.h5", "c.HDF5", "d.H5"):
        write_session(src / name, 500, name=name[0], keystrokes=typed("x"))
    write_session(src / "deep" / "e.hdf5", 500, name="e")
    (src / "._a.hdf5").write_bytes(b"resource fork")
    (src / ".b.hdf5").write_bytes(b"still being copied")
    (src / "f.hdf5").symlink_to(src / "gone.hdf5")
    (src / "g.hdf5").mkdir()
    for name in ("h.edf", "i.BDF", "j.mat", "k.hdf5.gz", "l.hdf5.part"):
        (src / name).write_bytes(b"")
    (src / "notes.txt").write_text("no session")
    code, printed, _ = outcome(["data", "ingest", str(src), str(out), "--json", "--workers", "1"])
    assert code == 0
    names = ["._a.hdf5", ".b.hdf5", "deep/e.hdf5", "f.hdf5", "g.hdf5", "h.edf", "i.BDF", "j.mat", "k.hdf5.gz"]
    assert left_out(out) == [*names, "l.hdf5.part"]
    facts = json.loads(printed)
    assert (facts["made"], facts["sessions"], len(facts["left_out"])) == (4, 4, 10)
    assert [session.name for session in load_sessions(out)] == ["a", "b", "c", "d"]
    assert [path.name for path in find_sessions(src)] == ["a.hdf5", "b.h5", "c.HDF5", "d.H5"]


def test_a_folder_of_nothing_readable_names_what_is_there(tmp_path):
    write_session(tmp_path / "src" / "deep" / "e.hdf5", 500)
    with refused("no-sessions", "deep/e.hdf5") as caught:
        ingest(tmp_path / "src", tmp_path / "out")
    assert caught.value.code == "no-sessions" and not (tmp_path / "out").exists()


LEGAL = {
    "sub-1/emg/sub-1_task-typing_emg.bdf": ("sub-1", "1"),
    "sub-1/ses-2/emg/sub-1_ses-2_task-typing_emg.edf": ("sub-1_ses-2", "1"),
    "sub-1/ses-2/emg/sub-1_ses-2_task-typing_run-01_emg.BDF": ("sub-1_ses-2_run-01", "1"),
    "sub-1/ses-2/emg/sub-1_ses-2_task-typing_run-02_emg.EDF": ("sub-1_ses-2_run-02", "1"),
    "sub-A7/ses-x/emg/sub-A7_ses-x_task-typing_acq-left_run-1_emg.bdf": ("sub-A7_ses-x_acq-left_run-1", "A7"),
    "sub-A7/emg/sub-A7_task-typing_recording-b_emg.bdf": ("sub-A7_recording-b", "A7"),
}
OTHERS = [
    "sub-1/ses-2/emg/sub-1_ses-2_task-rest_emg.bdf",
    "sub-1/ses-2/emg/sub-1_ses-2_emg.bdf",
    "sub-1/ses-2/emg/sub-2_ses-2_task-typing_emg.bdf",
    "sub-1/ses-2/emg/sub-1_ses-3_task-typing_emg.bdf",
    "sub-1/ses-2/emg/sub-1_task-typing_emg.bdf",
    "sub-1/ses-2/emg/sub-1_ses-2_task-typing_emg.bdf.gz",
    "sub-1/ses-2/emg/._sub-1_ses-2_task-typing_emg.bdf",
    "sub-1/ses-2/eeg/sub-1_ses-2_task-typing_eeg.edf",
    "derivatives/sub-1/emg/sub-1_task-typing_emg.bdf",
    "sub-1/ses-2/emg/typing.bdf",
    "sub-3/emg/sub-3_task-typing_emg.set",
]


def test_every_legal_bids_name_is_read_and_the_others_are_named(tmp_path):
    src = tmp_path / "bids"
    for number, name in enumerate(LEGAL):
        path = write_edf(src / name, random_emg(500, number), bits=16 if name.lower().endswith("edf") else 24)
        path.with_name(path.stem.removesuffix("emg") + "events.tsv").write_text("\n".join(rows([(0.1, "a")])))
    for name in OTHERS:
        (src / name).parent.mkdir(parents=True, exist_ok=True)
        (src / name).write_bytes(b"")
    done = ingest(src, tmp_path / "out")
    assert (done.made, len(done.skipped)) == (len(LEGAL), len(OTHERS))
    assert {(row.name, row.user) for row in read_manifest(tmp_path / "out")} == set(LEGAL.values())
    assert left_out(tmp_path / "out") == sorted(OTHERS)


def test_files_named_sub_in_a_flat_folder_are_no_bids_folder(tmp_path):
    write_session(tmp_path / "src" / "sub-1.hdf5", 500)
    assert ingest(tmp_path / "src", tmp_path / "out").made == 1


def test_a_corrected_folder_name_gives_the_new_user_and_equal_files_are_two_sessions(tmp_path):
    emg = random_emg(500)
    for subject in ("1", "2"):
        write_bids(tmp_path / "bids", subject, "1", emg, rows([(0.1, "a")]))
    ingest(tmp_path / "bids", tmp_path / "out")
    assert [row.user for row in read_manifest(tmp_path / "out")] == ["1", "2"]
    old = tmp_path / "bids" / "sub-2"
    for path in list(old.rglob("sub-2*")):
        path.rename(path.with_name(path.name.replace("sub-2", "sub-3")))
    old.rename(old.with_name("sub-3"))
    ingest(tmp_path / "bids", tmp_path / "new")
    assert [row.user for row in read_manifest(tmp_path / "new")] == ["1", "3"]
    ingest(tmp_path / "bids", tmp_path / "out")
    assert [(row.name, row.user) for row in read_manifest(tmp_path / "out")][-1] == ("sub-3_ses-1", "3")


def test_a_refused_ingest_leaves_nothing_behind(tmp_path):
    write_session(tmp_path / "src" / "a.hdf5", 500)
    (tmp_path / "src" / "b.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n")
    (tmp_path / "src" / "a.hdf5").rename(tmp_path / "src" / "z.hdf5")
    with pytest.raises(InputError):
        ingest(tmp_path / "src", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_is_printed_is_what_the_manifest_has(tmp_path):
    src = tmp_path / "src"
    for name in ("a", "b", "c"):
        write_session(src / f"{name}.hdf5", 500, name="same" if name != "c" else "c", keystrokes=typed("x"))
    code, printed, _ = outcome(["data", "ingest", str(src), str(tmp_path / "o"), "--json", "--on-error", "skip"])
    facts = json.loads(printed)
    assert code == 0 and facts["made"] == facts["sessions"] == len(read_manifest(tmp_path / "o")) == 2
    assert left_out(tmp_path / "o") == ["b.hdf5"]


@pytest.mark.skipif(os.name != "posix", reason="limits of open files are POSIX")
def test_ninety_shards_are_read_with_a_limit_of_64_open_files(tmp_path):
    from tests.runs import start_python

    for number in range(90):
        write_session(tmp_path / "src" / f"{number:02}.hdf5", 300, name=f"s{number}", keystrokes=typed("x"))
    ingest(tmp_path / "src", tmp_path / "out")
    script = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
from semgjax.data.sessions import load_sessions, read_emg
sessions = load_sessions(Path(sys.argv[1]))
print(len(sessions), sum(read_emg(s, 0, 300).shape[0] for _ in range(2) for s in sessions))
held = []
try:
    while True:
        held.append(open("/dev/null"))
except OSError:
    pass
from semgjax.data.shards.shard_read import read_header
try:
    read_header(sessions[0].path)
except Exception as error:
    print(type(error).__name__, error.code, "remove" in str(error))
"""
    process = start_python(["-c", script, str(tmp_path / "out")])
    out, err = process.communicate(timeout=120)
    assert out.splitlines() == ["90 54000", "InputError too-many-files False"], err


def test_ids_of_users_that_differ_by_case_blanks_or_zeros_are_one_finding(tmp_path, capsys):
    src = tmp_path / "src"
    for name, user in (("a", "P1"), ("b", "p 1"), ("c", "p01"), ("d", "p10")):
        write_session(src / f"{name}.hdf5", 9000, name=name, user=user, keystrokes=typed("xyz"))
    code, printed, _ = outcome(["data", "ingest", str(src), str(tmp_path / "out"), "--json"])
    assert code == 0 and json.loads(printed)["similar_users"] == [["P1", "p 1", "p01"]]
    assert main(["data", "check", str(src), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["sessions"]
    who = {row["session"] for row in found for f in row["findings"] if f["code"] == "similar_user"}
    assert who == {"a", "b", "c"}
