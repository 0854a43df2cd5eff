"""Learning rates of a sweep: the best of each rung is fitted, and the audit says whether it is bracketed."""

import numpy as np
import pytest

import semgjax
from semgjax.errors import InputError
from semgjax.scaling.read import read_table
from semgjax.scaling.rungs import Rung, as_json, best_rates, of_json
from semgjax.scaling.store import read_fit
from tests.refused import refused
from tests.scaling.rated import SIZES, around, best_error, best_rate, table

MAPPING = {"N": "params", "y": "cer"}


def rung(rates, errors, diverged=()):
    """The rung of these runs, and which of them are kept."""
    count = len(rates)
    found, kept = best_rates(
        {"N": np.ones(count)}, np.zeros(count, int), np.array(rates), np.array(errors), [tuple(diverged)] * count
    )
    assert len(found) == 1
    return found[0], list(kept)


@pytest.mark.parametrize(
    ("rates", "errors", "diverged", "state", "best"),
    [
        ([1e-3, 2e-3, 4e-3], [10.0, 9.0, 11.0], (), "bracketed", 2e-3),
        ([4e-3, 1e-3, 2e-3], [11.0, 10.0, 9.0], (), "bracketed", 2e-3),
        ([1e-3, 2e-3, 4e-3], [9.0, 10.0, 11.0], (), "edge", 1e-3),
        ([1e-3, 2e-3, 4e-3], [11.0, 10.0, 9.0], (), "edge", 4e-3),
        ([1e-3, 2e-3, 4e-3], [9.0, 9.0, 9.0], (), "bracketed", 2e-3),  # equal on each side
        ([1e-3, 2e-3, 4e-3], [10.0, 9.0, 9.0], (), "bracketed", 2e-3),
        ([1e-3, 2e-3, 4e-3], [9.0, 9.0, 10.0], (), "bracketed", 2e-3),
        ([1e-3, 2e-3], [10.0, 9.0], (4e-3,), "bracketed", 2e-3),  # what diverged is worse than all
        ([1e-3, 2e-3], [10.0, 9.0], (5e-4,), "edge", 2e-3),
        ([1e-3, 2e-3, 2e-3], [10.0, 9.0, 9.0], (2e-3,), "edge", 1e-3),  # a seed diverged at 2e-3
        ([1e-3], [9.0], (), "one-rate", 1e-3),
        ([1e-3], [9.0], (1e-3,), "one-rate", 1e-3),
        ([1e-3, 1e-3, 1e-3], [9.0, 9.5, 10.0], (), "one-rate", 1e-3),
    ],
)
def test_a_rung_is_bracketed_where_the_best_rate_has_tried_rates_on_both_sides(rates, errors, diverged, state, best):
    found, kept = rung(rates, errors, diverged)
    assert (found.state, found.rates[found.chosen]) == (state, best)
    assert kept == [rate == best for rate in rates]


def test_a_lucky_single_run_within_the_noise_does_not_replace_the_rate_with_seeds():
    rates, seeds = [1e-3, 2e-3, 2e-3, 2e-3, 4e-3], [10.0, 9.9, 10.3, 10.1, 11.0]
    found, _ = rung(rates, seeds)
    assert (found.rates[found.chosen], found.runs, found.state) == (2e-3, (1, 3, 1), "bracketed")
    assert found.tied  # 1e-3 is within the noise: the best may lie below it
    far, _ = rung(rates, [9.0, *seeds[1:]])
    assert (far.rates[far.chosen], far.state) == (1e-3, "edge")


def test_whether_an_end_is_within_the_noise_is_unknown_without_repeats():
    assert rung([1e-3, 2e-3, 4e-3], [10.0, 9.9, 10.1])[0].tied is None
    repeated = [10.0, 10.02, 9.0, 9.02, 11.0, 11.02]
    assert rung([1e-3, 1e-3, 2e-3, 2e-3, 4e-3, 4e-3], repeated)[0].tied is False


def test_a_fit_uses_the_best_rate_of_each_rung_alone():
    """Before, all rates of a size were fitted as if they were seeds."""
    rows = table({size: around(size) for size in SIZES})
    law = semgjax.fit(rows, N="params", y="cer", unit="%")
    assert law.table.y == pytest.approx([best_error(size) for size in SIZES])
    assert law.predict(N=1e7).value == pytest.approx(best_error(1e7), rel=1e-3)
    codes = {(d["code"], d["severity"]) for d in law.document()["diagnostics"]}
    assert ("bracketed", "info") in codes and "unbracketed" not in {code for code, _ in codes}


