"""The usual refusals of the scaling commands carry the fitting code."""

from pathlib import Path

import numpy as np
import pytest

from semgjax.cli.scaling_words import check_output, number, pairs
from semgjax.errors import InputError
from semgjax.scaling.compare import compare_laws
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.law import load_law
from semgjax.scaling.laws import LAWS, law_named
from semgjax.scaling.profile import prediction_interval
from semgjax.scaling.table import Table, table_of

SIZES = np.geomspace(1e4, 1e6, 6)
Y = 8.0 + 60.0 * (SIZES / 1e4) ** -0.45


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda: fit_law((SIZES[:2], Y[:2])), "too-few-levels"),
        (lambda: fit_law((np.full(6, 1e5), Y)), "too-few-levels"),
        (lambda: compare_laws(table_of(SIZES[:1], Y[:1])), "too-few-levels"),
        (lambda: compare_laws(table_of(SIZES, Y), ()), "bad-option"),
        (lambda: fit_law((SIZES, Y), fixed={"gamma": 1.0}), "unknown-name"),
        (lambda: fit_law((SIZES, Y), fixed={"E": -1.0}), "bad-value"),
        (lambda: fit_law((SIZES, Y), fixed={"E": 1.0, "A": 2.0, "alpha": 0.3}), "conflict"),
        (lambda: fit_law((SIZES * 1e30, Y)), "bad-number"),
        (lambda: fit_law((SIZES, Y), LAWS["chinchilla"]), "no-column"),
        (lambda: predict(fit_law((SIZES, Y)), 0.0), "bad-value"),
        (lambda: prediction_interval(fit_law((SIZES, Y)), 1e6, 95.0), "bad-value"),
        (lambda: table_of(SIZES, -Y), "bad-number"),
        (lambda: Table({"N": SIZES}, Y[:3]), "bad-shape"),
        (lambda: law_named("cubic"), "unknown-name"),
        (lambda: law_named("chinchilla", ("N",)), "wrong-law"),
        (lambda: load_law("nowhere.py:mine"), "no-file"),
        (lambda: pairs("--map", ("N",)), "bad-option"),
        (lambda: pairs("--map", ("N=a", "N=b")), "conflict"),
        (lambda: number("--at", "N=x", "x"), "bad-number"),
        (lambda: check_output(Path("."), Path("table.csv")), "not-a-file"),
    ],
)
def test_a_refusal_says_of_what_kind_it_is(ask, code):
    with pytest.raises(InputError) as caught:
        ask()
    assert caught.value.code == code
