"""fit.json: what it says, and that nothing is lost in it."""

import json

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.files import content_hash
from semgjax.scaling.fit import fit_law, parameter_values, predict
from semgjax.scaling.laws import FLOOR_POWER, POWER
from semgjax.scaling.objective import Objective
from semgjax.scaling.profile import parameter_intervals, prediction_interval
from semgjax.scaling.store import fit_document, read_fit, write_fit
from semgjax.scaling.table import Table
from tests.refused import refused

SIZES = np.geomspace(2e4, 2e6, 6)
Y = (8.0 + 60.0 * (SIZES / 2e4) ** -0.45) * np.exp(0.03 * np.random.default_rng(0).standard_normal(6))
TABLE = Table({"N": SIZES}, Y, "%", "cer", {"N": "params"}, "results.csv", {"split": "test"})


@pytest.mark.parametrize("law", [FLOOR_POWER, POWER], ids=lambda law: law.name)
@pytest.mark.parametrize(
    "objective",
    [Objective(), Objective("log_ls"), Objective(delta=1e-3, reduction="mean"), Objective("huber_linear")],
    ids=str,
)
def test_a_fit_read_again_predicts_bitwise_the_same(tmp_path, law, objective):
    fit = fit_law(TABLE, law, objective)
    write_fit(tmp_path / "fit.json", fit)
    again = read_fit(tmp_path / "fit.json")
    grid = np.geomspace(1e3, 1e9, 50)
    assert predict(again, grid).tobytes() == predict(fit, grid).tobytes()
    assert prediction_interval(again, 2e7) == prediction_interval(fit, 2e7)
    assert again.objective == fit.objective
    assert fit_document(again) == fit_document(fit)


def test_the_file_states_what_was_fitted_and_how(tmp_path):
    fit = fit_law(TABLE)
    write_fit(tmp_path / "fit.json", fit, level=0.9)
    document = json.loads((tmp_path / "fit.json").read_text())
    assert (document["schema"], document["version"]) == ("semgjax/fit", 6)
    assert document["law"] == "floor_power"
    assert document["points"]["x"] == {"N": SIZES.tolist()}
    assert document["points"]["y"] == Y.tolist()
    assert document["data"]["source"] == "results.csv"
    assert document["data"]["where"] == {"split": "test"}
    assert document["objective"]["kind"] == "mm_log"
    assert document["objective"]["delta_used"] == fit.delta
    assert document["search"]["status"] == "converged"
    assert document["degrees_of_freedom"] == 3
    intervals = parameter_intervals(fit, 0.9)
    for parameter in document["parameters"]:
        assert parameter["value"] == parameter_values(fit)[parameter["name"]]
        assert (parameter["low"], parameter["high"]) == intervals[parameter["name"]]


def test_a_fit_without_interval_says_so(tmp_path):
    write_fit(tmp_path / "fit.json", fit_law((SIZES[:3], Y[:3])))
    document = json.loads((tmp_path / "fit.json").read_text())
    assert "3 points for 3 parameters" in document["no_interval"]
    assert {parameter["low"] for parameter in document["parameters"]} == {None}
    assert document["scatter"] is None
    assert read_fit(tmp_path / "fit.json").degrees_of_freedom == 0


def edited(tmp_path, edit, version=2):
    """A fit.json with something changed; version 2 had no hash of its whole body."""
    write_fit(tmp_path / "fit.json", fit_law(TABLE))
    document = json.loads((tmp_path / "fit.json").read_text())
    document["version"] = version
    edit(document)
    (tmp_path / "fit.json").write_text(json.dumps(document))
    return tmp_path / "fit.json"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: d.update(version=1), "version 1, this semgjax reads version 6"),
        (lambda d: d.update(schema="semgjax/result"), "schema is 'semgjax/result'"),
        (lambda d: d.update(law="cubic"), "law 'cubic' is not known; known are power, floor_power"),
        (lambda d: d["points"]["y"].__setitem__(0, 1.0), "the points were changed after the fit"),
        (lambda d: d.pop("curve"), "damaged (KeyError: 'curve')"),
        (lambda d: d["curve"].update(theta=[]), "(0,) coordinates for law floor_power"),
        (lambda d: d["curve"].update(theta=["x", 1.0, 1.0]), "damaged (ValueError"),
        (lambda d: d["curve"].update(theta=[float("nan"), 1.0, 1.0]), "holds NaN"),
        (lambda d: d.update(objective=None), "damaged (TypeError"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, edit, message):
    path = edited(tmp_path, edit)
    with pytest.raises(InputError) as caught:
        read_fit(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d["curve"]["theta"].__setitem__(0, d["curve"]["theta"][0] * 1.001),
        lambda d: d.update(level=0.5),
        lambda d: d["curve"].update(unit_y=2.0),
        lambda d: d["data"].update(unit="bits"),
        lambda d: d["objective"].update(delta_used=1.0),
        lambda d: d["parameters"][0].update(value=1.0),
        lambda d: d["points"]["y"].__setitem__(0, 1.0),
        lambda d: d.pop("body_sha256"),
        lambda d: d.update(more=1),
    ],
)
def test_any_edit_is_refused(tmp_path, edit):
    path = edited(tmp_path, edit, version=5)
    with pytest.raises(InputError) as caught:
        read_fit(path)
    assert caught.value.code == "changed"


def test_a_missing_file_is_refused(tmp_path):
    with refused("no-file", tmp_path / "fit.json"):
        read_fit(tmp_path / "fit.json")


def test_a_fit_of_version_3_which_had_no_reduction_is_read(tmp_path):
    write_fit(tmp_path / "fit.json", fit_law(TABLE))
    document = json.loads((tmp_path / "fit.json").read_text())
    body = {k: v for k, v in document.items() if k not in ("schema", "version", "body_sha256")}
    del body["objective"]["reduction"]
    old = {"schema": "semgjax/fit", "version": 3, **body, "body_sha256": content_hash(body)}
    (tmp_path / "fit.json").write_text(json.dumps(old))
    assert read_fit(tmp_path / "fit.json").objective == Objective()


def test_a_fit_of_version_4_which_had_no_keys_is_read_and_keys_are_kept(tmp_path):
    keys = np.geomspace(1e3, 1e4, len(Y))
    write_fit(tmp_path / "fit.json", fit_law(Table({"N": SIZES}, Y, "%", keys=keys)))
    np.testing.assert_array_equal(read_fit(tmp_path / "fit.json").table.keys, keys)
    write_fit(tmp_path / "fit.json", fit_law(TABLE))
    document = json.loads((tmp_path / "fit.json").read_text())
    body = {k: v for k, v in document.items() if k not in ("schema", "version", "body_sha256")}
    del body["points"]["keys"]
    body["data"]["hash"] = content_hash(body["points"])
    old = {"schema": "semgjax/fit", "version": 4, **body, "body_sha256": content_hash(body)}
    (tmp_path / "fit.json").write_text(json.dumps(old))
    assert read_fit(tmp_path / "fit.json").table.keys is None
