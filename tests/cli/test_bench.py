"""`semgjax bench`: its table and its JSON, and names that are no benchmark."""

import json
import sys
from types import ModuleType

import pytest

from benchmarks.measure import Comparison
from semgjax.cli.main import main
from tests.runs import fails


@pytest.fixture
def stopwatch(monkeypatch, tmp_path):
    """A benchmark named `stopwatch`."""
    module = ModuleType("benchmarks.stopwatch")
    module.run = lambda: {"stopwatch.lap": Comparison(1.0, 4.0, "s", "one lap")}
    monkeypatch.setitem(sys.modules, "benchmarks.stopwatch", module)
    (tmp_path / "stopwatch.py").touch()
    monkeypatch.setattr("benchmarks.__path__", [str(tmp_path)])


def test_json_is_one_object_by_key(stopwatch, capsys):
    assert main(["bench", "stopwatch", "--json"]) == 0
    row = {"ours": 1.0, "peer": 4.0, "ratio": 0.25, "unit": "s", "note": "one lap"}
    assert json.loads(capsys.readouterr().out) == {"stopwatch.lap": row}


def test_the_table_shows_the_ratio(stopwatch, capsys):
    assert main(["bench", "stopwatch"]) == 0
    assert "0.25" in capsys.readouterr().out


def test_an_unknown_name_lists_those_there_are(stopwatch, capsys):
    assert "'watch'" in (line := fails(capsys, ["bench", "watch"])) and "stopwatch" in line


def test_without_the_source_checkout_the_line_says_so(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "benchmarks", None)
    assert "from a source checkout" in fails(capsys, ["bench", "data"])
