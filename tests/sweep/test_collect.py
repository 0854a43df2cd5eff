"""The table: which rows, which columns, the same bytes each time."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import semgjax
from semgjax.files import write_json
from semgjax.scaling.read import read_table, read_user_points
from semgjax.scaling.rows import rows_of
from semgjax.sweep.collect import CSV, JSONL, _cell, collect, columns_of
from semgjax.sweep.trial import write_fault
from tests.golden_files import GOLDEN
from tests.guides.toy_loss import ConfidencePenalty
from tests.refused import refused
from tests.sweep.plans import at_rate, config_of, finish, planned, result_body, students_of


def test_a_run_gives_its_averages_and_then_its_users_in_exactly_these_columns(tmp_path):
    sweep = planned(tmp_path, config_of("ladder-16", seed=4))
    finish(sweep, sweep.trials[0])
    assert not collect(sweep.folder).unfinished
    with open(sweep.folder / "results.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert ",".join(header) == (
        "run,kind,loss,preset,params,users,hours,epochs,steps,tokens,flops,learning_rate,seed,teacher,teacher_params,"
        "split,decoder,averaging,user,characters,substitutions,deletions,insertions,cer,metric,spliced,left_blank_at"
    )
    flops = repr(sweep.trials[0].flops)
    run = ["000-ladder-16-s4", "supervised", "ctc", "ladder-16", "1000", "7", "0.1", "3.0", "10", "800", flops]
    run += ["0.003", "4"]
    counts = ["16", "1", "1", "0", "12.5", "cer", "false", "40"]
    assert rows == [
        [*run, "", "", "test", "greedy", averaging, user, *counts]
        for averaging, user in [("macro", ""), ("pooled", ""), ("user", "u1"), ("user", "u2")]
    ]


def test_both_files_hold_the_same_rows(tmp_path):
    sweep = planned(tmp_path)
    for trial in sweep.trials:
        finish(sweep, trial)
    rows = [list(row.items()) for row in collect(sweep.folder).rows]
    lines = (sweep.folder / "results.jsonl").read_text().splitlines()
    assert [list(json.loads(line).items()) for line in lines] == rows
    assert tuple(name for name, _ in rows[0]) == tuple(columns_of(sweep))
    with open(sweep.folder / "results.csv", newline="") as file:
        assert [list(row.values()) for row in csv.DictReader(file)] == [
            ["" if value is None else str(value) for _, value in row] for row in rows
        ]


def test_the_bytes_depend_on_the_results_and_not_on_the_order_or_time_of_their_making(tmp_path):
    found = []
    for name, order in (("a", 1), ("b", -1)):
        sweep = planned(tmp_path / name)
        for i, trial in list(enumerate(sweep.trials))[::order]:
            finish(sweep, trial, seconds=100.0 * order + i)
        collect(sweep.folder)
        found.append([(sweep.folder / file).read_bytes() for file in ("results.csv", "results.jsonl")])
        collect(sweep.folder)
        assert (sweep.folder / "results.csv").read_bytes() == found[-1][0]
    assert found[0] == found[1]


def test_a_rate_without_keys_is_an_empty_cell_and_null(tmp_path):
    sweep = planned(tmp_path, config_of("ladder-16"))
    head = {"split": "test", "decoder": "greedy", "user": "silent"}
    counts = {"characters": 0, "substitutions": 0, "deletions": 0, "insertions": 5, "cer": None}
    finish(sweep, sweep.trials[0], users_scores=[{**head, **counts}])
    collect(sweep.folder)
    assert (sweep.folder / "results.csv").read_text().splitlines()[-1].endswith("silent,0,0,0,5,,cer,false,40")
    last = json.loads((sweep.folder / "results.jsonl").read_text().splitlines()[-1])
    assert last["cer"] is None


@pytest.mark.parametrize(("version", "changes", "cell"), [(4, {"left_blank_at": None}, ""), (3, {}, ""), (4, {}, "40")])
def test_the_step_since_which_a_run_emits_is_a_cell_and_empty_if_there_is_none(tmp_path, version, changes, cell):
    sweep = planned(tmp_path, config_of("ladder-16"))
    body = result_body(sweep.trials[0]) | changes
    if version == 3:
        del body["left_blank_at"]
    write_json(finish(sweep, sweep.trials[0]), "semgjax/result", version, body)
    collect(sweep.folder)
    rows = (sweep.folder / "results.csv").read_text().splitlines()[1:]
    assert {row.rpartition(",")[2] for row in rows} == {cell}


def test_rates_at_which_a_run_of_the_rung_diverged_are_in_its_rows(tmp_path):
    configs = [at_rate(config_of(name, seed), rate) for name, seed, rate in (
        ("ladder-16", 0, 1e-3), ("ladder-16", 1, 2e-3), ("ladder-16", 0, 4e-3), ("ladder-32", 0, 1e-3),
    )]  # fmt: skip
    sweep = planned(tmp_path, *configs)
    for trial in (sweep.trials[0], sweep.trials[3]):
        finish(sweep, trial)
    for trial in sweep.trials[1:3]:
        write_fault(sweep, trial, "diverged", "step 5: loss nan")
    table = collect(sweep.folder)
    found = {row["run"]: (row["learning_rate"], row["diverged_rates"]) for row in table.rows}
    assert found == {"000-ladder-16-s0": (1e-3, "0.002 0.004"), "003-ladder-32-s0": (1e-3, "")}
    (rung, other) = read_table(sweep.folder, {"N": "flops"}, {}).rungs
    assert (rung.rates, rung.state, other.state) == ((1e-3, 2e-3, 4e-3), "edge", "one-rate")


def test_unfinished_trials_are_left_out_and_named(tmp_path):
    sweep = planned(tmp_path)
    finish(sweep, sweep.trials[1])
    table = collect(sweep.folder)
    assert {row["run"] for row in table.rows} == {"001-ladder-16-s0"}
    assert table.unfinished == {"000-ladder-32-s0": "waiting", "002-ladder-48-s0": "waiting"}


def test_without_any_finished_trial_nothing_is_written(tmp_path):
    sweep = planned(tmp_path)
    with refused("not-finished", sweep.folder):
        collect(sweep.folder)
    assert not (sweep.folder / "results.csv").exists()


def test_a_damaged_result_is_one_line_and_the_old_table_stays(tmp_path):
    sweep = planned(tmp_path)
    for trial in sweep.trials:
        finish(sweep, trial)
    collect(sweep.folder)
    before = (sweep.folder / "results.csv").read_bytes()
    path = sweep.run_folder(sweep.trials[2]) / "result.json"
    path.write_bytes(path.read_bytes()[:200])
    with refused("bad-json", "result.json"):
        collect(sweep.folder)
    finish(sweep, sweep.trials[2], config="another run's")
    with refused("conflict", "result.json"):
        collect(sweep.folder)
    finish(sweep, sweep.trials[2], scores=[{"split": "test"}])
    with refused("bad-field", "result.json", "'decoder'"):
        collect(sweep.folder)
    assert (sweep.folder / "results.csv").read_bytes() == before


@pytest.mark.parametrize("file", ["results.csv", "results.jsonl"])
def test_the_fits_reader_takes_the_table_as_it_is(tmp_path, file):
    sweep = planned(tmp_path)
    for size, trial in enumerate(sweep.trials, start=1):
        finish(sweep, trial, params=1000 * size)
    collect(sweep.folder)
    table = read_table(sweep.folder / file, {}, {})
    assert list(table.sizes) == [1000, 2000, 3000]
    assert list(table.y) == [12.5, 12.5, 12.5]
    assert len(read_user_points(sweep.folder / file, {}, {})[0]) == 6


PENALISED = "confidence-penalty(weight=0.05)"


@pytest.fixture
def two_losses(tmp_path):
    """A sweep of three sizes with each of two losses, in which CTC's results are files of version 1."""
    sizes = [config_of(name) for name in ("ladder-16", "ladder-32", "ladder-48")]
    other = [replace(config, loss=ConfidencePenalty(weight=0.05)) for config in sizes]
    sweep = planned(tmp_path, *sizes, *other)
    for number, trial in enumerate(sweep.trials):
        body = {**result_body(trial), "params": 1000 * (1 + number % 3)}
        path = finish(sweep, trial, **body)
        if number < 3:
            del body["loss"]
            write_json(path, "semgjax/result", 1, body)
    return sweep


def test_the_table_names_the_loss_of_each_run_also_of_results_of_version_1(two_losses):
    rows = collect(two_losses.folder).rows
    assert [row["loss"] for row in rows if row["averaging"] == "macro"] == ["ctc"] * 3 + [PENALISED] * 3


def test_the_golden_sweep_is_collected(tmp_path):
    rows = collect(Path(shutil.copytree(GOLDEN / "run-1" / "sweep", tmp_path / "sweep"))).rows
    assert {(row["kind"], row["loss"], row["preset"]) for row in rows} == {("supervised", "ctc", "ladder-16")}


@pytest.mark.parametrize("file", ["", "results.jsonl"])
def test_a_law_over_two_losses_is_refused_and_one_of_them_can_be_chosen(two_losses, file):
    collect(two_losses.folder)
    place = two_losses.folder / file
    with refused("several-curves", "loss", "ctc", PENALISED):
        semgjax.fit(place, law="power")
    for loss in ("ctc", PENALISED):
        assert list(read_table(place, {}, {"loss": loss}).sizes) == [1000, 2000, 3000]


@pytest.mark.parametrize("version", [0, 5])
def test_a_result_of_another_version_is_refused(tmp_path, version):
    sweep = planned(tmp_path)
    write_json(finish(sweep, sweep.trials[0]), "semgjax/result", version, result_body(sweep.trials[0]))
    with refused("wrong-version", "result.json", version):
        collect(sweep.folder)


