"""`semgjax stream --web`: when there is a page, and what is refused before a source is opened."""

import re
import socket
import sys
from contextlib import AbstractContextManager

import pytest

from semgjax.cli.live_page import check_page, live_page
from semgjax.data.band import TYPING
from tests.refused import refused


def page(
    web: bool, port: int | None, source: str = "lsl:band", notes: list[str] | None = None
) -> AbstractContextManager:
    return live_page(web, port, TYPING, "decoder", source, ([] if notes is None else notes).append)


def test_without_the_option_there_is_no_page():
    with page(False, None) as found:
        assert found is None


def test_a_port_without_a_page_is_refused():
    with refused("conflict", "--port 0"):
        check_page(False, 0)


def test_a_port_in_use_is_refused():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with refused("port-in-use", port), page(True, port):
            pass


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "websockets", None)
    with refused("missing-extra", "semgjax[stream]"):
        check_page(True, 0)
    check_page(False, None)


@pytest.mark.parametrize("source", ["lsl:band", "FILE"])
def test_the_address_is_told_and_that_a_file_waits_for_the_page(tmp_path, source):
    notes: list[str] = []
    with page(True, 0, source.replace("FILE", str(tmp_path / "session.hdf5")), notes) as found:
        (line,) = notes
        assert found.url in line and re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", found.url)
        assert ("file" in line) == (source == "FILE")
