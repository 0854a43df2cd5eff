"""docs/architecture.md against the tree: its map and its walks."""

import importlib.util
import re

import pytest

from tests.test_house import ROOT

spec = importlib.util.spec_from_file_location("write_map", ROOT / "docs" / "write_map.py")
assert spec is not None and spec.loader is not None
MAP = importlib.util.module_from_spec(spec)
spec.loader.exec_module(MAP)
TEXT = MAP.PAGE.read_text()
WALKS = re.findall(r"^\*\*(.+)\*\*\n\n((?:\d\. .*\n)+)", TEXT, re.MULTILINE)


def test_the_map_has_every_module_with_what_it_says_of_itself():
    assert MAP.page(TEXT) == TEXT
    assert TEXT.count("\n| ") > 100


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk[0])
def test_a_walk_names_files_that_exist_once_each_and_functions_that_they_define(walk):
    steps = re.findall(r"^\d\. `(.+?)`: (.*)$", walk[1], re.MULTILINE)
    assert len(steps) >= 4 and len({file for file, _ in steps}) == len(steps)
    for file, text in steps:
        code = (ROOT / "semgjax" / file).read_text()
        for name in re.findall(r"`(\w+)`", text):
            assert re.search(rf"\b{name}\b", code), f"{file} has no {name}"


def test_there_are_three_walks():
    assert len(WALKS) == 3
