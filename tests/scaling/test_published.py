"""Fits that others published, on their own tables (data/README.md), and one simulated table of a published shape."""

import csv
from pathlib import Path

import numpy as np
import pytest

from semgjax.scaling.bootstrap import draw, parameter_draws
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.laws import CHINCHILLA, LAWS
from semgjax.scaling.objective import Objective, losses
from semgjax.scaling.profile import prediction_interval
from semgjax.scaling.read import read_table
from semgjax.scaling.table import table_of

DATA = Path(__file__).parent / "data"


def test_the_asymmetric_fit_is_at_least_as_good_as_the_published_one_and_close_to_it():
    table = read_table(DATA / "kyo_takano_llm.csv", {"N": "N", "D": "D", "y": "loss"}, {}, inputs=("N", "D"))
    objective = Objective("asymmetric")
    fit = fit_law(table, CHINCHILLA, objective)
    n, d = table.x["N"], table.x["D"]
    published = 1.7004438 + 185.38809 * n**-0.2892327 + 1627.00125 * d**-0.3556021
    theirs = losses(objective, table.y - published, None).sum()
    assert theirs * (1 - 1e-3) < fit.objective_value < theirs
    assert fit.parameters["E"] == pytest.approx(1.7004438, rel=1e-3)
    assert fit.parameters["alpha"] == pytest.approx(0.2892327, rel=1e-3)
    assert fit.parameters["beta"] == pytest.approx(0.3556021, rel=1e-3)
    assert fit.starts_agree >= 0.95


@pytest.mark.slow
@pytest.mark.parametrize(("dataset", "published"), [("c4_original", 4.30), ("rw_original", 1.62)])
def test_five_small_runs_miss_the_7b_run_by_what_was_published(dataset, published):
    with open(DATA / "gadre_c4_refinedweb.csv", newline="") as file:
        rows = {
            (row["model"], float(row["chinchilla_mult"])): row
            for row in csv.DictReader(file)
            if row["dataset"] == dataset
        }
    small = [("d=96_l=8_h=4", 1), ("d=96_l=8_h=4", 16), ("d=512_l=8_h=4", 1), ("d=576_l=24_h=8", 1)]
    small.append(("d=1024_l=24_h=8", 1))
    n = np.array([float(rows[key]["N"]) for key in small])
    tokens = 20 * n * np.array([m for _, m in small])
    losses_ = [float(rows[key]["loss_c4_val"]) for key in small]
    fit = fit_law(table_of({"N": n, "D": tokens}, losses_), LAWS["shared_exponent"], Objective("linear_ls"))
    large = rows["open_lm_7b", 1.0]
    expected = float(predict(fit, {"N": float(large["N"]), "D": 20 * float(large["N"])}))
    measured = float(large["loss_c4_val"])
    assert 100 * abs(expected - measured) / measured == pytest.approx(published, abs=0.05)


@pytest.mark.slow
def test_the_ladder_predicts_its_own_largest_models_within_its_interval():
    table = read_table(DATA / "olmo_ladder_train.csv", {"N": "N", "D": "D", "y": "c4_loss"}, {}, inputs=("N", "D"))
    smaller = table.rows(np.flatnonzero(table.x["N"] < 1e9))
    fit = fit_law(smaller, CHINCHILLA)
    for i in np.flatnonzero(table.x["N"] > 1e9):
        low, high = prediction_interval(fit, {name: table.x[name][i] for name in ("N", "D")})
        # A single run scatters about the curve; the ladder's re-runs differ by 0.1 to 0.4 %.
        assert low * 0.996 < table.y[i] < high * 1.004


@pytest.mark.slow
def test_every_start_reaches_the_optimum_of_a_joint_fit_and_the_bootstrap_holds_the_truth():
    random = np.random.default_rng(0)
    n = np.exp(random.uniform(np.log(5e7), np.log(1.6e10), 240))
    d = n * np.exp(random.uniform(np.log(2.0), np.log(200.0), 240))
    y = (1.8 + 480.0 * n**-0.35 + 2100.0 * d**-0.37) * np.exp(0.01 * random.standard_normal(240))
    fit = fit_law(table_of({"N": n, "D": d}, y), CHINCHILLA, Objective("huber_log", 1e-3), starts=256)
    assert fit.starts_agree >= 0.95 and fit.converged
    drawn = parameter_draws(draw(fit, 1000, "pairs"))
    for name, truth in (("E", 1.8), ("alpha", 0.35), ("beta", 0.37)):
        low, high = np.quantile(drawn[name], [0.005, 0.995])
        assert low < truth < high


@pytest.mark.slow
def test_a_broken_law_without_noise_is_found_again():
    sizes = np.array([160, 192, 256, 320, 384, 448, 480, 512, 544, 576, 608, 640, 672, 736], float)
    wanted = {"E": 0.41, "A": 2.28, "c0": 0.055, "c1": 5.66, "d1": 612.6, "f1": 0.059}
    y = wanted["E"] + wanted["A"] * sizes**-0.055 * (1 + (sizes / 612.6) ** (1 / 0.059)) ** (-5.66 * 0.059)
    fit = fit_law((sizes, y), LAWS["broken"], Objective("log1p_ls"))
    for name, value in wanted.items():
        assert fit.parameters[name] == pytest.approx(value, rel=1e-4)
