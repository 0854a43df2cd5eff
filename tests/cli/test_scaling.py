"""`semgjax scaling` on the terminal: what it prints, writes and refuses."""

import json
import subprocess
import sys

import numpy as np
import pytest

from semgjax.cli.main import main
from semgjax.cli.scaling_words import WITHHELD

SIZES = np.geomspace(2e4, 2e6, 6)
Y = (8.0 + 60.0 * (SIZES / 2e4) ** -0.45) * np.exp(0.02 * np.random.default_rng(0).standard_normal(6))
MAP = ["--map", "N=size", "--map", "y=error"]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    rows = [f"{float(size)!r},{float(y)!r},a" for size, y in zip(SIZES, Y, strict=True)]
    path.write_text("\n".join(["size,error,set", *rows, "1,1,b"]) + "\n")
    return path


def fit(table, *words):
    return main(["scaling", "fit", str(table), *MAP, "--where", "set=a", *words])


def test_a_fit_prints_parameters_with_intervals_and_writes_what_was_asked(table, tmp_path, capsys):
    out, plot = tmp_path / "new" / "fit.json", tmp_path / "curve.png"
    assert fit(table, "--unit", "%", "--out", str(out), "--plot", str(plot)) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("y = E + A * N^-alpha on 6 points of table.csv: N = size, y = error\n")
    for name in ("E", "A", "alpha"):
        assert f"\n  {name} " in printed
    assert "converged, 100% of 64 starts agree" in printed
    assert str(out) in printed and str(plot) in printed
    assert json.loads(out.read_text())["schema"] == "semgjax/fit"
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_json_is_one_object_and_equals_the_file(table, tmp_path, capsys):
    out = tmp_path / "fit.json"
    assert fit(table, "--json", "--out", str(out), "--objective", "huber_log", "--delta", "1e-3") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(out.read_text())
    assert printed["objective"]["delta_used"] == 1e-3


def test_a_prediction_gives_value_interval_and_distance(table, tmp_path, capsys):
    out = tmp_path / "fit.json"
    fit(table, "--unit", "%", "--out", str(out))
    capsys.readouterr()
    assert main(["scaling", "predict", str(out), "--at", "2e7", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["low"] < found["value"] < found["high"]
    assert found["beyond"] == pytest.approx(10.0)
    assert "extrapolating" in [f["code"] for f in found["diagnostics"]]
    assert found["choice"]["low"] <= found["value"] <= found["choice"]["high"]
    assert found["extrapolation"][0] < found["value"] < found["extrapolation"][1]
    assert main(["scaling", "predict", str(out), "--at", "2e7"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"error at size = 2e+07: {found['value']:.4g} % [{found['low']:.4g}, ")
    assert "10 times above the largest size of the sweep" in printed


def test_a_prediction_without_interval_says_why(tmp_path, capsys):
    path = tmp_path / "short.csv"
    path.write_text("size,error\n1,9\n10,5\n100,3\n")
    assert main(["scaling", "fit", str(path), *MAP, "--out", str(tmp_path / "fit.json")]) == WITHHELD
    assert "error few-levels: no interval" in capsys.readouterr().out
    assert main(["scaling", "predict", str(tmp_path / "fit.json"), "--at", "10", "--json"]) == WITHHELD
    found = json.loads(capsys.readouterr().out)
    assert found["low"] is None and found["high"] is None
    assert found["value"] is None and found["blocked"]
    assert [f["code"] for f in found["diagnostics"] if f["severity"] == "error"] == ["few-levels"]


def test_the_same_fit_again_replaces_its_file(table, tmp_path):
    out = tmp_path / "fit.json"
    assert fit(table, "--out", str(out), "--law", "power") == 0
    assert fit(table, "--out", str(out)) == 0
    assert json.loads(out.read_text())["law"] == "floor_power"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--map", "y=error"], "--map y=error: y is set twice (before to error)"),
        (["--where", "set"], "--where set: write it as NAME=VALUE"),
        (["--where", "sett=a"], "no column 'sett'; did you mean 'set'?"),
        (["--lawn", "power"], "--law"),
        (["--law", "cubic"], "cubic"),
        (["--delta", "-1"], "delta -1.0: must be a number above 0"),
        (["--objective", "log_ls", "--delta", "1"], "leave it out"),
        (["--level", "95"], "level 95.0: must lie between 0 and 1"),
        (["--plot", "curve.jpg"], "a figure's name ends in .png, .svg, .pdf"),
        (["--users"], "--users draws into a plot"),
        (["--out", "."], "is a folder; name a file in it"),
        (["--out", "table.csv"], "is the input itself"),
        (["--out", "other.json"], "cannot be read as JSON"),
        (["--out", "other.json/fit.json"], "cannot be written in"),
        (["--users", "--plot", "a.png"], "only a sweep's table names its users"),
    ],
)
def test_a_mistake_is_one_line_with_exit_code_2_and_writes_nothing(
    table, tmp_path, monkeypatch, capsys, words, message
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.json").write_text("mine")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert fit(table, *words) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size,error\n1,2\n2,1\n", "2 points at 2 different places (size)"),
        ("size,error\n1,2\n2,nan\n3,1\n", "line 3: column error is 'nan'"),
        ("size,err\n1,2\n", "no column 'error'; did you mean 'err'?"),
        ("", "no rows"),
    ],
)
def test_a_bad_table_is_one_line_with_exit_code_2(tmp_path, capsys, text, message):
    (tmp_path / "bad.csv").write_text(text)
    assert main(["scaling", "fit", str(tmp_path / "bad.csv"), *MAP]) == 2
    error = capsys.readouterr().err
    assert message in error and "bad.csv" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("at", ["0", "-5", "nan", "inf"])