def test_a_student_tells_its_teacher_and_the_teachers_size(tmp_path):
    sweep = planned(tmp_path, config_of("ladder-48"), *students_of("ladder-48", "ladder-16"))
    finish(sweep, sweep.trials[0], params=5000)
    finish(sweep, sweep.trials[1])
    found = {row["run"]: (row["kind"], row["teacher"], row["teacher_params"]) for row in collect(sweep.folder).rows}
    assert found == {
        "000-ladder-48-s0": ("supervised", "", None),
        "001-ladder-16-s0": ("distilled", "000-ladder-48-s0", 5000),
    }


def test_the_schema_beside_the_table_names_every_column_with_its_type_and_meaning(tmp_path):
    sweep = planned(tmp_path)
    finish(sweep, sweep.trials[0])
    row = collect(sweep.folder).rows[0]
    columns = json.loads((sweep.folder / "results.schema.json").read_text())["columns"]
    assert [column["name"] for column in columns] == list(columns_of(sweep))
    kinds = {"text": str, "integer": int, "number": (int, float)}
    for column in columns:
        assert column["meaning"]
        assert row[column["name"]] is None or isinstance(row[column["name"]], kinds[column["type"]])


FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "'",
    "'=1",
    "'q",
    "''",
    "-x",
    "-",
    "--1.5",
    "+1e",
    "-\u0661",
]


@pytest.mark.parametrize("user", FORMULAS)
def test_a_text_that_a_spreadsheet_would_compute_has_an_apostrophe_before_it(tmp_path, user):
    sweep = planned(tmp_path, config_of("ladder-16"))
    finish(sweep, sweep.trials[0])
    path = sweep.run_folder(sweep.trials[0]) / "result.json"
    body = json.loads(path.read_text())
    for score in body["users_scores"]:
        score["user"] = user
    path.write_text(json.dumps(body))
    collect(sweep.folder)
    with open(sweep.folder / CSV, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["averaging"] == "user"]
    assert rows and all(row["user"] == f"'{user}" for row in rows)
    lines = [json.loads(line) for line in (sweep.folder / JSONL).read_text().splitlines()]
    assert all(line["user"] == user for line in lines if line["averaging"] == "user")
    read = [cells["user"] for _, cells in rows_of(sweep.folder) if cells["averaging"] == "user"]
    assert read == [user] * len(rows)


@pytest.mark.parametrize(
    ("value", "cell"),
    [(-1.5, "-1.5"), (0, "0"), (None, ""), ("-1.5", "-1.5"), ("+3", "+3"), ("-1e-7", "-1e-7"), ("u-1", "u-1"),
     ("a=b", "a=b"), ("u'", "u'"), ("", ""), ("a,b", '"a,b"'), ('a"b', '"a""b"'), ("a\rb", '"a\rb"')],
)  # fmt: skip
def test_numbers_and_harmless_text_stay_as_they_are(value, cell):
    assert _cell(value) == cell
