"""Tables of results: sweeps' own, foreign ones, and bad ones."""

import json

import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.scaling.read import read_table, read_user_points
from tests.refused import refused


def sweep_rows(runs=3, **change):
    """Rows of a sweep's table: per run both splits, both averagings and two users."""
    rows = []
    for run in range(runs):
        config = {"kind": "supervised", "preset": "p", "params": 1000 * 4**run, "users": 6, "hours": 1.5}
        cost = {"steps": 500, "tokens": 10, "flops": 20, "seed": 0}
        for split, harder in (("val", 5.0), ("test", 0.0)):
            for averaging, user, offset in (
                ("macro", "", 0.0),
                ("pooled", "", 0.5),
                ("user", "anna", -2.0),
                ("user", "ben", 2.0),
            ):
                place = {"split": split, "decoder": "greedy", "averaging": averaging, "user": user}
                counts = {"characters": 100, "substitutions": 10, "deletions": 10, "insertions": 10}
                cer = 40.0 - 10.0 * run + offset + harder
                rows.append({"run": f"run-{run}", **config, **cost, **place, **counts, "cer": cer, **change})
    return rows


def write_csv(path, rows):
    lines = [",".join(rows[0])] + [",".join(str(value) for value in row.values()) for row in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.mark.parametrize(("name", "write"), [("results.csv", write_csv), ("results.jsonl", write_jsonl)])
def test_a_sweeps_table_gives_the_test_rows_averaged_over_users(tmp_path, name, write):
    table = read_table(write(tmp_path / name, sweep_rows()), {}, {})
    np.testing.assert_array_equal(table.sizes, [1000.0, 4000.0, 16000.0])
    np.testing.assert_array_equal(table.y, [40.0, 30.0, 20.0])
    assert (table.size_name, table.y_name, table.unit, table.source) == ("params", "cer", "%", name)


def test_a_filter_replaces_the_default(tmp_path):
    path = write_csv(tmp_path / "results.csv", sweep_rows())
    np.testing.assert_array_equal(read_table(path, {}, {"split": "val"}).y, [45.0, 35.0, 25.0])
    np.testing.assert_array_equal(read_table(path, {}, {"averaging": "pooled"}).y, [40.5, 30.5, 20.5])


def test_a_filter_compares_numbers_as_numbers(tmp_path):
    path = write_csv(tmp_path / "results.csv", sweep_rows() + sweep_rows(users=12, run="other"))
    assert len(read_table(path, {}, {"users": "6.0"}).sizes) == 3


def test_the_points_of_single_users_are_read_apart(tmp_path):
    rows = sweep_rows(runs=2)
    rows[6]["cer"] = 0.0
    sizes, y = read_user_points(write_csv(tmp_path / "results.csv", rows), {}, {})
    np.testing.assert_array_equal(sizes, [1000.0, 1000.0, 4000.0, 4000.0])
    np.testing.assert_array_equal(y, [0.0, 42.0, 28.0, 32.0])


def test_a_user_without_a_key_has_no_point(tmp_path):
    rows = sweep_rows(runs=1)
    rows[6]["cer"] = None
    sizes, y = read_user_points(write_jsonl(tmp_path / "results.jsonl", rows), {}, {})
    np.testing.assert_array_equal(y, [42.0])


def test_any_csv_with_a_mapping_is_a_table(tmp_path):
    path = tmp_path / "their.csv"
    path.write_text("\ufeffmodel size, loss ,set\n1e6,3.5,a\n\n2e6,3.25,a\n2e6,9,b\n")
    table = read_table(path, {"N": "model size", "y": "loss"}, {"set": "a"})
    np.testing.assert_array_equal(table.sizes, [1e6, 2e6])
    np.testing.assert_array_equal(table.y, [3.5, 3.25])
    assert table.unit == ""


@pytest.mark.parametrize(
    ("text", "mapping", "where", "message"),
    [
        ("", {"N": "n", "y": "e"}, {}, "no rows; expected a header and at least one row"),
        ("n,e\n", {"N": "n", "y": "e"}, {}, "no rows; expected a header and at least one row"),
        ("n,e\n1,2\n", {}, {}, "N=COLUMN (it has n, e)"),
        ("n,e\n1,2\n", {"N": "n"}, {}, "y=COLUMN"),
        ("n,e\n1,2\n", {"N": "n", "y": "e", "D": "n"}, {}, "no variable 'D'; this law has N, y"),
        ("n,error\n1,2\n", {"N": "n", "y": "eror"}, {}, "no column 'eror'; did you mean 'error'?"),
        ("n,e\n1,2\n", {"N": "size", "y": "e"}, {}, "no column 'size'; it has n, e"),
        ("n,e\n1,2\n", {"N": "n", "y": "n"}, {}, "N and y are both column 'n'"),
        ("n,e\n1,2\n", {"N": "n", "y": "e"}, {"se": "1"}, "no column 'se'"),
        ("n,e\n1,2\n2,3\n", {"N": "n", "y": "e"}, {"n": "5"}, "no row has n=5; column n holds 1, 2"),
        ("n,e\n1,2\nx,3\n", {"N": "n", "y": "e"}, {}, "line 3: column n is 'x', not a number"),
        ("n,e\n1,2\n2,\n", {"N": "n", "y": "e"}, {}, "line 3: column e is empty, not a number"),
        (
            "n,e\n1,nan\n",
            {"N": "n", "y": "e"},
            {},
            "line 2: column e is 'nan', not a number",
        ),
        ("n,e\n1,inf\n", {"N": "n", "y": "e"}, {}, "line 2: column e is 'inf', not a number"),
        ("n,e\n0,2\n", {"N": "n", "y": "e"}, {}, "line 2: column n is 0;"),
        ("n,e\n1,-2\n", {"N": "n", "y": "e"}, {}, "line 2: column e is -2;"),
        ("n,e\n1,2,3\n", {"N": "n", "y": "e"}, {}, "line 2 has 3 cells, the header has 2"),
        ("n,n\n1,2\n", {"N": "n", "y": "n"}, {}, "column 'n' is there twice; rename one"),
        ("n;e\n1;2\n", {"N": "n", "y": "e"}, {}, "write the table with commas"),
    ],
)
def test_a_bad_table_is_refused_in_one_line(tmp_path, text, mapping, where, message):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_table(path, mapping, where)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ('{"n": 1, "e": 2}\n{"n": 1', "bad-json", ("line 2",)),
        ("[1, 2]\n", "bad-row", ("line 1",)),
        ('{"n": 1, "e": 2}\n{"n": 3}\n', "bad-number", ("line 2", "column e")),
        ('{"n": 1, "e": NaN}\n', "not-finite", ("line 1", "NaN")),
        ('{"n": 1, "e": true}\n', "bad-number", ("line 1", "column e", "'True'")),
    ],
)
def test_a_bad_jsonl_table_is_refused_in_one_line(tmp_path, text, code, named):
    path = tmp_path / "table.jsonl"
    path.write_text(text)
    with refused(code, path, *named):
        read_table(path, {"N": "n", "y": "e"}, {})


