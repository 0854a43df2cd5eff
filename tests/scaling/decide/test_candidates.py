"""Places for further runs: between and beyond those of the sweep."""

import numpy as np

from semgjax.scaling.decide.candidates import BEYOND, MOST, candidate_grid, kind_of, new_inputs, new_values, open_grid
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS, law_named
from semgjax.scaling.table import table_of
from tests.refused import refused
from tests.scaling.decide.made import joint_fit, size_fit


def test_new_sizes_lie_between_and_beyond_the_sweeps_own():
    fit = size_fit()
    own = np.unique(fit.table.x["N"])
    values = new_values(fit, "N")
    assert set(own) <= set(values)
    between = [v for v in values if own[0] < v < own[-1] and np.abs(np.log(v / own)).min() > 0.1]
    assert len(between) == len(own) - 1
    assert own[-1] * 1.5 <= values[-1] <= own[-1] * BEYOND * 1.01
    assert (values == np.sort(values)).all() and len(np.unique(values)) == len(values)


def test_new_users_are_whole_and_at_least_one():
    users = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    fit = fit_law(table_of({"U": users}, 8.0 + 30.0 * users**-0.6), law_named("additive", ("U",)))
    values = new_values(fit, "U")
    assert (values == values.round()).all() and values.min() >= 1.0
    assert {3.0, 6.0, 32.0} <= set(values)


def test_every_combination_of_a_few_values_and_one_input_at_a_time_of_many():
    fit = joint_fit()
    grid = open_grid(fit)
    assert len(grid["N"]) == len(new_values(fit, "N")) * len(new_values(fit, "D")) <= MOST
    law = law_named("additive", ("N", "U", "H"))
    rows = np.array(np.meshgrid(np.geomspace(1e4, 1e6, 4), [1.0, 4.0, 16.0, 64.0], [0.1, 0.4, 1.6])).reshape(3, -1)
    y = 5.0 + 300.0 * rows[0] ** -0.4 + 20.0 * rows[1] ** -0.6 + rows[2] ** -0.5
    wide = fit_law(table_of(dict(zip("NUH", rows, strict=True)), y), law)
    places = open_grid(wide)
    assert MOST / 10 < len(places["N"]) < 2 * MOST
    assert places["U"].max() > 64.0 and places["N"].max() > 1e6


def test_a_measured_loss_is_no_choice():
    loss = np.linspace(2.0, 4.0, 8)
    fit = fit_law(table_of({"L": loss}, 80.0 - 150.0 * np.exp(-0.8 * loss)), LAWS["gadre_error"])
    assert new_values(fit, "L").tolist() == loss.tolist()


def test_unique_data_never_exceed_all_data():
    unique = np.repeat([1e8, 4e8], 6)
    total = unique * np.tile([1.0, 2.0, 4.0, 8.0, 16.0, 32.0], 2)
    sizes = np.tile([1e7, 4e7, 1.6e8], 4)
    y = 1.8 + 400.0 * sizes**-0.34 + 410.0 * total**-0.28
    fit = fit_law(table_of({"N": sizes, "D": total, "Q": unique}, y), LAWS["repeated"])
    grid = open_grid(fit)
    assert (grid["Q"] <= grid["D"]).all()
    with refused("bad-value"):
        candidate_grid(fit, {"Q": [1e12]})


def test_a_run_is_named_by_what_is_new_about_it():
    fit = joint_fit()
    assert kind_of(fit, {"N": 1e5, "D": 1.0}, []) == "seed"
    assert kind_of(fit, {"N": 1e6, "D": 10.0}, []) == "combination"
    assert kind_of(fit, {"N": 5e5, "D": 1.0}, []) == "between"
    assert kind_of(fit, {"N": 4e6, "D": 1.0}, []) == "beyond"
    assert kind_of(fit, {"N": 4e6, "D": 1.0}, [{"N": 4e6, "D": 1.0}]) == "seed"
    assert new_inputs(fit, {"N": 4e6, "D": 1.0}) == ("N",)
