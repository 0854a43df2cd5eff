"""Test users and sampling in one interval, on tables of simulated users."""

import json

import numpy as np
import pytest

from semgjax.scaling.answer import as_json, predict_at
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.mixed import predict_users, user_model
from semgjax.scaling.profile import prediction_interval
from semgjax.scaling.table import Table

SIZES = np.repeat(np.geomspace(2e4, 2e6, 6), 2)
GROUPS = np.repeat(np.arange(6), 2)
SD = {"user": 0.3, "configuration": 0.02, "run": 0.02, "rest": 0.05}
NAMES = tuple(f"u{i}" for i in range(8))


def curve(n):
    return 8.0 + 60.0 * (n / 2e4) ** -0.45


def sweep(seed, sd=SD, users=8):
    random = np.random.default_rng(seed)
    common = sd["configuration"] * random.standard_normal(6)[GROUPS] + sd["run"] * random.standard_normal(12)
    single = sd["user"] * random.standard_normal(users) + sd["rest"] * random.standard_normal((12, users))
    # The mean of exp(user) is exp(variance / 2): the curve is that of the mean user.
    users_y = curve(SIZES)[:, None] * np.exp(common[:, None] + single - sd["user"] ** 2 / 2)
    return Table({"N": SIZES}, users_y.mean(axis=1), users=tuple(f"u{i}" for i in range(users)), users_y=users_y)


def test_the_components_are_those_of_the_simulation():
    models = [user_model(fit_law(sweep(seed), starts=8)) for seed in range(30)]
    assert models[0].names == ("user", "configuration", "run", "rest")
    variances = np.array([model.variances for model in models])
    error = variances.std(axis=0) / np.sqrt(len(models))
    truth = np.array(list(SD.values())) ** 2
    assert np.all(np.abs(variances.mean(axis=0) - truth) < 3.5 * error)


@pytest.mark.slow
def test_intervals_for_the_mean_and_for_a_new_user_hold_as_often_as_they_say():
    inside, held, new, count = 0, 0, 0, 60
    for seed in range(count):
        fit = fit_law(sweep(seed), starts=16)
        sampling = prediction_interval(fit, 2e6)
        found = predict_users(fit, 2e6, sampling)
        truth = curve(2e6)
        inside += sampling[0] <= truth <= sampling[1]
        held += found.mean_interval[0] <= truth <= found.mean_interval[1]
        random = np.random.default_rng(10_000 + seed)
        error = np.sqrt(sum(sd**2 for sd in SD.values())) * random.standard_normal() - SD["user"] ** 2 / 2
        new += found.new_user[0] <= truth * np.exp(error) <= found.new_user[1]
    # Without the users' own sampling, the interval is too narrow for users like these. 88 % is 2.5 errors below 95 %.
    assert inside < 0.7 * count
    assert held >= 0.88 * count and new >= 0.88 * count


def test_the_joined_interval_contains_that_of_sampling_and_shrinks_with_users():
    widths = []
    for users in (8, 64):
        fit = fit_law(sweep(0, users=users))
        sampling = prediction_interval(fit, 2e7)
        found = predict_users(fit, 2e7, sampling)
        assert found.mean_interval[0] < sampling[0] and sampling[1] < found.mean_interval[1]
        assert found.new_user[0] < found.median < found.new_user[1]
        widths.append(np.ptp(np.log(found.mean_interval)))
    assert widths[1] < 0.7 * widths[0]


def test_a_prediction_and_its_json_have_mean_median_and_components():
    fit = fit_law(sweep(1))
    prediction = predict_at(fit, 4e6, force=True)
    users = prediction.test_users
    assert users.mean == prediction.value == pytest.approx(float(predict(fit, 4e6)))
    effects = np.log(fit.table.users_y / fit.table.y[:, None]).mean(axis=0)
    assert users.median == pytest.approx(users.mean * np.median(np.exp(effects)))
    body = json.loads(json.dumps(as_json(prediction)))["test_users"]
    assert body["mean_interval"] == list(users.mean_interval) and body["new_user"] == list(users.new_user)
    assert set(body["sd"]) == {"user", "configuration", "run", "rest"}


def test_without_errors_of_single_users_there_is_nothing_to_say():
    points = sweep(0)
    fit = fit_law((points.x["N"], points.y))
    assert predict_users(fit, 2e6, (1.0, 2.0)) is None and user_model(fit) is None
    assert predict_at(fit, 4e6, force=True).test_users is None


def test_users_without_errors_in_some_runs_are_left_out_there():
    points = sweep(2)
    users_y = points.users_y.copy()
    users_y[3, 2] = np.nan
    found = user_model(fit_law(Table(points.x, points.y, users=points.users, users_y=users_y)))
    assert 0.1 < found.sd["user"] < 0.8
    users_y[:6, :4] = 0.0  # many errors of 0 have no logarithm
    assert user_model(fit_law(Table(points.x, points.y, users=points.users, users_y=users_y))) is None
