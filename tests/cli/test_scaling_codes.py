"""Every command of `semgjax scaling`: exit code 0 with a number, 3 where one is withheld, 0 again with --force."""

import json

import numpy as np
import pytest

from semgjax.cli.main import main
from semgjax.cli.scaling_words import WITHHELD

pytestmark = pytest.mark.slow

SIZES = np.repeat(np.geomspace(2e4, 2e6, 6), 2)
CLEAN = (8.0 + 60.0 * (SIZES / 2e4) ** -0.45) * np.exp(0.02 * np.random.default_rng(0).standard_normal(12))
RISING = 10.0 * (SIZES / 2e4) ** 0.2 * np.exp(0.01 * np.random.default_rng(1).standard_normal(12))
STAR_N = np.array([1e4, 3e4, 1e5, 3e5, 1e6, 1e5, 1e5, 1e5, 1e5])
STAR_D = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.3, 3.0, 10.0])
STAR_NOISE = np.exp(0.003 * np.random.default_rng(3).standard_normal(9))
STAR = (1.0 + 5.0 * (STAR_N / 1e5) ** -0.3 + 3.0 * STAR_D**-0.4) * STAR_NOISE


def write(path, columns):
    names, rows = list(columns), zip(*(np.asarray(v).tolist() for v in columns.values()), strict=True)
    path.write_text("\n".join([",".join(names), *(",".join(map(repr, row)) for row in rows)]) + "\n")
    return path


def fitted(folder, name, columns, law, *words):
    table = write(folder / f"{name}.csv", columns)
    inputs = [c for c in columns if c != "y"]
    mapping = [word for c in (*inputs, "y") for word in ("--map", f"{c}={c}")]
    out = folder / f"{name}.json"
    assert main(["scaling", "fit", str(table), *mapping, "--law", law, "--out", str(out), *words]) in (0, WITHHELD)
    return out


@pytest.fixture(scope="module")
def fits(tmp_path_factory):
    """Fits that answer, and fits of tables that rise with size, of which no number means anything."""
    folder = tmp_path_factory.mktemp("codes")
    teachers = np.where(np.arange(12) % 2, 3e6, SIZES)
    taught = np.where(teachers > SIZES, 0.85, 1.0)
    rising = RISING[: len(STAR)] * STAR_D**0.1
    squares = ("--objective", "log_ls")  # a quarter of the time; the default is in the tests below
    return {
        "size": fitted(folder, "size", {"N": SIZES, "y": CLEAN}, "floor_power"),
        "size bad": fitted(folder, "size_bad", {"N": SIZES, "y": RISING}, "floor_power", *squares),
        "joint": fitted(folder, "joint", {"N": STAR_N, "D": STAR_D, "y": STAR}, "chinchilla"),
        "joint bad": fitted(folder, "joint_bad", {"N": STAR_N, "D": STAR_D, "y": rising}, "chinchilla", *squares),
        "distilled": fitted(folder, "distilled", {"N": SIZES, "T": teachers, "y": CLEAN * taught}, "distilled"),
        "distilled bad": fitted(folder, "bad", {"N": SIZES, "T": teachers, "y": RISING}, "distilled", *squares),
    }


COMMANDS = [
    ("size", ["predict", "{fit}", "--at", "4e6"]),
    ("size", ["invert", "{fit}", "--target", "14"]),
    ("size", ["versus", "{fit}", "{fit}", "--at", "1e6"]),
    ("size", ["floors", "{fit}", "--at", "4e6", "--floor", "0,6"]),
    ("size", ["suggest", "{fit}", "--at", "4e6", "--cost", "1*N", "--rate", "1e7", "--runs", "1"]),
    ("joint", ["frontier", "{fit}", "--budget", "1e6", "--cost", "6*N*D"]),
    ("joint", ["exchange", "{fit}", "--give", "D", "--get", "N", "--at", "N=1e5", "--at", "D=1"]),
    ("distilled", ["student", "{fit}", "--target", "14", "--teacher", "3e6"]),
]


def run(capsys, words):
    capsys.readouterr()
    code = main(["scaling", *words])
    return code, capsys.readouterr().out


