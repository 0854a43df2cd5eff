"""Cells of a sweep's CSV: what is protected is recovered exactly, and nothing else is changed."""

import csv

import pytest

from semgjax.cells import protect, unprotect
from semgjax.scaling.rows import SWEEP_COLUMNS, rows_of

TEXTS = [
    "=a",
    "+a",
    "-x",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "'q",
    "'",
    "''",
    "'-1.5",
    "'=1",
    "-",
    "--1.5",
    "+1e",
    "-\u0661",
]
UNCHANGED = ["", "a", "u-1", "a=b", "q'", "-1.5", "+3", "-1e-7", "0"]


@pytest.mark.parametrize("text", TEXTS + UNCHANGED)
def test_a_text_is_recovered_and_its_cell_is_no_formula(text):
    cell = protect(text)
    assert unprotect(cell) == text
    assert (cell == text) == (text in UNCHANGED)
    assert cell == f"'{text}" or text in UNCHANGED


@pytest.mark.parametrize("cell", ["'a", "'-1.5", "'007", "a'", "-x", "=1"])
def test_a_cell_that_was_not_protected_stays_as_it_is(cell):
    assert unprotect(cell) == cell


@pytest.mark.parametrize(("columns", "shown"), [((*SWEEP_COLUMNS, "cer"), "=a"), (("user", "cer"), "'=a")])
def test_only_a_table_of_a_sweep_is_read_without_the_protection(tmp_path, columns, shown):
    path = tmp_path / "table.csv"
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerow(dict.fromkeys(columns, "1") | {"user": "'=a"})
    ((_, cells),) = rows_of(path)
    assert cells["user"] == shown
