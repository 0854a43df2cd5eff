"""`semgjax scaling forecast`, `settle`, `ledger` and `verify` on the terminal."""

import json

import numpy as np
import pytest

from semgjax.cli.main import main
from semgjax.cli.scaling_words import WITHHELD

SIZES = np.geomspace(2e4, 2e6, 7)


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ledger")
    table = folder / "table.csv"
    errors = (8.0 + 60.0 * (SIZES / 2e4) ** -0.45) * np.exp(0.01 * np.random.default_rng(3).standard_normal(7))
    table.write_text(
        "\n".join(["size,error", *(f"{s!r},{y!r}" for s, y in zip(SIZES.tolist(), errors.tolist(), strict=True))])
    )
    words = ["--map", "N=size", "--map", "y=error", "--unit", "%", "--out", str(folder / "fit.json")]
    assert main(["scaling", "fit", str(table), *words]) == 0
    return folder / "fit.json"


def scaling(capsys, *words):
    capsys.readouterr()
    code = main(["scaling", *map(str, words)])
    return code, capsys.readouterr().out


def test_a_forecast_is_signed_settled_scored_and_drawn(fit, tmp_path, capsys):
    ledger, plot = tmp_path / "f.jsonl", tmp_path / "record.png"
    code, text = scaling(capsys, "forecast", fit, "--at", "8e6", "--ledger", ledger, "--json")
    signed = json.loads(text)
    assert code == 0 and signed["number"] == 0 and signed["quote"][0] < signed["value"] < signed["quote"][1]
    code, text = scaling(capsys, "settle", ledger, 0, "--value", "11.9", "--unit", "%", "--json")
    assert code == 0 and json.loads(text)["inside"]["quote"] is True
    code, text = scaling(capsys, "ledger", ledger, "--json", "--plot", plot)
    body = json.loads(text)
    assert code == 0 and plot.stat().st_size > 5_000
    assert [row["result"] for row in body["settled"]] == [11.9] and body["open"] == []
    assert scaling(capsys, "ledger", ledger)[0] == 0
    assert scaling(capsys, "verify", ledger, "--head", signed["sha256"])[0] == 0
    assert scaling(capsys, "verify", ledger, "--head", "0" * 64)[0] == 2
    predicted = json.loads(scaling(capsys, "predict", fit, "--at", "8e6", "--ledger", ledger, "--json")[1])
    plain = json.loads(scaling(capsys, "predict", fit, "--at", "8e6", "--json")[1])
    assert predicted["quote"]["high"] != plain["quote"]["high"] and predicted["value"] == plain["value"]


def test_a_withheld_number_ends_with_its_code_and_writes_nothing(fit, tmp_path, capsys):
    ledger = tmp_path / "f.jsonl"
    assert scaling(capsys, "forecast", fit, "--at", "1e9", "--ledger", ledger)[0] == WITHHELD
    assert not ledger.exists()
    assert scaling(capsys, "ledger", ledger)[0] == 2
