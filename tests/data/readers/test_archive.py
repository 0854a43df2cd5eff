"""An archive as a source: read as a stream, its paths never trusted, its damage named."""

import gzip
import io
import json
import tarfile

import pytest

from semgjax.data.shards.ingest import ingest
from semgjax.data.shards.ingest_parts import WORK
from semgjax.data.shards.manifest import FILE, SHARDS, read_manifest
from semgjax.errors import InputError
from tests.data.fixtures import write_session
from tests.data.odd import write_odd_sessions
from tests.refused import refused
from tests.runs import snapshot


@pytest.fixture
def src(tmp_path):
    return write_odd_sessions(tmp_path / "src")


def pack(src, path, *extra, first=()):
    """An archive of a folder as the data set's: sessions, then metadata.csv; `extra` are (name, type, content)."""
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        for name, kind, content in first:
            add(tar, name, kind, content)
        tar.add(src, "set", recursive=False)
        for session in sorted(src.iterdir()):
            tar.add(session, f"set/{session.name}")
        for name, kind, content in extra:
            add(tar, name, kind, content)
        add(tar, "set/metadata.csv", tarfile.REGTYPE, b"user,session\n")
    return path


def add(tar, name, kind, content=b""):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "set/odd0.hdf5" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("name", ["set.tar.gz", "set.tar"])
def test_a_stream_gives_the_shards_of_the_unpacked_folder_and_leaves_nothing_else(tmp_path, src, name):
    archive = pack(src, tmp_path / name, ("set/._odd0.hdf5", tarfile.REGTYPE, b"resource fork"))
    ingest(src, tmp_path / "folder")
    ingest(archive, tmp_path / "stream", workers=2 if name == "set.tar" else 1)
    for share in (2, 1):
        ingest(archive, tmp_path / "shares", shard=(share, 2))
    for out in ("stream", "shares"):
        assert snapshot(tmp_path / "folder" / SHARDS) == snapshot(tmp_path / out / SHARDS)
        assert read_manifest(tmp_path / "folder") == read_manifest(tmp_path / out)
        skipped = json.loads((tmp_path / out / FILE).read_text())["skipped"]
        assert [skip["source"] for skip in skipped] == ["set/._odd0.hdf5"]
        assert not list((tmp_path / out / WORK).iterdir())
    assert ingest(archive, tmp_path / "stream").reused == 4


def test_chosen_users_and_sessions_are_taken_from_a_stream(tmp_path, src):
    archive = pack(src, tmp_path / "set.tar.gz")
    assert ingest(archive, tmp_path / "users", users=["u1"]).made == 2
    assert ingest(archive, tmp_path / "both", users=["u1"], sessions=["odd1"]).made == 1
    assert [row.name for row in read_manifest(tmp_path / "both")] == ["odd1"]


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("../out.hdf5", tarfile.REGTYPE, "path"),
        ("set/../../out.hdf5", tarfile.REGTYPE, "path"),
        ("/tmp/out.hdf5", tarfile.REGTYPE, "path"),
        ("set\\..\\out.hdf5", tarfile.REGTYPE, "path"),
        ("set/link.hdf5", tarfile.SYMTYPE, "link"),
        ("set/hard.hdf5", tarfile.LNKTYPE, "link"),
        ("set/device", tarfile.CHRTYPE, "device"),
        ("set/pipe.hdf5", tarfile.FIFOTYPE, "device"),
    ],
)
def test_a_path_or_member_that_is_not_to_be_trusted_is_refused_by_name(tmp_path, src, name, kind, says):
    content = (src / "odd0.hdf5").read_bytes() if kind == tarfile.REGTYPE else b""
    archive = pack(src, tmp_path / "set.tar", (name, kind, content))
    before = {path for path in tmp_path.rglob("*")}
    with pytest.raises(InputError) as caught:
        ingest(archive, tmp_path / "out")
    assert str(caught.value).startswith(f"{archive}:{name}: ") and says in str(caught.value)
    assert {path for path in tmp_path.rglob("*") if "out" not in path.parts} == before
    assert not list((tmp_path / "out").rglob("member-*"))
    done = ingest(archive, tmp_path / "out", on_error="skip")
    assert len(done.rows) == 4
    assert [(skip["source"], says in skip["reason"]) for skip in done.skipped] == [(name, True)]


