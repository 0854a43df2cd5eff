"""Tables that cannot determine a law are refused, with what would."""

import numpy as np

from semgjax.api.fitting import fit
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.table import table_of
from tests.refused import refused

UNIQUE = np.repeat([1e8, 4e8], 6)
TOTAL = UNIQUE * np.tile([1.0, 2.0, 4.0, 8.0, 16.0, 32.0], 2)
SIZES = np.tile([1e7, 4e7, 1.6e8], 4)
LOSS = 1.8 + 400.0 * SIZES**-0.34 + 410.0 * TOTAL**-0.28


def test_unique_data_above_all_data_are_swapped_columns():
    with refused("swapped-columns", "row 2"):
        fit_law(table_of({"N": SIZES, "D": UNIQUE, "Q": TOTAL}, LOSS), LAWS["repeated"])
    assert fit_law(table_of({"N": SIZES, "D": TOTAL, "Q": UNIQUE}, LOSS), LAWS["repeated"]).converged


def test_swapped_columns_of_a_file_are_named(tmp_path):
    path = tmp_path / "runs.csv"
    rows = [f"{n},{u},{t},{y}" for n, u, t, y in zip(SIZES, UNIQUE, TOTAL, LOSS, strict=True)]
    path.write_text("\n".join(["size,unique,tokens,loss", *rows]))
    with refused("swapped-columns", "runs.csv", "unique", "tokens"):
        fit(path, y="loss", N="size", D="unique", Q="tokens", law="repeated")


def test_a_single_wrong_row_is_named_and_rounding_is_allowed():
    unique = UNIQUE.copy()
    unique[7] = 1e12
    with refused("swapped-columns", "row 8"):
        fit_law(table_of({"N": SIZES, "D": TOTAL, "Q": unique}, LOSS), LAWS["repeated"])
    rounded = np.where(UNIQUE == TOTAL, UNIQUE * 1.002, UNIQUE)
    assert fit_law(table_of({"N": SIZES, "D": TOTAL, "Q": rounded}, LOSS), LAWS["repeated"]).converged


def test_a_question_with_more_unique_data_than_data_is_refused():
    table = {"size": SIZES, "unique": UNIQUE, "tokens": TOTAL, "loss": LOSS}
    law = fit(table, y="loss", N="size", D="tokens", Q="unique", law="repeated")
    with refused("swapped-columns", "Q", "D"):
        law.predict(N=1e8, D=1e9, Q=1e10)


def test_too_few_levels_name_a_law_that_has_enough():
    sizes = np.geomspace(1e5, 1e7, 5)
    with refused("too-few-levels", "--law rational"):
        fit_law((sizes, 8.0 + 60.0 * (sizes / 1e5) ** -0.4), LAWS["broken"])
    with refused("too-few-levels") as caught:
        fit_law((sizes[:2], [40.0, 20.0]))
    assert "--law" not in str(caught.value)
