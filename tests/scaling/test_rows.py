"""Rows of tables in memory: as those of the same table in a file, and refusals by their codes."""

import importlib

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.scaling.read import read_table
from semgjax.scaling.rows import rows_of

MAPPING = {"N": "params", "y": "cer"}
COLUMNS = {"params": [60723, 78235, 132587], "cer": [50.5, 1 / 3, 21.6], "seed": ["0", None, "2"]}


class Frame:
    """What pandas and polars frames have in common here: names, and columns that give lists."""

    class Column:
        def __init__(self, values, method):
            setattr(self, method, lambda: list(values))

    def __init__(self, columns, method):
        self.columns = list(columns)
        self._columns = {name: self.Column(values, method) for name, values in columns.items()}

    def __getitem__(self, name):
        return self._columns[name]


def written(tmp_path, name="results.csv"):
    rows = zip(*COLUMNS.values(), strict=True)
    lines = [",".join("" if cell is None else str(cell) for cell in row) for row in rows]
    path = tmp_path / name
    path.write_text("\n".join([",".join(COLUMNS), *lines]))
    return path


@pytest.mark.parametrize(
    "source",
    [
        COLUMNS,
        {name: np.array(values, object if name == "seed" else None) for name, values in COLUMNS.items()},
        {name: tuple(values) for name, values in COLUMNS.items()},
        {**COLUMNS, "params": [np.int64(value) for value in COLUMNS["params"]]},
        {**COLUMNS, "seed": ["0", float("nan"), "2"]},
        Frame(COLUMNS, "tolist"),
        Frame(COLUMNS, "to_list"),
    ],
)
def test_a_table_in_memory_has_the_cells_of_its_file(tmp_path, source):
    assert [cells for _, cells in rows_of(source)] == [cells for _, cells in rows_of(written(tmp_path))]


def test_frames_of_pandas_polars_and_arrow_have_the_cells_of_their_file(tmp_path, monkeypatch):
    monkeypatch.setenv("_RJEM_MALLOC_CONF", "")  # polars sets it
    wanted = [cells for _, cells in rows_of(written(tmp_path))]
    for name, make in (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "table")):
        table = getattr(importlib.import_module(name), make)(COLUMNS)
        assert [cells for _, cells in rows_of(table)] == wanted, name


def test_a_sweeps_folder_is_its_results(tmp_path):
    path = written(tmp_path)
    for source in (tmp_path, str(tmp_path)):
        assert rows_of(source) == rows_of(path)
    assert read_table(tmp_path, MAPPING, {}).source == "results.csv"


def test_filters_quotients_and_relative_noise_work_in_memory():
    columns = {**COLUMNS, "set": ["a", "a", "b"], "sd": [0.1, 0.2, 0.3]}
    table = read_table(columns, {"N": "params/2", "y": "cer", "sd": "sd"}, {"set": "a"})
    assert table.sizes.tolist() == [60723 / 2, 78235 / 2]
    assert table.y.tolist() == [50.5, 1 / 3]
    assert table.sd is not None and table.sd.tolist() == [0.1, 0.2]


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (3, "bad-value"),
        (None, "bad-value"),
        ([[1, 2], [3, 4]], "bad-value"),
        (np.ones((3, 2)), "bad-value"),
        ({}, "no-row"),
        ({"params": [], "cer": []}, "no-row"),
        ({"params": [1, 2], "cer": [1.0]}, "bad-shape"),
        ({"params": 3.0, "cer": [1.0]}, "bad-shape"),
        ({"params": "123", "cer": [1.0, 2.0, 3.0]}, "bad-shape"),
        ({1: [1.0], "1": [1.0]}, "bad-row"),
        ({"params": [1, 2], "cer": [1.0, None]}, "bad-number"),
        ({"params": [1, 2], "cer": [1.0, float("inf")]}, "bad-number"),
        ({"params": [1, 2], "cer": [1.0, True]}, "bad-number"),
        ({"params": [1, 2], "cer": [1.0, [2.0]]}, "bad-number"),
        ({"params": [1, 2], "cer": [1.0, -2.0]}, "bad-number"),
        ({"size": [1, 2], "cer": [1.0, 2.0]}, "no-column"),
    ],
)
def test_what_is_no_table_of_points_is_refused(source, code):
    with pytest.raises(InputError) as caught:
        read_table(source, MAPPING, {})
    assert caught.value.code == code


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        read_table(tmp_path, MAPPING, {})
    assert caught.value.code == "not-a-file"
