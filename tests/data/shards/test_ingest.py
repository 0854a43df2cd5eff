"""Ingest: the same shards however it is done; stopped, killed, out of room or given damaged sessions."""

import shutil
import signal
import time

import pytest

from semgjax.data.sessions import load_sessions
from semgjax.data.shards import ingest as module
from semgjax.data.shards.ingest import ingest
from semgjax.data.shards.ingest_parts import WORK
from semgjax.data.shards.manifest import FILE, SHARDS, read_manifest
from semgjax.errors import InputError
from tests.data.fixtures import typed, write_session
from tests.data.odd import write_odd_sessions
from tests.refused import refused
from tests.runs import snapshot, start


@pytest.fixture
def src(tmp_path):
    return write_odd_sessions(tmp_path / "src")


def result(out):
    """Every shard's bytes, and the manifest's."""
    return snapshot(out / SHARDS), (out / FILE).read_bytes()


def test_neither_workers_nor_shares_show_in_the_result(tmp_path, src):
    one = ingest(src, tmp_path / "one")
    assert (one.made, one.reused, one.skipped, one.waiting) == (4, 0, [], [])
    assert ingest(src, tmp_path / "two", workers=2).made == 4
    waiting = [ingest(src, tmp_path / "three", shard=(share, 3)).waiting for share in (3, 1, 2)]
    assert waiting == [[1, 2], [2], []]
    assert result(tmp_path / "one") == result(tmp_path / "two") == result(tmp_path / "three")
    assert not list((tmp_path / "one" / WORK).glob("*"))


def test_shares_of_an_array_that_is_not_finished_have_no_manifest(tmp_path, src):
    ingest(src, tmp_path / "out", shard=(1, 2))
    assert not (tmp_path / "out" / FILE).exists()
    with refused("not-finished"):
        load_sessions(tmp_path / "out")
    assert ingest(src, tmp_path / "out").reused == 2  # another number of shares resumes from there
    ingest(src, tmp_path / "whole")
    assert result(tmp_path / "out") == result(tmp_path / "whole")


def test_finished_sessions_are_known_by_content_and_not_made_again(tmp_path, src, monkeypatch):
    ingest(src, tmp_path / "out")
    before = result(tmp_path / "out")
    (src / "odd0.hdf5").rename(src / "renamed.hdf5")
    monkeypatch.setattr(module, "write_shard", lambda *_: pytest.fail("made again"))
    again = ingest(src, tmp_path / "out")
    assert (again.made, again.reused) == (0, 4)
    assert result(tmp_path / "out") == before


def test_a_damaged_shard_is_made_again(tmp_path, src):
    ingest(src, tmp_path / "out")
    before = result(tmp_path / "out")
    path = tmp_path / "out" / SHARDS / read_manifest(tmp_path / "out")[0].file
    path.write_bytes(path.read_bytes()[:70_000])
    again = ingest(src, tmp_path / "out")
    assert (again.made, again.reused) == (1, 3)
    assert result(tmp_path / "out") == before


def test_an_ingest_adds_to_what_the_folder_holds(tmp_path, src):
    ingest(src, tmp_path / "out", users=["u1"])
    assert [row.name for row in read_manifest(tmp_path / "out")] == ["odd1", "odd3"]
    ingest(src, tmp_path / "out", sessions=["odd0"])
    assert [row.name for row in read_manifest(tmp_path / "out")] == ["odd0", "odd1", "odd3"]


@pytest.mark.parametrize("wanted", [{"users": ["u1", "nobody"]}, {"sessions": ["odd1", "nobody"]}])
def test_a_user_or_session_that_is_not_there_is_named(tmp_path, src, wanted):
    with refused("no-sessions", "nobody"):
        ingest(src, tmp_path / "out", **wanted)


def test_a_damaged_session_stops_or_is_left_out_with_its_reason(tmp_path, src):
    (src / "odd1.hdf5").write_bytes(b"nothing")
    with refused("damaged", f"{src}/odd1.hdf5"):
        ingest(src, tmp_path / "out")
    assert not (tmp_path / "out" / FILE).exists()
    first = snapshot(tmp_path / "out" / SHARDS)
    assert len(first) == 1
    done = ingest(src, tmp_path / "out", on_error="skip")
    assert (done.made, done.reused) == (2, 1)
    assert [skip["source"] for skip in done.skipped] == ["odd1.hdf5"]
    assert snapshot(tmp_path / "out" / SHARDS).items() >= first.items()
    text = (tmp_path / "out" / FILE).read_text()
    assert "odd1.hdf5: HDF5 cannot be read" in text and str(tmp_path) not in text


