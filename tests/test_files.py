"""JSON files between layers: canonical form, atomic writes, refusal of foreign files, a folder's lock."""

import json
import math
import os
import signal
import subprocess
import sys

import pytest

from semgjax import files
from semgjax.errors import InputError
from semgjax.files import (
    canonical_json,
    content_hash,
    folder_lock,
    is_locked,
    parse_json,
    read_json,
    write_atomic,
    write_json,
)
from tests.refused import refused

HOLD_LOCK = """
import sys, time
from pathlib import Path
from semgjax.files import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_canonical_json_depends_on_content_and_not_on_order():
    assert canonical_json({"b": [1, 2.5], "a": {"d": None, "c": True}}) == '{"a":{"c":true,"d":null},"b":[1,2.5]}'
    assert content_hash({"x": 1, "y": 2}) == content_hash({"y": 2, "x": 1})
    assert content_hash({"x": 1}) != content_hash({"x": 2})


def test_the_hash_is_the_sha256_of_the_canonical_text():
    # sha256 of "{}" as any other tool computes it: a change here would rename every run on every disk.
    assert content_hash({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_cannot_hold_are_refused_and_nothing_is_written(tmp_path, value):
    with pytest.raises(ValueError):
        canonical_json([value])
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", "semgjax/test", 1, {"x": value})
    assert list(tmp_path.iterdir()) == []


def test_write_atomic_makes_missing_folders_and_leaves_only_the_file(tmp_path):
    path = tmp_path / "deep" / "folder" / "file.bin"
    write_atomic(path, b"\x00\xff")
    write_atomic(path, "text ⌫")
    assert path.read_text(encoding="utf-8") == "text ⌫"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_keeps_the_old_file_and_leaves_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    write_atomic(path, "old")

    def no_space(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", no_space)
    with pytest.raises(InputError) as caught:
        write_atomic(path, "new")
    assert caught.value.code == "no-space"
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_gets_the_mode_that_the_user_set_for_new_files(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "file.txt", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "file.txt").stat().st_mode & 0o777 == 0o640


def test_a_json_file_reads_back_equal_with_its_schema_and_version(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, "semgjax/test", 3, {"numbers": [0.1, 1e-300, 2**53], "name": "ü"})
    document = read_json(path, "semgjax/test", 3)
    assert document == {"schema": "semgjax/test", "version": 3, "numbers": [0.1, 1e-300, 2**53], "name": "ü"}


def test_a_document_read_before_is_written_under_the_version_asked_for(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, "semgjax/test", 1, {"x": 1})
    write_json(path, "semgjax/test", 2, read_json(path, "semgjax/test", 1))
    assert read_json(path, "semgjax/test", 2) == {"schema": "semgjax/test", "version": 2, "x": 1}


@pytest.mark.parametrize(
    ("content", "code", "named"),
    [
        (b"", "bad-json", ""),
        (b'{"schema": "semgjax/test", "ver', "bad-json", ""),
        (b"\xff\xfe\x00", "bad-encoding", ""),
        (b"[1, 2]", "wrong-schema", "'list'"),
        (b"{}", "wrong-schema", None),
        (b'{"schema": "semgjax/split", "version": 1}', "wrong-schema", "'semgjax/split'"),
        (b'{"schema": "semgjax/test"}', "wrong-version", None),
        (b'{"schema": "semgjax/test", "version": 2}', "wrong-version", 2),
    ],
)
def test_a_foreign_or_broken_file_is_refused_by_its_name(tmp_path, content, code, named):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with refused(code, path, named):
        read_json(path, "semgjax/test", 1)


def test_a_missing_file_and_a_folder_are_refused_by_their_name(tmp_path):
    with refused("no-file", "none.json", "semgjax/test"):
        read_json(tmp_path / "none.json", "semgjax/test", 1)
    with pytest.raises(InputError) as caught:
        read_json(tmp_path, "semgjax/test", 1)
    assert caught.value.code == "not-a-file"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"x": NaN}', "not-finite"),
        ('{"x": -Infinity}', "not-finite"),
        ('{"x": 1e400}', "not-finite"),
        ('{"x": 1, "x": 2}', "bad-json"),
        ('{"x": {"y": 1, "y": 1}}', "bad-json"),
        ("[" * 100_000, "bad-json"),
        ('{"x":' * 100_000, "bad-json"),
        ("1" * 5000, "bad-json"),
        ('{"x": "\\ud800"}', "bad-encoding"),
        ("{'x': 1}", "bad-json"),
    ],
)
def test_json_is_read_strictly(text, code):
    with pytest.raises(InputError) as caught:
        parse_json(text, "a.json")
    assert caught.value.code == code and "\n" not in str(caught.value)


def test_indented_json_is_still_json_for_other_readers(tmp_path):
    write_json(tmp_path / "a.json", "semgjax/test", 1, {"x": [1]})
    text = (tmp_path / "a.json").read_text()
    assert text.endswith("}\n") and json.loads(text)["x"] == [1]


def test_a_second_writer_is_refused_with_the_owner_and_let_in_afterwards(tmp_path):
    folder = tmp_path / "run"
    with (
        folder_lock(folder),
        refused("in-use", folder, f"process {os.getpid()} on "),
        folder_lock(folder),
    ):
        pass
    with folder_lock(folder):
        pass


def test_a_killed_writer_frees_its_folder(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD_LOCK, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        with refused("in-use", f"process {holder.pid}"), folder_lock(tmp_path):
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with folder_lock(tmp_path):
        pass


def test_whether_a_folder_is_locked_shows_while_its_owner_lives(tmp_path):
    assert not is_locked(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", HOLD_LOCK, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        assert is_locked(tmp_path)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    assert not is_locked(tmp_path)
    with folder_lock(tmp_path):
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)


def test_the_lock_of_a_dead_owner_is_not_even_tried_so_that_no_new_owner_is_kept_out(tmp_path, monkeypatch):
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    (tmp_path / ".lock").write_text(f"process {done.pid} on {os.uname().nodename}")

    def flock(*_):
        raise AssertionError("the lock was tried")

    monkeypatch.setattr(files.fcntl, "flock", flock)
    assert not is_locked(tmp_path)


@pytest.mark.parametrize("owner", ["process 1 on another-machine", "someone"])
def test_an_owner_that_cannot_be_looked_up_is_known_by_the_lock_itself(tmp_path, owner):
    with folder_lock(tmp_path):
        (tmp_path / ".lock").write_text(owner)
        assert is_locked(tmp_path)
    assert not is_locked(tmp_path)
