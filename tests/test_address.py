"""Folders at addresses: listed, fetched, put and removed alike in every kind of store; what cannot be is one line."""

import sys

import fsspec
import pytest

from semgjax.address import open_address, reaching
from tests.refused import refused
from tests.runs import snapshot


@pytest.fixture(params=["memory", "file"])
def store(request, tmp_path):
    """An empty folder at an address."""
    if request.param == "file":
        yield open_address(f"file://{tmp_path}/there/my run/")
        return
    yield open_address("memory://there/my run/")
    system = fsspec.filesystem("memory")
    system.rm("/there", recursive=True) if system.exists("/there") else None


def test_files_go_there_and_come_back(store, tmp_path):
    here, back = tmp_path / "here", tmp_path / "back"
    (here / "a" / "b").mkdir(parents=True)
    (here / "a" / "b" / "one").write_bytes(b"1")
    (here / "two").write_bytes(b"2")
    assert store.names() == [] and store.read("two") is None
    store.put(["two", "a/b/one"], here)
    store.write("a/three", b"3")
    assert store.names() == ["a/b/one", "a/three", "two"]
    store.fetch(["two", "a/b/one"], back)
    assert snapshot(back) == snapshot(here)
    store.remove_folder("a")
    assert store.names() == ["two"]
    store.remove("two")
    assert store.names() == []


def test_a_file_is_replaced_whole_and_leaves_no_rest(store):
    for content in (b"long content", b"short"):
        store.replace("deep/file", content)
        assert store.read("deep/file") == content
    assert store.names() == ["deep/file"]


def test_a_slash_at_the_end_is_no_part_of_an_address(store):
    assert store.address.endswith("/my run")


def test_a_file_in_place_of_a_folder_is_named(store):
    store.write("file", b"x")
    with refused("not-a-file", "my run/file"):
        open_address(f"{store.address}/file").names()


def test_a_folder_that_cannot_be_listed_is_not_taken_for_an_empty_one(store, monkeypatch):
    store.write("a/b", b"x")
    real = type(store.system).ls

    def ls(self, path, *args, **options):
        if path.endswith("/a"):
            raise PermissionError(13, "Permission denied", path)
        return real(self, path, *args, **options)

    monkeypatch.setattr(type(store.system), "ls", ls)
    with pytest.raises(PermissionError):
        store.names()


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "a//x", "./x"])
def test_a_name_that_leads_out_of_the_folder_is_not_fetched(store, tmp_path, name):
    with refused("bad-path", repr(name)):
        store.fetch([name], tmp_path / "back")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("address", "code"), [("cloud9://lab/run", "unreadable"), ("memory://lab/run*", "bad-path")])
def test_an_address_that_can_be_none_is_one_line(address, code):
    with refused(code, address):
        open_address(address)


@pytest.mark.parametrize(
    ("address", "package", "extra"), [("gs://lab/run", "gcsfs", "gcs"), ("s3://lab/run", "s3fs", "s3")]
)
def test_a_missing_package_is_named_with_the_way_to_install_it(monkeypatch, address, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with refused("missing-extra", address, package, f"pip install 'semgjax[{extra}]'"):
        open_address(address)


def test_an_error_of_the_store_is_one_line_that_names_address_and_kind():
    with refused("unreadable", "gs://lab", "OSError: 403 no access"), reaching("gs://lab"):
        raise OSError("403 no access\nmore of it")
