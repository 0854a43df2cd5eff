"""`semgjax scaling` on the terminal: what it prints, writes and refuses."""

import json
import subprocess
import sys

import numpy as np
import pytest

from semgjax.api.fitting import check_plot
from semgjax.cli.main import main
from semgjax.cli.scaling_words import WITHHELD
from semgjax.errors import InputError
from semgjax.scaling.laws import law_for

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
    assert found["quote"]["low"] < found["value"] < found["quote"]["high"]
    assert sum(found["weights"].values()) == pytest.approx(1.0)
    assert found["beyond"] == pytest.approx(10.0)
    assert "extrapolating" in [f["code"] for f in found["diagnostics"]]
    assert found["choice"]["low"] <= found["value"] <= found["choice"]["high"]
    assert found["extrapolation"][0] < found["value"] < found["extrapolation"][1]
    assert main(["scaling", "predict", str(out), "--at", "2e7"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"error at size = 20,000,000: {found['value']:.4g} % [{found['quote']['low']:.4g}, ")
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


def refusal(capsys, code) -> str:
    """The one line on stderr of a command with --json that was refused with this code."""
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["code"] == code
    assert err.startswith("semgjax: error: ") and err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["--map", "y=error"], "conflict", "y=error"),
        (["--where", "set"], "bad-option", "--where set"),
        (["--where", "sett=a"], "no-column", "'sett'"),
        (["--lawn", "power"], "bad-option", "--law"),
        (["--law", "cubic"], "unknown-name", "cubic"),
        (["--delta", "-1"], "bad-value", "delta -1.0"),
        (["--objective", "log_ls", "--delta", "1"], "conflict", "delta 1.0"),
        (["--level", "95"], "bad-value", "level 95.0"),
        (["--plot", "curve.jpg"], "bad-value", "curve.jpg"),
        (["--users"], "conflict", "--users"),
        (["--out", "."], "not-a-file", "."),
        (["--out", "table.csv"], "conflict", "table.csv"),
        (["--out", "other.json"], "bad-json", "other.json"),
        (["--out", "other.json/fit.json"], "not-a-file", "other.json"),
        (["--users", "--plot", "a.png"], "no-column", "table.csv"),
    ],
)
def test_a_mistake_is_one_line_with_exit_code_2_and_writes_nothing(
    table, tmp_path, monkeypatch, capsys, words, code, named
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.json").write_text("mine")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert fit(table, *words, "--json") == 2
    assert named in refusal(capsys, code)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_plot_that_cannot_be_is_refused_with_the_same_line_as_in_python(table, capsys):
    with pytest.raises(InputError) as caught:
        check_plot(law_for("chinchilla", ("N", "D")), "a.png", users=True)
    assert fit(table, "--map", "D=set", "--law", "chinchilla", "--users", "--plot", "a.png", "--json") == 2
    assert refusal(capsys, "conflict") == f"semgjax: error: {caught.value}\n"


def test_a_law_of_two_inputs_is_plotted_over_the_first(tmp_path):
    runs = [(n, d) for n in (1e5, 4e5, 1.6e6) for d in (1e6, 4e6, 1.6e7)]
    rows = [f"{n!r},{d!r},{5 + 3e3 * n**-0.5 + 2e4 * d**-0.5!r}" for n, d in runs]
    (tmp_path / "runs.csv").write_text("\n".join(["size,tokens,error", *rows]))
    words = ["--map", "D=tokens", "--law", "chinchilla", "--plot", str(tmp_path / "a.png")]
    assert main(["scaling", "fit", str(tmp_path / "runs.csv"), *MAP, *words]) == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("size,error\n1,2\n2,1\n", "too-few-levels", "bad.csv"),
        ("size,error\n1,2\n2,nan\n3,1\n", "bad-number", "bad.csv: line 3"),
        ("size,err\n1,2\n", "no-column", "'error'"),
        ("", "no-row", "bad.csv"),
    ],
)
def test_a_bad_table_is_one_line_with_exit_code_2(tmp_path, capsys, text, code, named):
    (tmp_path / "bad.csv").write_text(text)
    assert main(["scaling", "fit", str(tmp_path / "bad.csv"), *MAP, "--json"]) == 2
    assert named in refusal(capsys, code)


@pytest.mark.parametrize("at", ["0", "-5", "nan", "inf"])
def test_a_size_that_is_no_size_is_refused(table, tmp_path, capsys, at):
    fit(table, "--out", str(tmp_path / "fit.json"))
    capsys.readouterr()
    assert main(["scaling", "predict", str(tmp_path / "fit.json"), f"--at={at}", "--json"]) == 2
    refusal(capsys, "bad-value")


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
    assert main(["scaling", "fit", str(path), *MAP, "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert ("slope-change", "error") in [(d["code"], d["severity"]) for d in found["diagnostics"]]
    assert found["laws"]["weights"]["floor_power"] < 0.01
    assert found["laws"]["better"] in ("saturating", "rational")
    assert "better-law" in [d["code"] for d in found["diagnostics"]]
    assert found["laws"]["better"] in [rival["law"] for rival in found["laws"]["rivals"]]
    assert main(["scaling", "fit", str(path), *MAP]) == 3
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
