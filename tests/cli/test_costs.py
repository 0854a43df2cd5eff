"""`semgjax costs`: the table, which is also that of the guide, and its JSON."""

import json
from pathlib import Path

import pytest

from semgjax.cli.main import main
from semgjax.model.decode_costs import costs
from semgjax.model.presets import preset
from semgjax.training.run_config import recipe
from tests.runs import fails

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "export.md"


def test_the_table_is_that_of_the_guide(capsys):
    assert main(["costs"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n") == 12 and printed in GUIDE.read_text()


def test_json_has_every_number_of_every_preset(capsys):
    assert main(["costs", "ladder-16", "tds", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["ladder-16", "tds"]
    expected = costs(preset("ladder-16"), recipe("ladder-16").window.total)
    assert found["ladder-16"]["stream_operations"] == pytest.approx(expected.stream_operations)
    assert found["tds"]["stream_operations"] is None and found["tds"]["window_operations"] > 0


def test_presets_are_made_to_fit_a_folders_band_and_unknown_ones_refused(sessions, tmp_path, capsys):
    assert main(["costs", "ladder-16", "--data", str(sessions), "--json"]) == 0
    assert "ladder-16" in json.loads(capsys.readouterr().out)
    fails(capsys, ["costs", "ladder-17"])
    fails(capsys, ["costs", "ladder-16", "--splits", tmp_path / "s.json"])
