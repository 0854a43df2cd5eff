"""The examples of the public docstrings and of docs/reference/api.md run as they stand."""

import doctest
import importlib
import re
import shutil

import numpy as np
import pytest

import semgjax
from tests.test_house import ROOT

RUNS = pytest.param("runs", marks=pytest.mark.slow)
MODULES = ("comparison", "decisions", "fitting", "models", "planned_step", "robustness", RUNS, "signals")


@pytest.fixture
def places(sessions, finished, tmp_path, monkeypatch):
    """A folder with what the examples name: s.hdf5, shards and runs/small."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(sorted(sessions.glob("*.hdf5"))[0], "s.hdf5")
    (tmp_path / "shards").symlink_to(sessions)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "small").symlink_to(finished)


@pytest.mark.parametrize("module", MODULES)
def test_examples_of_docstrings_give_what_they_show(module, places):
    found = importlib.import_module(f"semgjax.api.{module}")
    result = doctest.testmod(found, extraglobs={"semgjax": semgjax, "np": np}, optionflags=doctest.ELLIPSIS)
    assert result.attempted >= 1
    assert result.failed == 0


@pytest.mark.slow
def test_the_example_of_the_page_runs_as_it_stands(places):
    page = (ROOT / "docs" / "reference" / "api.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert blocks
    names: dict = {}
    for block in blocks:
        exec(compile(block, "docs/reference/api.md", "exec"), names)
    assert (names["run"].result["kind"], names["student"].result["kind"]) == ("supervised", "distilled")
    assert names["law"].predict(N=1e8).value > 0