def test_two_sessions_of_one_name_stop_or_the_later_is_left_out(tmp_path, src):
    write_session(src / "zzz.hdf5", 100, name="odd2")
    with refused("duplicate-session", "zzz.hdf5", "odd2.hdf5") as caught:
        ingest(src, tmp_path / "out", workers=2)
    assert caught.value.code == "duplicate-session" and not (tmp_path / "out").exists()
    done = ingest(src, tmp_path / "out", on_error="skip")
    assert [skip["source"] for skip in done.skipped] == ["zzz.hdf5"]
    assert next(row for row in read_manifest(tmp_path / "out") if row.name == "odd2").samples == 799


def test_a_session_that_changed_does_not_silently_replace_its_shard(tmp_path, src):
    ingest(src, tmp_path / "out")
    old = next(row for row in read_manifest(tmp_path / "out") if row.name == "odd2")
    write_session(src / "odd2.hdf5", 900, keystrokes=typed("x"))
    with refused("duplicate-session", "odd2.hdf5", f"{SHARDS}/{old.file}"):
        ingest(src, tmp_path / "out")
    (tmp_path / "out" / SHARDS / old.file).unlink()
    ingest(src, tmp_path / "out")
    assert [s.samples for s in load_sessions(tmp_path / "out", ["odd2"])] == [900]


@pytest.mark.parametrize(("place", "code"), [("file", "not-a-file"), ("full", "out-exists")])
def test_a_place_that_holds_something_else_is_refused(tmp_path, src, place, code):
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with refused(code, str(tmp_path / place)):
        ingest(src, tmp_path / place)
    with refused("out-exists"):
        ingest(src, src)


@pytest.mark.parametrize("options", [{"shard": (0, 2)}, {"shard": (3, 2)}, {"workers": 0}])
def test_shares_and_workers_out_of_range_are_refused(tmp_path, src, options):
    with refused("bad-value"):
        ingest(src, tmp_path / "out", **options)


def test_a_folder_of_shards_is_no_source(tmp_path, src):
    ingest(src, tmp_path / "out")
    with refused("conflict"):
        ingest(tmp_path / "out", tmp_path / "again")


def test_progress_ends_at_all_of_it(tmp_path, src):
    seen = []
    ingest(src, tmp_path / "out", progress=lambda done, share: seen.append((done, share)))
    assert [done for done, _ in seen] == [1, 2, 3, 4]
    assert seen[-1][1] == 1 and sorted(seen) == seen


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_ingest_leaves_nothing_that_looks_finished_and_goes_on_to_the_same_bytes(tmp_path, workers):
    src, out = tmp_path / "src", tmp_path / "out"
    for number in range(6):
        write_session(src / f"s{number}.hdf5", 60_000, user=f"u{number}", keystrokes=typed("hello"))
    process = start(["data", "ingest", str(src), str(out), f"--workers={workers}"])
    while process.poll() is None and not list(out.glob(f"{SHARDS}/*")):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (out / FILE).exists()
    assert 1 <= len(list((out / SHARDS).iterdir())) < 6
    ingest(src, tmp_path / "whole")
    kept = snapshot(out / SHARDS)
    assert kept.items() <= snapshot(tmp_path / "whole" / SHARDS).items()  # whole shards and nothing else
    while True:  # the killed one's workers end by themselves within a second
        try:
            done = ingest(src, out)
            break
        except InputError as error:
            assert error.code == "in-use"
    assert done.reused >= len(kept)
    assert result(out) == result(tmp_path / "whole")


@pytest.mark.parametrize("on_error", ["stop", "skip"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_named_and_earlier_shards_are_intact(tmp_path, small_disk, on_error, workers):
    src, out = tmp_path / "src", small_disk / "out"
    for number in range(3):
        write_session(src / f"s{number}.hdf5", 80_000, keystrokes=typed("hello"))  # a shard of 5 MB each
    with refused("no-space", str(out)):
        ingest(src, out, on_error=on_error, workers=workers)
    assert not (out / FILE).exists()
    ingest(src, tmp_path / "whole")
    kept, whole = snapshot(out / SHARDS), snapshot(tmp_path / "whole" / SHARDS)
    assert kept and kept.items() < whole.items()
    shutil.move(out, tmp_path / "moved")  # to where there is room
    assert ingest(src, tmp_path / "moved").reused == len(kept)
    assert result(tmp_path / "moved") == result(tmp_path / "whole")