def test_a_missing_file_and_one_that_is_no_text_are_refused(tmp_path):
    with refused("no-file", tmp_path / "none.csv"):
        read_table(tmp_path / "none.csv", {}, {})
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    with refused("bad-encoding", tmp_path / "bytes.csv"):
        read_table(tmp_path / "bytes.csv", {}, {})


@pytest.mark.parametrize(
    ("rows", "where", "message"),
    [
        (sweep_rows() + sweep_rows(decoder="beam"), {}, "decoder=greedy"),
        (sweep_rows() + sweep_rows(kind="distilled"), {}, "column kind holds supervised, distilled"),
        (sweep_rows() + sweep_rows(users=12), {}, "column users holds 6, 12: several curves"),
        (sweep_rows() + sweep_rows(hours=3.0), {}, "column hours holds 1.5, 3.0: several curves"),
        (sweep_rows(), {"averaging": "user"}, "column user holds anna, ben: several curves"),
        (
            sweep_rows() + sweep_rows(),
            {},
            "duplicated-run: run 'run-0' is there twice (line 6 and line 30); remove one",
        ),
        (sweep_rows(split="dev"), {}, "no row has split=test; column split holds dev"),
        (sweep_rows(cer=None), {}, "column cer is 'None', not a number"),
    ],
)
def test_rows_that_lie_on_no_single_curve_are_refused(tmp_path, rows, where, message):
    path = write_csv(tmp_path / "results.csv", rows)
    with pytest.raises(InputError) as caught:
        read_table(path, {}, where)
    assert message in str(caught.value)