@pytest.mark.parametrize(("kind", "words"), COMMANDS, ids=[words[0] for _, words in COMMANDS])
def test_a_withheld_number_ends_with_exit_code_3_and_force_with_0(fits, kind, words, capsys):
    good, bad = ([word.format(fit=fits[name]) for word in words] for name in (kind, f"{kind} bad"))
    assert run(capsys, good)[0] == 0
    for extra in ([], ["--json"]):
        code, printed = run(capsys, [*bad, *extra])
        assert code == WITHHELD and printed
    assert json.loads(printed)
    assert run(capsys, [*bad, "--force"])[0] == 0


@pytest.mark.parametrize("values", [CLEAN, RISING], ids=["clean", "rising"])
def test_fit_and_compare_end_with_3_where_every_number_is_withheld(values, tmp_path, capsys):
    table = write(tmp_path / "table.csv", {"N": SIZES, "y": values})
    wanted = 0 if values is CLEAN else WITHHELD
    words = [str(table), "--map", "N=N", "--map", "y=y"]
    for command in (["fit", *words], ["compare", *words, "--law", "power", "--law", "floor_power", "--at", "1e7"]):
        code, printed = run(capsys, [*command, "--json"])
        assert code == wanted
        found = json.loads(printed)
        assert found["blocked"] == bool(wanted)
        if command[0] == "compare":
            assert (found["average"] is None) == bool(wanted)
            # The points reject the pure power law even where they are clean.
            hidden = {score["name"]: score["value"] is None for score in found["scores"]}
            assert hidden == {"power": True, "floor_power": bool(wanted)}
        else:
            assert (found["parameters"][0]["value"] is None) == bool(wanted)
        assert run(capsys, [*command, "--force"])[0] == 0


def test_a_withheld_fit_is_written_and_still_answers_with_force(tmp_path, capsys):
    table = write(tmp_path / "table.csv", {"N": SIZES, "y": RISING})
    out = tmp_path / "fit.json"
    assert run(capsys, ["fit", str(table), "--map", "N=N", "--map", "y=y", "--out", str(out)])[0] == WITHHELD
    assert out.exists()
    code, printed = run(capsys, ["predict", str(out), "--at", "1e6", "--force", "--json"])
    assert code == 0 and json.loads(printed)["value"] > 0


def test_a_plan_that_answers_nothing_ends_with_3(capsys):
    prior = [word for value in ("E=8", "A=3500", "alpha=.45") for word in ("--prior", value)]
    good = ["design", "--vary", "N=5e4,2e5,1e6,5e6", "--seeds", "3", "--at", "5e7", *prior]
    assert run(capsys, good)[0] == 0
    code, printed = run(capsys, ["design", "--vary", "N=5e4,2e5,1e6", "--at", "5e7", *prior, "--json"])
    assert code == WITHHELD and json.loads(printed)["interval"] is None


def test_three_sizes_are_shown_the_way_to_an_interval(tmp_path, capsys):
    out = fitted(tmp_path, "few", {"N": [1e4, 1e5, 1e6], "y": [40.0, 20.0, 12.0]}, "floor_power")
    words = ["suggest", str(out), "--at", "1e7", "--cost", "1*N", "--rate", "1e6"]
    code, printed = run(capsys, words)
    assert code == WITHHELD and "--law power" in printed
    code, printed = run(capsys, [*words, "--json"])
    found = json.loads(printed)
    assert code == WITHHELD and found["now"] is None and found["steps"][0]["kind"] in ("between", "beyond")
    power = fitted(tmp_path, "few_power", {"N": [1e4, 1e5, 1e6], "y": [40.0, 20.0, 12.0]}, "power")
    assert json.loads(power.read_text())["no_interval"] is None