def test_a_session_that_cannot_be_read_is_named_by_its_member(tmp_path, src):
    archive = pack(src, tmp_path / "set.tar.gz", first=[("set/bad.hdf5", tarfile.REGTYPE, b"no HDF5" * 100)])
    with refused("damaged", f"{archive}:set/bad.hdf5"):
        ingest(archive, tmp_path / "out")
    done = ingest(archive, tmp_path / "out", on_error="skip")
    assert len(done.rows) == 4 and [skip["source"] for skip in done.skipped] == ["set/bad.hdf5"]
    assert WORK not in (tmp_path / "out" / FILE).read_text()


@pytest.mark.parametrize(("name", "damage"), [("set.tar.gz", "cut"), ("set.tar", "cut"), ("set.tar", "flipped")])
def test_an_archive_that_breaks_off_is_named_and_earlier_sessions_are_intact(tmp_path, src, name, damage):
    archive = pack(src, tmp_path / name)
    ingest(archive, tmp_path / "whole")
    content = bytearray(archive.read_bytes())
    if damage == "flipped":
        with tarfile.open(archive) as tar:
            content[tar.getmember("set/odd2.hdf5").offset + 3] ^= 1  # a header: its sum is wrong
    else:
        content = content[: len(content) * 6 // 10]
    archive.write_bytes(content)
    with refused("damaged", f"{archive}:", "set/odd"):
        ingest(archive, tmp_path / "out")
    assert not (tmp_path / "out" / FILE).exists()
    done = ingest(archive, tmp_path / "out", on_error="skip")
    assert 1 <= len(done.rows) < 4 and len(done.skipped) == 1
    assert snapshot(tmp_path / "out" / SHARDS).items() < snapshot(tmp_path / "whole" / SHARDS).items()


def test_content_that_only_the_archives_checksum_tells_damaged_is_found(tmp_path, src):
    archive = tmp_path / "set.tar.gz"
    plain = pack(src, tmp_path / "set.tar").read_bytes()
    archive.write_bytes(gzip.compress(plain, 0))  # stored as it is, so that a flipped bit decompresses
    ingest(archive, tmp_path / "whole")
    content = bytearray(archive.read_bytes())
    content[500_000] ^= 1
    archive.write_bytes(content)
    with refused("damaged", str(archive)):
        ingest(archive, tmp_path / "out", on_error="skip")
    assert not (tmp_path / "out").exists()
    ingest(archive.with_name("set.tar"), tmp_path / "out")
    before = snapshot(tmp_path / "out" / SHARDS)
    with pytest.raises(InputError) as caught:
        ingest(archive, tmp_path / "out", on_error="skip")
    assert caught.value.code == "damaged" and snapshot(tmp_path / "out" / SHARDS) == before


def test_an_archive_cut_between_two_members_is_not_taken_for_whole(tmp_path, src):
    archive = pack(src, tmp_path / "set.tar")
    with tarfile.open(archive) as tar:
        place = tar.getmember("set/odd2.hdf5").offset
    archive.write_bytes(archive.read_bytes()[:place])
    with refused("damaged", "set/odd1.hdf5"):
        ingest(archive, tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"hello" * 1000])
def test_no_archive_and_a_missing_one_are_refused_by_name(tmp_path, content):
    archive = tmp_path / "set.tar.gz"
    with refused("no-file", str(archive)):
        ingest(archive, tmp_path / "out")
    archive.write_bytes(content)
    with refused("damaged", str(archive)):
        ingest(archive, tmp_path / "out")


def test_a_second_archive_with_other_content_gives_its_own_sessions(tmp_path, src):
    ingest(pack(src, tmp_path / "one.tar"), tmp_path / "out")
    other = tmp_path / "other"
    write_session(other / "new.hdf5", 500)
    ingest(pack(other, tmp_path / "two.tar"), tmp_path / "out")
    assert [row.name for row in read_manifest(tmp_path / "out")] == ["new", "odd0", "odd1", "odd2", "odd3"]