def test_a_curve_over_users_is_not_refused_for_its_users(tmp_path):
    rows = [row for run, users in enumerate((2, 4, 8)) for row in sweep_rows(1, run=f"r{run}", users=users)]
    rows = [{**row, "hours": row["users"] / 4} for row in rows]
    table = read_table(write_csv(tmp_path / "results.csv", rows), {"N": "users"}, {})
    np.testing.assert_array_equal(table.sizes, [2.0, 4.0, 8.0])


def test_users_are_found_in_a_sweeps_table_only(tmp_path):
    path = tmp_path / "their.csv"
    path.write_text("n,e\n1,2\n")
    with refused("no-column", path, "'run'"):
        read_user_points(path, {}, {})


TWO = {"N": "n", "y": "e"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('n,e\n1,2\n"2,3\n3,4\n', "bad-row"),  # an unclosed quote took the rows after it
        ('n,e\n1,2\n2,"3"x\n', "bad-row"),
        ("n,e\n1,2\n2,3,\n", "bad-row"),
        ("sep=;\nn;e\n1;2\n", "bad-row"),
        ("n\te\n1\t2\n", "bad-row"),
        ("n,e\n1,2\n2,\0\n", "bad-encoding"),
        ("n,e\n1,2\n2,1e400\n", "bad-number"),
        ("n,e\n1,2\n2,n/a\n", "bad-number"),
        ("n,e\n1,2\n2,1_000\n", "bad-number"),
        ("n,e\n1,2\n\uff16\uff14,3\n", "bad-number"),
        ("n,e\n1,2\n2,12 %\n", "bad-number"),
        ("n,e\n1,2\n2,0x10\n", "bad-number"),
        ("n,e\n60.723,40\n78.235,30\n", "bad-number"),
        ("n,e\n1,2\n2,3\u20284,5\n", "bad-row"),
        ("run,step,n,e\na,1,10,2\na,2,10,3\n", "duplicate-run"),
    ],
)
def test_a_table_that_could_mislead_is_refused(tmp_path, text, code):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode())
    with pytest.raises(InputError) as caught:
        read_table(path, TWO, {})
    assert caught.value.code == code and "\n" not in str(caught.value)


def test_utf_16_is_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("n,e\n1,2\n".encode("utf-16"))
    with pytest.raises(InputError) as caught:
        read_table(path, TWO, {})
    assert caught.value.code == "bad-encoding"


