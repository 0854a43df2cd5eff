"""Options of the studies on simulated sweeps, and tables whose finished rows are kept."""

import subprocess
import sys

import pytest

from analysis.simulated import Simulations, table
from tests.refused import refused


def rows(measured, values):
    """One row for each value; `measured` collects those that are measured."""

    def row(value):
        measured.append(value)
        return str(10 * value)

    return [(f"row {value}", lambda value=value: row(value)) for value in values]


@pytest.mark.parametrize("count", [0, -3])
def test_what_is_no_count_is_refused(count):
    with refused("bad-value", str(count)):
        Simulations(simulations=count)


def test_a_second_call_measures_only_the_rows_that_are_missing(tmp_path):
    options = Simulations(simulations=5, out=tmp_path / "t.md")
    first, second = [], []
    table(options, __file__, "About.", ("a", "b"), rows(first, [1, 2]))
    text = table(options, __file__, "About.", ("a", "b"), rows(second, [1, 2, 3]))
    assert first == [1, 2] and second == [3]
    lines = text.splitlines()
    assert lines[:4] == ["About.", "", "| a | b |", "|---|---|"]
    assert lines[4:] == [f"| row {i} | {10 * i} |" for i in (1, 2, 3)]
    assert options.out.read_text().endswith(text)


def test_only_rows_whose_setting_has_the_text_are_measured():
    measured = []
    table(Simulations(only="2"), __file__, "", ("a", "b"), rows(measured, [1, 2, 12]))
    assert measured == [2, 12]


@pytest.mark.parametrize("change", ["simulations", "caption", "code", "foreign"])
def test_rows_of_another_table_are_not_continued(tmp_path, change):
    out = tmp_path / "t.md"
    table(Simulations(simulations=5, out=out), __file__, "About.", ("a", "b"), rows([], [1]))
    if change == "foreign":
        out.write_text("notes of mine\n")
    kept = out.read_text()
    study = tmp_path / "study.py"
    study.write_text("another = 1\n")
    count, caption = 6 if change == "simulations" else 5, "Other." if change == "caption" else "About."
    with refused("out-exists", "t.md"):
        table(
            Simulations(simulations=count, out=out), str(study) if change == "code" else __file__, caption, ("a", "b"),
            rows([], [1, 2]),
        )  # fmt: skip
    assert out.read_text() == kept


@pytest.mark.slow
@pytest.mark.parametrize("words", [["--simulations", "0"], ["--simulation"], ["--out"], ["--other", "1"]])
def test_bad_options_of_a_study_exit_with_code_2_and_no_traceback(words):
    done = subprocess.run([sys.executable, "-m", "analysis.coverage", *words], capture_output=True, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr
