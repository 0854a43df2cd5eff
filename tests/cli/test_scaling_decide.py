"""The decisions of `semgjax scaling` on the terminal: what they print, write and refuse."""

import json

import numpy as np
import pytest

from semgjax.cli.main import main
from semgjax.cli.scaling_words import WITHHELD

SIZES = np.repeat(np.geomspace(2e4, 2e6, 6), 2)
Y = (8.0 + 60.0 * (SIZES / 2e4) ** -0.45) * np.exp(0.02 * np.random.default_rng(0).standard_normal(12))


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("decide")
    table = folder / "table.csv"
    table.write_text(
        "\n".join(["size,error", *(f"{s!r},{y!r}" for s, y in zip(SIZES.tolist(), Y.tolist(), strict=True))])
    )
    out = folder / "fit.json"
    words = ["--map", "N=size", "--map", "y=error", "--unit", "%", "--out", str(out)]
    assert main(["scaling", "fit", str(table), *words]) == 0
    return out


def said(capsys, *words):
    capsys.readouterr()
    assert main(["scaling", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_invert_prints_its_layers_and_json_has_the_same(fit, capsys):
    text = said(capsys, "invert", fit, "--target", "14")
    for layer in ("sampling", "choice", "extrapolation", "out of reach"):
        assert f"\n  {layer}" in text
    found = json.loads(said(capsys, "invert", fit, "--target", "14", "--json"))
    assert found["sampling"]["low"] < found["value"] < found["sampling"]["high"]
    assert found["choice"]["members"] and not found["blocked"]


def test_suggest_lists_runs_with_their_hours(fit, capsys):
    words = ["suggest", fit, "--at", "2e7", "--vary", "N=1e6,1e7", "--cost", "1*N", "--rate", "1e7", "--runs", "2"]
    assert "device-hours in all" in said(capsys, *words)
    assert len(json.loads(said(capsys, *words, "--json"))["steps"]) == 2


def test_design_takes_published_numbers_or_a_fit(fit, capsys):
    vary = ["design", "--vary", "N=5e4,2e5,1e6,5e6", "--seeds", "3", "--at", "5e7"]
    text = said(capsys, *vary, "--prior", "E=8", "--prior", "A=3500", "--prior", "alpha=.45")
    assert text.startswith("12 runs at 4 configurations") and "simulated sweeps" in text
    assert json.loads(said(capsys, *vary, "--prior", fit, "--json"))["blocked"] is False


@pytest.mark.parametrize(
    "words",
    [
        ["invert", "{fit}", "--target", "14", "--of", "U"],
        ["invert", "nowhere.json", "--target", "14"],
        ["frontier", "{fit}", "--budget", "1e6"],
        ["frontier", "{fit}", "--budget", "1e6", "--cost", "6*N*D"],
        ["frontier", "{fit}", "--budget", "1e6", "--cost", "rm -rf"],
        ["student", "{fit}", "--target", "14", "--teacher", "1e6"],
        ["suggest", "{fit}", "--cost", "1*N", "--rate", "1e7"],
        ["design", "--vary", "N=5e4,x", "--at", "5e7"],
        ["design", "--vary", "N=5e4,1e5", "--at", "5e7"],
        ["report", "{fit}", "--out", "page.txt"],
    ],
)
def test_a_question_that_cannot_be_answered_ends_with_one_line(fit, words, capsys):
    assert main(["scaling", *(word.format(fit=fit) for word in words)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("semgjax: error: ") and error.count("\n") == 1


@pytest.mark.slow
def test_the_report_is_one_file_and_the_same_each_time(fit, tmp_path, capsys):
    pages = []
    for name in ("a.html", "b.html"):
        words = ["report", fit.parent / "table.csv", "--map", "N=size", "--map", "y=error", "--law", "floor_power"]
        said(capsys, *words, "--unit", "%", "--target", "14", "--out", tmp_path / name)
        pages.append((tmp_path / name).read_bytes())
    assert pages[0] == pages[1] and pages[0].count(b"<img") == 6


@pytest.mark.slow
def test_a_blocked_table_is_reported_without_a_number(tmp_path, capsys):
    table = tmp_path / "few.csv"
    table.write_text("size,error\n1e4,40\n1e5,20\n1e6,12\n")
    words = ["report", table, "--map", "N=size", "--map", "y=error", "--law", "floor_power", "--target", "11"]
    assert main(["scaling", *map(str, words), "--out", str(tmp_path / "page.html")]) == WITHHELD
    assert main(["scaling", *map(str, words), "--out", str(tmp_path / "forced.html"), "--force"]) == 0
    page = (tmp_path / "page.html").read_text()
    assert page.count("<img") == 1 and page.count('class="warning"') == 1 and 'class="verdict"' not in page
