"""Tables made of arrays."""

import numpy as np
import pytest

from semgjax.scaling.table import Table, count_levels, table_of
from tests.refused import refused


@pytest.mark.parametrize(
    ("sizes", "y", "code", "named"),
    [
        ([1.0, 2.0], [1.0], "bad-shape", ("2 values of N", "1 of y")),
        ([1.0, 0.0], [1.0, 1.0], "bad-number", ("N[1]", "0.0")),
        ([1.0, 2.0], [1.0, np.nan], "bad-number", ("y[1]", "nan")),
        ([], [], "bad-shape", ("N", "(0,)")),
        ([[1.0]], [[1.0]], "bad-shape", ("N", "(1, 1)")),
    ],
)
def test_arrays_are_checked_like_files(sizes, y, code, named):
    with refused(code, *named):
        table_of(sizes, y)


def test_a_table_without_an_input_is_refused():
    with refused("no-column"):
        Table({}, np.ones(3))


def test_rows_with_equal_inputs_are_replicates():
    table = table_of({"N": [1e4, 1e4, 1e5, 1e4], "D": [1.0, 1.0, 1.0, 3.0]}, [4.0, 4.1, 3.0, 3.5])
    assert len(set(table.groups)) == 3
    assert table.groups[0] == table.groups[1]
    assert (table.levels("N"), table.levels("D")) == (2, 2)


def test_some_rows_of_a_table_keep_what_belongs_to_them():
    table = Table(
        {"N": np.array([1.0, 2.0, 3.0])}, np.array([9.0, 8.0, 7.0]), "%", sd=np.array([0.1, 0.2, 0.3]),
        runs=("a", "b", "c"), users=("u", "v"), users_y=np.arange(6.0).reshape(3, 2), clusters=np.array([5, 6, 7]),
        keys=np.array([1e3, 2e3, 3e3]),
    ).rows(np.array([2, 0]))  # fmt: skip
    assert table.runs == ("c", "a")
    np.testing.assert_array_equal(table.sd, [0.3, 0.1])
    np.testing.assert_array_equal(table.users_y, [[4.0, 5.0], [0.0, 1.0]])
    np.testing.assert_array_equal(table.y, [7.0, 9.0])
    assert table.clusters.tolist() == [7, 5] and table.keys.tolist() == [3e3, 1e3]


def test_sizes_that_differ_by_less_than_a_percent_count_once():
    assert count_levels(np.array([100.0, 1.0, 100.5, 50.0])) == 3
