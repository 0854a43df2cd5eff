"""metrics.jsonl after kills: lines past the checkpoint go, a cut last line is no fault, other damage is named."""

import json

import pytest

from semgjax.training.metrics import MetricsFile, read_metrics
from tests.refused import refused


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "metrics.jsonl"
    metrics = MetricsFile(path)
    for step in (1, 2, 3):
        metrics.write({"step": step, "loss": 1 / 3})
    metrics.write({"step": 3, "split": "val", "cer": None})
    return path


def test_lines_read_back_as_they_were_written(path):
    assert [line["step"] for line in read_metrics(path)] == [1, 2, 3, 3]
    assert read_metrics(path)[0] == {"step": 1, "loss": 1 / 3}


def test_a_rewind_drops_the_lines_after_the_step_and_keeps_the_others_byte_for_byte(path):
    lines = path.read_text().splitlines(keepends=True)
    MetricsFile(path).rewind(2)
    assert path.read_text() == "".join(lines[:2])
    MetricsFile(path).write({"step": 3, "loss": 0.5})
    assert [line["step"] for line in read_metrics(path)] == [1, 2, 3]


def test_a_rewind_to_the_last_step_changes_nothing_and_to_the_start_leaves_no_line(path):
    before = path.read_bytes()
    MetricsFile(path).rewind(3)
    assert path.read_bytes() == before
    MetricsFile(path).rewind(0)
    assert path.read_bytes() == b""


def test_a_rewind_without_a_file_makes_none(tmp_path):
    MetricsFile(tmp_path / "metrics.jsonl").rewind(0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_last_line_cut_by_a_kill_is_left_out_and_overwritten(path, cut):
    path.write_bytes(path.read_bytes()[:-cut])
    assert [line["step"] for line in read_metrics(path)] == [1, 2, 3]
    MetricsFile(path).rewind(3)
    MetricsFile(path).write({"step": 4})
    assert [line["step"] for line in read_metrics(path)] == [1, 2, 3, 4]


@pytest.mark.parametrize("damage", ["{broken", "", "7", '{"loss": 1}'])
def test_a_damaged_line_in_the_middle_is_named(path, damage):
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], damage, *lines[2:]]) + "\n")
    with refused("bad-row", f"{path}: line 2 "):
        read_metrics(path)


def test_a_number_that_json_cannot_hold_is_never_written(path):
    before = path.read_bytes()
    with pytest.raises(ValueError):
        MetricsFile(path).write({"step": 4, "loss": float("nan")})
    assert path.read_bytes() == before
    assert all(json.loads(line) for line in path.read_text().splitlines())