def test_the_audit_counts_the_rungs_and_is_a_warning(tmp_path):
    rates = {size: around(size) for size in SIZES}
    rates[SIZES[0]], rates[SIZES[-1]] = (best_rate(SIZES[0]),), around(SIZES[-1], 8.0)
    law = semgjax.fit(table(rates), N="params", y="cer", unit="%")
    assert [rung.state for rung in law.table.rungs] == ["one-rate", *["bracketed"] * 4, "edge"]
    document = law.document()
    assert ("unbracketed", "warning") in {(d["code"], d["severity"]) for d in document["diagnostics"]}
    assert [rung["state"] for rung in document["points"]["rungs"]] == ["one-rate", *["bracketed"] * 4, "edge"]
    assert document["data"]["rate"] == "lr"
    law.save(tmp_path / "fit.json")
    again = read_fit(tmp_path / "fit.json")
    assert again.table.rungs == law.table.rungs and again.table.rung_of.tolist() == list(range(6))
    assert [of_json(as_json(one)) for one in law.table.rungs] == list(law.table.rungs)


def test_a_table_without_rates_is_told_as_well():
    rows = {"params": list(SIZES), "cer": [best_error(size) for size in SIZES]}
    found = semgjax.fit(rows, N="params", y="cer", unit="%").document()["diagnostics"]
    assert ("rates-unknown", "info") in {(d["code"], d["severity"]) for d in found}


def test_a_foreign_table_names_its_column_of_rates():
    rows = table({size: around(size) for size in SIZES})
    rows["eta"] = rows.pop("lr")
    assert len(read_table(rows, MAPPING, {}).y) == 18
    mapped = read_table(rows, {**MAPPING, "rate": "eta"}, {})
    assert (len(mapped.y), mapped.rate) == (6, "eta")
    assert len(semgjax.fit(rows, N="params", y="cer", rate="eta").table.y) == 6
    rows["eta"][3] = 0.0
    with refused("bad-number", "eta"):
        read_table(rows, {**MAPPING, "rate": "eta"}, {})
    with pytest.raises(InputError, match="etta"):
        read_table(rows, {**MAPPING, "rate": "etta"}, {})


def test_rates_that_are_an_input_of_the_law_are_not_judged():
    rows = table({size: around(size) for size in SIZES})
    found = read_table(rows, {**MAPPING, "R": "lr"}, {}, inputs=("N", "R"))
    assert len(found.y) == 18 and found.rungs == ()
    assert len(read_table(rows, MAPPING, {}, every_rate=True).y) == 18


def test_runs_of_other_steps_are_another_rung():
    rows = table({SIZES[0]: (1e-3, 2e-3), SIZES[1]: (1e-3, 2e-3)})
    rows["steps"] = [100, 200, 100, 100]
    assert [one.rates for one in read_table(rows, MAPPING, {}).rungs] == [(1e-3,), (2e-3,), (1e-3, 2e-3)]


def test_the_rates_of_a_sweep_are_judged_on_its_validation_part():
    rows = []
    for size in (1000, 2000, 4000):
        for rate, val, test in ((1e-3, 12.0, 9.0), (2e-3, 10.0, 11.0), (4e-3, 13.0, 14.0)):
            head = {"run": f"{size}-{rate}", "preset": f"p{size}", "params": size, "users": 4, "hours": 1.0}
            place = {"learning_rate": rate, "diverged_rates": "", "seed": 0, "decoder": "greedy", "user": ""}
            for split, cer in (("val", val), ("test", test)):
                rows.append({**head, **place, "split": split, "averaging": "macro", "cer": cer})
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    found = read_table(columns, {}, {})
    assert found.runs == ("1000-0.002", "2000-0.002", "4000-0.002") and found.y.tolist() == [11.0] * 3
    assert found.rungs[0].errors == pytest.approx((12.0, 10.0, 13.0))
    columns["diverged_rates"] = ["0.008"] * len(rows)
    assert read_table(columns, {}, {}).rungs[0].rates == (1e-3, 2e-3, 4e-3, 8e-3)
    assert isinstance(found.rungs[0], Rung)


def test_a_forecast_is_settled_by_the_best_rate_of_its_rung(tmp_path):
    rows = table({size: around(size) for size in SIZES}, noise=0.005)
    rows["eta"] = rows.pop("lr")
    law = semgjax.fit(rows, N="params", y="cer", rate="eta", unit="%")
    ledger = tmp_path / "forecasts.jsonl"
    entry = semgjax.forecast(law, ledger, N=4e6)
    later = table({4e6: around(4e6)})
    result = semgjax.settle(ledger, entry.number, {**later, "eta": later["lr"]}, unit="%")
    assert result.body["runs"] == 1 and result.body["value"] == pytest.approx(best_error(4e6))
