"""Tables of the study of real people: every model and person once, complete seeds only, refusals by name."""

import numpy as np
import pytest

from analysis.people_tables import (
    CALIBRATION,
    MODELS,
    PERSONS,
    earlier_rows,
    of_shared_seeds,
    read_results,
    read_rows,
    runs_in,
    write_tables,
)
from tests.analysis.people_pieces import DESIGN, PEOPLE, write_pieces
from tests.refused import refused

WORN = {
    "method": "network",
    "turn": "worn",
    "width": 48,
    "sessions": 2,
    "repetitions": 1,
    "teacher_params": "",
    "aligned": "true",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("people")
    assert write_tables(write_pieces(out), out) == 8 * (15 + 1)
    return out


def test_every_model_has_a_row_and_every_person_an_error_in_it(folder):
    models, persons = read_rows(folder / MODELS), read_rows(folder / PERSONS)
    assert len(models) == 8 * (15 * 3 + 6 * 3)
    assert len(persons) == sum(int(row["test_people"]) for row in models)
    row = next(row for row in models if row["run"] == "f0-s0-p28-w48-n2-r100" and row["turn"] == "worn")
    mine = [r for r in persons if r["run"] == row["run"] and r["turn"] == "worn" and r["method"] == row["method"]]
    assert float(row["event_error_rate"]) == pytest.approx(np.mean([float(r["event_error_rate"]) for r in mine]), 1e-4)
    assert row["spliced"] == "true" and float(row["hours"]) == pytest.approx(0.15 * 28 * 2)
    assert len(read_rows(folder / CALIBRATION)) == 2 * 41 * 9


def test_a_curve_tests_every_person_once_per_seed(folder):
    curve = read_results(folder).curve("people", WORN)
    assert curve.values == (1, 2, 4, 8, 16, 28) and curve.people == tuple(sorted(PEOPLE))
    assert curve.errors.shape == (6, 2, 41) and np.isfinite(curve.errors).all()
    assert (np.diff(curve.errors.mean(axis=(1, 2))) < 0).all()
    table = curve.table("U", curve.values, "people", "here")
    assert len(table.y) == 12 and table.users_y.shape == (12, 41)
    assert table.y == pytest.approx(curve.errors.mean(axis=2).reshape(-1))
    assert curve.of(PEOPLE[:3]).errors.shape == (6, 2, 3)


def test_compared_curves_have_the_seeds_that_both_have(folder):
    curve = read_results(folder).curve("people", WORN)
    one, other = of_shared_seeds(curve, curve.only(["1"]))
    assert one.seeds == other.seeds == ("1",) and np.array_equal(one.errors, curve.errors[:, 1:])
    assert {row["seed"] for rows in one.rows for row in rows} == {"1"}
    with refused("not-finished"):
        of_shared_seeds(curve.only(["0"]), curve.only(["1"]))


def test_a_seed_that_is_not_complete_is_left_out(tmp_path):
    pieces = write_pieces(tmp_path)
    (pieces / "f1-s1-p08-w48-n2-r100.json").unlink()
    write_tables(pieces, tmp_path)
    assert read_results(tmp_path).curve("people", WORN).seeds == ("0",)
    (pieces / "f1-s0-p08-w48-n2-r100.json").unlink()
    (tmp_path / MODELS).unlink()
    write_tables(pieces, tmp_path)
    with refused("not-finished", "people"):
        read_results(tmp_path).curve("people", WORN)


def test_rows_of_runs_whose_pieces_are_gone_stay(tmp_path):
    pieces = write_pieces(tmp_path)
    runs = write_tables(pieces, tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in (MODELS, PERSONS, CALIBRATION)}
    for path in sorted(pieces.glob("*.json"))[1:]:
        path.unlink()
    assert write_tables(pieces, tmp_path) == runs
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    finished = runs_in(earlier_rows(tmp_path))
    assert len(finished) == runs and "f1-s0-p08-w48-n2-r100" in finished


def test_what_is_not_there_or_there_twice_is_refused(folder, tmp_path):
    results = read_results(folder)
    with refused("no-row", "width"):
        results.curve("people", {**WORN, "width": 64})
    with refused("duplicate-run", "f0-s0-p01"):
        results.curve("people", {name: value for name, value in WORN.items() if name != "turn"})
    with refused("not-finished", tmp_path):
        write_tables(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("table", "old", "new", "code"),
    [
        (MODELS, "event_error_rate", "rate", "no-column"),
        (PERSONS, "person,", "who,", "no-column"),
        (MODELS, "f0-s0-p28-w48-n2-r100", "other", "no-row"),
    ],
)
def test_a_table_that_was_changed_is_refused(folder, tmp_path, table, old, new, code):
    for name in (MODELS, PERSONS, CALIBRATION):
        text = (folder / name).read_text()
        (tmp_path / name).write_text(text.replace(old, new, 1) if name == table else text)
    with refused(code):
        read_results(tmp_path)


def test_the_design_of_the_tables_is_that_of_the_study(folder):
    people = {int(float(row["people"])) for row in read_rows(folder / MODELS)}
    assert people == set(DESIGN.people)