def test_a_size_that_is_no_size_is_refused(table, tmp_path, capsys, at):
    fit(table, "--out", str(tmp_path / "fit.json"))
    assert main(["scaling", "predict", str(tmp_path / "fit.json"), f"--at={at}"]) == 2
    assert "must be a finite number above 0" in capsys.readouterr().err


def test_the_help_needs_no_jax_and_a_plot_no_display(table, tmp_path):
    plot = ["scaling", "fit", str(table), *MAP, "--where", "set=a", "--plot", str(tmp_path / "a.png")]
    script = (
        "import sys; from semgjax.cli.main import main; main(['scaling', 'fit', '--help']); "
        f"assert 'jax' not in sys.modules; code = main({plot!r}); "
        "assert 'matplotlib.pyplot' not in sys.modules; sys.exit(code)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_better_law_is_named_in_text_and_json(tmp_path, capsys):
    sizes = np.geomspace(2e4, 2e6, 8)
    y = 100.0 * -np.expm1(-4.0 * (sizes / 2e4) ** -0.25) * np.exp(0.005 * np.random.default_rng(0).standard_normal(8))
    path = tmp_path / "table.csv"
    path.write_text(
        "\n".join(["size,error", *(f"{a!r},{b!r}" for a, b in zip(sizes.tolist(), y.tolist(), strict=True))])
    )
    assert main(["scaling", "fit", str(path), *MAP, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["laws"]["better"] in ("saturating", "rational")
    assert "better-law" in [d["code"] for d in found["diagnostics"]]
    assert found["laws"]["better"] in [rival["law"] for rival in found["laws"]["rivals"]]
    assert main(["scaling", "fit", str(path), *MAP]) == 0
    assert f"verdict: {found['laws']['better']}" in capsys.readouterr().out


def test_an_end_that_nothing_bounds_is_null_and_named(tmp_path, capsys):
    path = tmp_path / "step.csv"
    path.write_text("size,error\n1e4,90\n2.5e4,21\n6e4,19.5\n1.6e5,20.5\n4e5,19.8\n1e6,20.3\n")
    assert main(["scaling", "fit", str(path), *MAP, "--force", "--json"]) == 0
    rows = {p["name"]: p for p in json.loads(capsys.readouterr().out)["parameters"]}
    assert rows["A"]["high"] is None and rows["A"]["unbounded"] == ["high"]
    assert main(["scaling", "fit", str(path), *MAP, "--force"]) == 0
    printed = capsys.readouterr().out
    assert "no upper end]" in printed and "e+30" not in printed


def test_the_mean_of_hubers_loss_on_raw_residuals_can_be_asked_for(table, capsys):
    words = ["--objective", "huber_linear", "--delta", "0.5", "--json"]
    assert fit(table, *words) == 0
    total = json.loads(capsys.readouterr().out)["objective"]
    assert fit(table, *words, "--reduction", "mean") == 0
    mean = json.loads(capsys.readouterr().out)["objective"]
    assert mean["reduction"] == "mean" and mean["delta_used"] == 0.5
    assert mean["value"] == pytest.approx(total["value"] / 6, rel=1e-12)