def test_a_quoted_cell_may_hold_lines_and_the_line_of_a_later_fault_is_right(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text('n,e,note\n1,2,"a\nb, ""c"""\n2,x,d\n')
    with pytest.raises(InputError) as caught:
        read_table(path, TWO, {})
    assert "line 4" in str(caught.value)


def test_a_filter_takes_text_first_and_a_padded_name_is_no_number(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("user,n,e\n7,1,2\n007,2,3\n07,3,4\n7.0,4,5\n")
    assert read_table(path, TWO, {"user": "7"}).sizes.tolist() == [1]
    assert read_table(path, TWO, {"user": "007"}).sizes.tolist() == [2]
    path.write_text("user,n,e\n7.0,1,2\n007,2,3\n")
    assert read_table(path, TWO, {"user": "7"}).sizes.tolist() == [1]


def test_an_overflowing_filter_matches_nothing(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("set,n,e\ninf,1,2\n")
    with pytest.raises(InputError) as caught:
        read_table(path, TWO, {"set": "1e400"})
    assert caught.value.code == "no-row"


def test_a_column_whose_name_holds_a_slash_stands_in_quotes(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("n,val/cer\n1,50\n2,40\n")
    assert read_table(path, {"N": "n", "y": '"val/cer"/100'}, {}).y.tolist() == [0.5, 0.4]
    assert read_table(path, {"N": "n", "y": "val/cer"}, {}).y.tolist() == [50, 40]


def test_the_rate_of_a_sweep_may_be_a_quotient(tmp_path):
    path = tmp_path / "results.csv"
    write_csv(path, sweep_rows())
    table, plain = read_table(path, {"y": "cer/100"}, {}), read_table(path, {}, {})
    np.testing.assert_allclose(table.y, plain.y / 100)
    np.testing.assert_allclose(table.users_y, plain.users_y / 100)


@pytest.mark.parametrize("name", ["run", "cluster"])
def test_a_run_and_a_cluster_are_columns_not_quotients(tmp_path, name):
    path = tmp_path / "table.csv"
    path.write_text("n,e\n1,2\n2,3\n")
    with pytest.raises(InputError) as caught:
        read_table(path, TWO | {name: "n/2"}, {})
    assert caught.value.code == "no-column"


def test_clusters_and_tested_keys_are_read_and_must_be_there(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("n,e,c,k\n1e4,20,a,500\n1e5,10,b,2000\n")
    noise = {"cluster": "c", "keys": "k"}
    table = read_table(path, TWO | noise, {}, "%")
    assert table.clusters.tolist() == [0, 1] and table.keys.tolist() == [500.0, 2000.0]
    for cells, unit, code in (("a,0", "%", "bad-number"), (",500", "%", "bad-row"), ("a,500", "", "conflict")):
        path.write_text(f"n,e,c,k\n1e4,20,{cells}\n1e5,10,b,2000\n")
        with pytest.raises(InputError) as caught:
            read_table(path, TWO | noise, {}, unit)
        assert caught.value.code == code


@pytest.mark.parametrize(
    ("cells", "refused"),
    [
        (["60.723", "120.500", "310.250"], True),
        (["60.723", "450000", "1200000"], True),
        (["850", "60.723", "120.500"], True),
        (["60723.0", "120500.0", "310250.0"], False),
        (["60.7", "120.5", "310.2"], False),
        (["60723", "120500", "310250"], False),
        (["0.060723", "0.120500", "0.310250"], False),
        (["10.000", "1000.000", "500.000"], False),
    ],
)
def test_a_whole_number_with_a_thousands_point_is_refused_with_its_line(tmp_path, cells, refused):
    path = tmp_path / "t.csv"
    path.write_text("params,cer\n" + "".join(f"{cell},{30 - i}\n" for i, cell in enumerate(cells)))
    if not refused:
        assert len(read_table(path, {"N": "params", "y": "cer"}, {}).y) == 3
        return
    with pytest.raises(InputError) as caught:
        read_table(path, {"N": "params", "y": "cer"}, {})
    assert caught.value.code == "bad-number" and ": line " in str(caught.value)


@pytest.mark.parametrize(("first", "code"), [("sep=,", ""), ("sep=;", "bad-row"), ("SEP=|", "bad-row")])
def test_a_spreadsheets_sep_line_is_understood(tmp_path, first, code):
    path = tmp_path / "t.csv"
    path.write_text(f"{first}\nparams,cer\n1e4,30\n1e5,20\n1e6,15\n")
    if not code:
        assert read_table(path, {"N": "params", "y": "cer"}, {}).y.tolist() == [30, 20, 15]
        return
    with pytest.raises(InputError) as caught:
        read_table(path, {"N": "params", "y": "cer"}, {})
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("n/a", "bad-number"),
        ("inf", "bad-number"),
        ("-3", "bad-number"),
        ("1e400", "bad-number"),
        ("\uff11\uff12", "bad-number"),
        ("nan", "bad-number"),
    ],
)
def test_a_users_row_that_holds_no_number_is_refused_with_its_line(tmp_path, cell, code):
    rows = sweep_rows()
    place = next(i for i, row in enumerate(rows) if row["averaging"] == "user" and row["split"] == "test")
    rows[place] = {**rows[place], "cer": cell}
    with pytest.raises(InputError) as caught:
        read_table(write_csv(tmp_path / "results.csv", rows), {}, {})
    assert caught.value.code == code and f"line {place + 2}" in str(caught.value)


def test_a_user_who_is_there_twice_in_a_run_is_refused(tmp_path):
    rows = sweep_rows()
    row = next(row for row in rows if row["averaging"] == "user" and row["split"] == "test")
    with pytest.raises(InputError) as caught:
        read_table(write_csv(tmp_path / "results.csv", [*rows, {**row, "cer": 99.0}]), {}, {})
    assert caught.value.code == "duplicate-run"


def test_a_run_that_is_there_twice_is_refused_in_any_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("run,params,cer\na,1e4,30\nb,1e5,20\na,1e6,15\n")
    with pytest.raises(InputError) as caught:
        read_table(path, {"N": "params", "y": "cer"}, {})
    assert caught.value.code == "duplicate-run"
