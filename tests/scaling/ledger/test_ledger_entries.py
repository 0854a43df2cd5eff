"""Forecasts and results: what is recorded, and what would make a record worthless."""

import csv
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import semgjax
from semgjax.scaling.drift import MODEL
from semgjax.scaling.ledger.ledger_file import read_ledger
from tests.refused import refused

OLMO = Path(__file__).parents[1] / "data" / "olmo_ladder_train.csv"
SIZES = np.geomspace(2e4, 2e6, 7)
NOISE = np.exp(0.01 * np.random.default_rng(3).standard_normal(7))


def error_at(size):
    return 8.0 + 60.0 * (size / 2e4) ** -0.45


@pytest.fixture(scope="module")
def law():
    return semgjax.fit({"size": SIZES, "error": error_at(SIZES) * NOISE}, y="error", unit="%", N="size")


def test_a_forecast_keeps_its_place_layers_quantiles_and_points(law, tmp_path):
    ledger = tmp_path / "forecasts.jsonl"
    entry = semgjax.forecast(law, ledger, N=8e6, note="the big one")
    body, plain = entry.body, law.predict(N=8e6)
    assert entry.number == 0 and entry.kind == "forecast" and read_ledger(ledger) == (entry,)
    assert body["value"] == pytest.approx(plain.value) and body["quote"] == pytest.approx(plain.quote)
    assert body["sampling"] == pytest.approx(plain.interval) and body["extrapolation"] == pytest.approx(
        plain.extrapolation
    )
    assert (body["at"], body["columns"], body["unit"], body["note"]) == ({"N": 8e6}, {"N": "size"}, "%", "the big one")
    assert body["beyond"] == pytest.approx(4.0) and body["model"] == MODEL
    quantiles = body["quantiles"]
    assert len(quantiles) == 20 and quantiles == sorted(quantiles)
    assert quantiles[0] == pytest.approx(plain.quote[0], rel=1e-6)
    assert 0.5 * (quantiles[9] + quantiles[10]) == pytest.approx(plain.value, rel=0.05)  # of a mixture of laws


def test_a_run_of_the_fit_is_no_forecast(law, tmp_path):
    ledger = tmp_path / "forecasts.jsonl"
    with refused("conflict", "N=1.995e+06"):
        semgjax.forecast(law, ledger, N=1.995e6)
    assert not ledger.exists()


def test_a_withheld_number_is_not_recorded(law, tmp_path):
    ledger = tmp_path / "forecasts.jsonl"
    with refused("not-identified", "extrapolating"):
        semgjax.forecast(law, ledger, N=1e9)
    assert not ledger.exists()


def test_a_result_settles_once_and_only_in_the_forecasts_unit(law, tmp_path):
    ledger = tmp_path / "forecasts.jsonl"
    semgjax.forecast(law, ledger, N=8e6)
    with refused("conflict", "'%'"):
        semgjax.settle(ledger, 0, value=0.12)
    with refused("unknown-name", "forecast 1"):
        semgjax.settle(ledger, 1, value=12.0, unit="%")
    with refused("bad-number"):
        semgjax.settle(ledger, 0, value=-1.0, unit="%")
    semgjax.settle(ledger, 0, value=12.0, unit="%")
    for call in (lambda: semgjax.settle(ledger, 0, value=11.0, unit="%"), lambda: semgjax.forecast(law, ledger, N=8e6)):
        with refused("conflict", "settled"):
            call()
    assert len(read_ledger(ledger)) == 2


def test_the_rows_at_the_forecasts_place_are_its_result(law, tmp_path):
    ledger, table = tmp_path / "forecasts.jsonl", tmp_path / "later.csv"
    semgjax.forecast(law, ledger, N=8e6)
    table.write_text("size,error\n8e6,12\n8.01e6,13\n9e6,11\n")
    _dated(table, 10)
    body = semgjax.settle(ledger, 0, table, unit="%").body
    assert (body["value"], body["runs"], body["unit"]) == (12.5, 2, "%")
    assert body["log_sd"] == pytest.approx(np.log(13 / 12) / np.sqrt(2))


def test_a_result_that_was_there_before_the_forecast_is_refused(law, tmp_path):
    ledger, table = tmp_path / "forecasts.jsonl", tmp_path / "earlier.csv"
    table.write_text("size,error\n8e6,12\n")
    _dated(table, -100)
    semgjax.forecast(law, ledger, N=8e6)
    with refused("conflict", table):
        semgjax.settle(ledger, 0, table, unit="%")


def test_a_trial_that_ended_before_the_forecast_is_refused_however_late_it_is_collected(law, tmp_path):
    ledger, table = tmp_path / "forecasts.jsonl", tmp_path / "results.csv"
    table.write_text("run,size,error\nbig,8e6,12\n")
    _dated(table, 100)
    result = tmp_path / "trials" / "big" / "result.json"
    result.parent.mkdir(parents=True)
    result.write_text("{}")
    _dated(result, -100)
    semgjax.forecast(law, ledger, N=8e6)
    with refused("conflict", table):
        semgjax.settle(ledger, 0, tmp_path, unit="%")
    _dated(result, 50)
    assert semgjax.settle(ledger, 0, tmp_path, unit="%").body["value"] == 12.0


def test_a_table_without_a_row_there_is_refused(law, tmp_path):
    ledger = tmp_path / "forecasts.jsonl"
    semgjax.forecast(law, ledger, N=8e6)
    with refused("no-row", "size 8e+06"):
        semgjax.settle(ledger, 0, {"size": [9e6], "error": [11.0]}, unit="%")
    with refused("conflict"):
        semgjax.settle(ledger, 0)


def test_a_published_ladder_is_forecast_from_its_small_runs_and_settled_on_its_large_ones(tmp_path):
    with OLMO.open(newline="") as file:
        rows = list(csv.DictReader(file))
    sizes, tokens, losses = (np.array([float(row[name]) for row in rows]) for name in ("N", "D", "c4_loss"))
    small = sizes < np.unique(sizes)[-1]
    ledger = tmp_path / "forecasts.jsonl"
    ladder = {"N": sizes[small], "D": tokens[small], "loss": losses[small]}
    law = semgjax.fit(ladder, y="loss", law="chinchilla", N="N", D="D")
    for size, token, loss in zip(sizes[~small], tokens[~small], losses[~small], strict=True):
        entry = semgjax.forecast(law, ledger, N=size, D=token)
        semgjax.settle(ledger, entry.number, value=loss)
    record = semgjax.forecast_record(ledger)
    inside, of, _ = record.cover["quote"]
    assert of == int((~small).sum()) and inside == of
    assert record.mean_crps < 0.02
    assert not record.open


def _dated(path, seconds):
    time = (datetime.now(UTC) + timedelta(seconds=seconds)).timestamp()
    os.utime(path, (time, time))
