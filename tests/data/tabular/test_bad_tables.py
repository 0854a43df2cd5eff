"""Every fault of a table is one line that names the file, the line and the value, with its own code."""

import numpy as np
import pytest

from semgjax.data.tabular import clean_text
from semgjax.data.tabular.declaration import read_declaration
from semgjax.data.tabular.table_source import find_items
from tests.data.tabular.table_folders import TOML, declared, samples, written
from tests.data.tabular.test_tables import opened, with_events
from tests.refused import refused


def changed(row, column, value):
    rows = samples()
    rows[row][column] = value
    return rows


def without_label():
    rows = samples()
    rows[16] = rows[16][:3]
    return rows


FAULTS = {
    "ragged": (without_label(), "bad-row", ["line 17", "3 cells", "4"]),
    "label column missing": ([row[:3] for row in samples()], "bad-row", ["line 1", "3 cells"]),
    "text": (changed(7, 1, "abc"), "bad-number", ["line 8", "column 2", "'abc'"]),
    "hexadecimal": (changed(7, 1, "0x1F"), "bad-number", ["line 8", "column 2"]),
    "empty cell": (changed(7, 0, ""), "bad-number", ["line 8", "column 1"]),
    "nan": (changed(9, 0, "nan"), "not-finite", ["line 10", "column 1", "nan"]),
    "too large": (changed(9, 1, "-1e999"), "not-finite", ["line 10", "column 2", "inf"]),
    "time goes back": (changed(12, 2, "20"), "gap-in-signal", ["line 13", "20"]),
    "unknown label": (changed(14, 3, "9"), "unknown-class", ["line 15", "'9'"]),
    "label is no whole number": (changed(14, 3, "0.5"), "unknown-class", ["line 15", "'0.5'"]),
    "quote": (changed(6, 0, '"1'), "bad-row", ["line 7"]),
    "other rate": ([[*row[:2], str(5 * n), row[3]] for n, row in enumerate(samples())], "rate-differs", ["200", "100"]),
    "nothing": ([], "empty", []),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_names_file_line_and_value(tmp_path, fault):
    rows, code, named = FAULTS[fault]
    path = written(declared(tmp_path) / "ann-1.csv", rows)
    with refused(code, path, *named):
        opened(tmp_path)


@pytest.mark.parametrize("fault", ["ragged", "text", "nan", "time goes back", "unknown label"])
def test_a_fault_behind_comments_in_a_later_block_names_its_line(tmp_path, monkeypatch, fault):
    rows, code, named = FAULTS[fault]
    line = int(named[0].split()[1])
    monkeypatch.setattr(clean_text.chunks, "__defaults__", ("utf-8", 41))
    declared(tmp_path, columns='columns = 4\ncomment = "%"\nheader = true\nskip = 1')
    path = written(tmp_path / "ann-1.csv", [["made by us"], ["a", "b", "", "d"], ["% x"], [""], *rows])
    with refused(code, path, f"line {line + 4}"):
        opened(tmp_path)


def test_a_wrong_delimiter_is_named_with_the_right_one(tmp_path):
    path = written(declared(tmp_path) / "ann-1.csv", samples(), delimiter=";")
    with refused("bad-row", path, "line 1", "';'"):
        opened(tmp_path)


def test_a_decimal_comma_is_named(tmp_path):
    declared(tmp_path, columns='columns = 4\ndelimiter = ";"')
    path = written(tmp_path / "ann-1.csv", changed(3, 0, "1,5"), delimiter=";")
    with refused("bad-number", path, "line 4", "text.decimal"):
        opened(tmp_path)


def test_a_missing_column_of_the_header_is_named(tmp_path):
    text = TOML.replace("columns = 4", "columns = 4\nheader = true").replace("column = 4", 'column = "class"')
    path = written(declared(tmp_path, text) / "ann-1.csv", [["a", "b", "t", "label"], *samples()])
    with refused("no-column", path, "class", "label"):
        opened(tmp_path)


def test_a_header_of_numbers_is_no_header(tmp_path):
    path = written(declared(tmp_path, columns="columns = 4\nheader = true") / "ann-1.csv", samples())
    with refused("bad-row", path, "line 1"):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xff\xfe1\x00,\x002\x00", "bad-encoding"),
        (b"1,2,3,0\n1,\xb5,3,0\n", "bad-encoding"),
        (b"1,2,3,0\n1,\x00,3,0\n", "bad-encoding"),
        (b"1" * (7 << 20), "too-large"),
        (b"\n\n \n", "bad-row"),
        (b"\xef\xbb\xbf", "empty"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, content, code):
    path = declared(tmp_path) / "ann-1.csv"
    path.write_bytes(content)
    with refused(code, path):
        opened(tmp_path)


def test_a_pattern_that_fits_no_file_names_one_and_others_are_left_out(tmp_path):
    written(declared(tmp_path) / "ann_1.csv", samples())
    with refused("no-sessions", "{user}-{session}.csv", "ann_1.csv"):
        opened(tmp_path)
    written(tmp_path / "ann-1.csv", samples())
    _, left_out = find_items(tmp_path, read_declaration(tmp_path))
    assert [file.id for file in left_out] == ["ann_1.csv"]


def test_two_files_of_one_part_are_refused(tmp_path):
    declared(tmp_path, pattern='pattern = "{user}-{part}_*.csv"')
    for name in ("ann-1_a.csv", "ann-1_b.csv"):
        written(tmp_path / name, samples())
    with refused("duplicate-session", "ann-1_a.csv", "ann-1_b.csv"):
        opened(tmp_path)


def test_files_of_one_session_with_other_columns_are_refused(tmp_path):
    declared(tmp_path, pattern='pattern = "{user}-{part}.csv"')
    written(tmp_path / "ann-1.csv", samples())
    second = written(tmp_path / "ann-2.csv", [[*row, "0"] for row in samples()])
    with refused("bad-row", second, "5 cells", "4"):
        opened(tmp_path)


HEAD = "onset\tstop\ttype\n"


@pytest.mark.parametrize(
    ("table", "code", "named"),
    [
        (HEAD + "0.05\t0.4\t1\n", "outside-signal", ["line 2", "40"]),
        (HEAD + "0.05\t0.1\t1\n-1\t0.1\t1\n", "outside-signal", ["line 3", "-1"]),
        (HEAD + "0.2\t0.1\t1\n", "bad-row", ["line 2", "0.2", "0.1"]),
        (HEAD + "0.1\t0.2\n", "bad-row", ["line 2", "2 cells"]),
        (HEAD + "0.1\tnan\t1\n", "bad-number", ["line 2", "nan"]),
        (HEAD + "0.1\t0.2\t5\n", "unknown-class", ["line 2", "'5'"]),
        ("begin\tstop\ttype\n0.1\t0.2\t1\n", "no-column", ["onset", "begin"]),
    ],
)
def test_a_fault_of_a_table_of_events_names_its_line(tmp_path, table, code, named):
    with_events(tmp_path, table)
    with refused(code, tmp_path / "ann-1.events.tsv", *named):
        opened(tmp_path)


def test_a_missing_table_of_events_is_named(tmp_path):
    with_events(tmp_path, HEAD)
    (tmp_path / "ann-1.events.tsv").unlink()
    with refused("no-file", tmp_path / "ann-1.events.tsv"):
        opened(tmp_path)


@pytest.mark.parametrize("changes", [{}, {"source": 'source = "none"'}])
def test_optional_events_need_a_table_of_events(tmp_path, changes):
    declared(tmp_path, f"{TOML}\n[events]\noptional = true\n", **changes)
    with refused("conflict", "events.optional"):
        opened(tmp_path)


def test_times_that_drift_are_refused_where_events_are_placed_by_the_rate(tmp_path):
    with_events(tmp_path, HEAD)
    rows = [[a, b, str(round(10.05 * n, 3)), c] for n, (a, b, _, c) in enumerate(samples(1000))]
    path = written(tmp_path / "ann-1.csv", rows)
    with refused("rate-differs", path):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"rate": 'rate = "?"  # FILL IN'}, "fill-in", ["line 12", "signal.rate"]),
        ({"rest": 'rest = ["?"]'}, "fill-in", ["line 19", "labels.rest"]),
        ({"rate": "rate = 0"}, "bad-field", ["signal.rate"]),
        ({"rate": "rate = nan"}, "bad-field", ["signal.rate"]),
        ({"rate": "rate = 100\nratee = 3"}, "bad-field", ["ratee"]),
        ({"version": "version = 2"}, "wrong-version", ["2"]),
        ({"form": 'form = "parquet"'}, "bad-field", ["parquet"]),
        ({"channels": "channels = [1, 5]"}, "bad-field", ["5"]),
        ({"channels": "channels = [1, 1]"}, "bad-field", ["signal.channels"]),
        ({"channels": 'channels = ["a"]'}, "conflict", ["'a'"]),
        ({"rate": "rate = 100\nrings = [3]"}, "bad-field", ["signal.rings"]),
        ({"pattern": 'pattern = "{session}.csv"'}, "bad-field", ["user"]),
        ({"pattern": 'pattern = "{user}{session}.csv"'}, "bad-field", ["files.pattern"]),
        ({"pattern": 'pattern = "../{user}.csv"'}, "bad-field", ["files.pattern"]),
        ({"rest": 'rest = ["1"]'}, "conflict", ["'1'"]),
        ({"column": ""}, "bad-field", ["labels.column"]),
        ({"source": 'source = "path"'}, "conflict", ["{label}"]),
        ({"columns": 'columns = 4\ndelimiter = "ab"'}, "bad-field", ["'ab'"]),
        ({"version": "version ="}, "bad-toml", []),
    ],
)
def test_a_declaration_that_cannot_be_meant_is_refused_before_any_file(tmp_path, changes, code, named):
    declared(tmp_path, **changes)
    written(tmp_path / "ann-1.csv", samples())
    with refused(code, tmp_path / "semgjax.toml", *named):
        find_items(tmp_path, read_declaration(tmp_path))


def test_memory_does_not_grow_with_a_text(tmp_path):
    """A block holds a bounded part of the file."""
    path = written(declared(tmp_path) / "ann-1.csv", samples(5000))
    sizes = [len(chunk.data) for chunk in clean_text.chunks(path, size=1000)]
    assert max(sizes) <= 2000 and sum(sizes) == path.stat().st_size
    assert np.all(np.array(sizes) > 0)