def test_a_prediction_from_a_fixed_floor_says_how_it_moves_with_it(tmp_path, capsys):
    out = fitted(tmp_path, "fixed", {"N": SIZES, "y": CLEAN}, "floor_power", "--fix", "E=8")
    code, printed = run(capsys, ["predict", str(out), "--at", "2e7", "--json"])
    held = json.loads(printed)["fixed_floor"]
    assert code == 0 and held["parameter"] == "E" and held["value"] == 8.0 and 0.0 < held["slope"] < 1.0
    code, printed = run(capsys, ["floors", str(out), "--at", "2e7", "--floor", "7,8,9", "--json"])
    found = json.loads(printed)
    assert [row["floor"] for row in found["rows"]] == [7.0, 8.0, 9.0] and found["fixed"]
    assert found["slope"] == pytest.approx(held["slope"], rel=1e-6)
    assert run(capsys, ["predict", str(out), "--at", "2e7"])[0] == 0
    free = fitted(tmp_path, "free", {"N": SIZES, "y": CLEAN}, "floor_power")
    assert json.loads(run(capsys, ["predict", str(free), "--at", "2e7", "--json"])[1])["fixed_floor"] is None


def test_suggest_takes_its_cost_from_the_table(tmp_path, capsys):
    table = write(tmp_path / "t.csv", {"N": SIZES, "flops": 6e10 * SIZES, "y": CLEAN})
    out = tmp_path / "fit.json"
    assert main(["scaling", "fit", str(table), "--map", "N=N", "--map", "y=y", "--out", str(out)]) == 0
    words = ["suggest", str(out), "--at", "1e7", "--measured", str(table), "--rate", "1.8e17", "--json"]
    code, printed = run(capsys, words)
    (step, *_) = json.loads(printed)["steps"]
    assert code == 0 and step["hours"] == pytest.approx(0.1 + 6e10 * step["x"]["N"] / 1.8e17)
    assert main(["scaling", *words, "--cost", "1*N"]) == 2


def isoflop_table(path, noise):
    c = np.repeat(np.geomspace(1e18, 1e20, 4), 7)
    n = np.sqrt(c / 120.0) * np.tile(np.geomspace(0.2, 5.0, 7), 4)
    d = c / 6.0 / n
    y = 1.7 + 480.0 * n**-0.34 + 2000.0 * d**-0.37
    return write(path, {"N": n, "D": d, "C": c, "y": y * np.exp(noise * np.random.default_rng(0).standard_normal(28))})


def test_isoflop_shows_both_approaches_and_withholds_what_one_budget_cannot_say(tmp_path, capsys):
    mapping = [word for name in "NDy" for word in ("--map", f"{name}={name}")]
    words = ["isoflop", str(isoflop_table(tmp_path / "t.csv", 0.002)), "--budget", "1e21", "--map", "C=C", *mapping]
    assert run(capsys, words)[0] == 0
    code, printed = run(capsys, [*words, "--json", "--objective", "huber_linear", "--delta", "1e-3"])
    first, second = json.loads(printed)["approaches"]
    assert code == 0 and first["optima"][0]["N"] > 0 and second["optima"][0]["D"] > 0
    assert first["size_exact"] is not None and second["size_noisy"] is not None
    sizes = np.array([1e6, 3e6, 1e7, 3e7, 1e8, 3e8])
    one = write(tmp_path / "one.csv", {"N": sizes, "D": 6e15 / sizes, "y": [3.4, 3.1, 2.9, 2.8, 2.9, 3.1]})
    code, printed = run(capsys, ["isoflop", str(one), "--budget", "1e21", *mapping, "--json"])
    assert code == WITHHELD and json.loads(printed)["approaches"][0]["exponent"] is None


def test_swapped_token_columns_end_with_2(tmp_path, capsys):
    unique = np.repeat([1e8, 4e8], 6)
    total = unique * np.tile([1.0, 2.0, 4.0, 8.0, 16.0, 32.0], 2)
    sizes = np.tile([1e7, 4e7, 1.6e8], 4)
    y = 1.8 + 400.0 * sizes**-0.34 + 410.0 * total**-0.28
    table = write(tmp_path / "t.csv", {"N": sizes, "D": unique, "Q": total, "y": y})
    words = ["fit", str(table), "--law", "repeated", "--json"]
    words += [word for name in "NDQy" for word in ("--map", f"{name}={name}")]
    code, printed = run(capsys, words)
    assert code == 2 and json.loads(printed)["error"]["code"] == "swapped-columns"
