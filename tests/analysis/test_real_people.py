"""The study of real people in small: plan, training, calibration, tables; refusals before anything is trained."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analysis.people_calibration import run_calibration
from analysis.people_plan import Calibration, Design, Piece, draw_people, result_file
from analysis.people_tables import CALIBRATION, MODELS, PERSONS, read_results, read_rows, write_tables
from analysis.people_training import (
    People,
    Setting,
    align_bands,
    prepare,
    run_piece,
    training_sessions,
    turn_session,
)
from analysis.real_people import Options, check_rows, claim, study
from semgjax.data.band import Band
from tests.analysis.spliced_people import CHANNELS, CLASSES, RATE, REPEATS, spliced
from tests.refused import refused

DESIGN = Design(
    people=(1, 2), widths=(16, 24), middle=24, repetitions=(0.5,), sessions=2, calibration=(1,), folds=2, seeds=1
)
SETTING = Setting(steps=2, batch=4, test_orders=1, fine_steps=2, alone_steps=2, personal_batch=4)


def person(number: int) -> dict:
    """Orders of two recorded sessions, the second with the band turned for every other person."""
    return {
        f"p{number:02d}-{recorded}": tuple(
            spliced(number, recorded, order, recorded * (number % 2)) for order in range(2)
        )
        for recorded in range(2)
    }


@pytest.fixture(scope="module")
def people():
    return People({f"p{number:02d}": person(number) for number in range(5)}, Band((CHANNELS,), RATE, CLASSES))


def test_hours_are_those_of_the_recordings_and_fall_with_sessions_and_repetitions(people):
    draw = draw_people(people.names, 0, 2, 0, 2)
    found = {}
    for sessions, share in ((2, 1.0), (1, 1.0), (2, 0.5)):
        piece = Piece(0, 0, 2, 24, sessions, share)
        chosen, found[sessions, share] = training_sessions(people, piece, draw, DESIGN)
        assert {s.user for s in chosen} == set(draw.order)
        assert len(chosen) == 2 * 2 * sessions
        assert {len(s.labels) for s in chosen} == {len(CLASSES) * REPEATS * share}
    assert found[2, 1.0] == pytest.approx(4 * 20_000 / RATE / 3600)
    assert found[1, 1.0] == found[2, 0.5] == pytest.approx(0.5 * found[2, 1.0])


def test_a_person_with_fewer_sessions_than_asked_is_refused(people):
    draw = draw_people(people.names, 0, 2, 0, 2)
    with refused("bad-value", "--sessions 3", draw.order[0]):
        training_sessions(people, Piece(0, 0, 1, 24, 3), draw, replace(DESIGN, sessions=3))


def test_test_people_are_turned_as_the_training_people_lie_without_their_labels(people):
    found = prepare(people, Piece(0, 0, 2, 24, 2), DESIGN, SETTING)
    worn = {f"p{n:02d}-{recorded}": recorded * (n % 2) for n in range(5) for recorded in range(2)}
    places = {
        name: turn + worn[name] for turns in (found.bands.train, found.bands.test) for name, turn in turns.items()
    }
    assert len(places) == 2 * (2 + len(found.draw.test)) and len(set(places.values())) == 1
    for session in found.train:
        assert session.array.shape == (session.samples, CHANNELS)
    blind = {o: [replace(s, labels=s.labels[::-1]) for s in orders] for o, orders in found.test.items()}
    train, _ = training_sessions(people, Piece(0, 0, 2, 24, 2), found.draw, DESIGN)
    assert align_bands(train, blind, len(CLASSES)).test == found.bands.test


def test_a_turned_session_is_the_same_signal_on_other_electrodes():
    session = spliced(0, 0, 0)
    assert turn_session(session, 0) is session
    moved = turn_session(session, 2)
    assert np.array_equal(moved.array[:, 2:], session.array[:, :-2]) and moved.labels is session.labels


def test_the_plan_names_every_kind_and_trains_nothing(tmp_path):
    text = study(Options(out=tmp_path / "out", plan=True))
    kinds = [line.split("|")[1].strip() for line in text.splitlines()[2:] if line]
    assert kinds == ["people", "not aligned", "size", "student", "hours", "calibration", "all"]
    assert not (tmp_path / "out").exists()


def test_other_people_or_settings_in_one_folder_are_refused(people, tmp_path):
    options = Options(out=tmp_path, design=DESIGN, setting=SETTING)
    claim(people, options)
    claim(people, options)
    with refused("conflict", "setting"):
        claim(people, replace(options, setting=replace(SETTING, steps=3)))
    with refused("conflict", "people"):
        claim(People({"p00": person(0)}, people.band), options)


def test_a_table_of_other_people_or_steps_is_refused(people, tmp_path):
    options = Options(out=tmp_path, design=DESIGN, setting=SETTING)
    model, mine = {"steps": str(SETTING.steps)}, {"person": people.names[0]}
    check_rows({MODELS: [model], PERSONS: [mine]}, people, options)
    with refused("conflict", tmp_path / MODELS):
        check_rows({MODELS: [model], PERSONS: [mine, {"person": "nobody"}]}, people, options)
    with refused("conflict", tmp_path / MODELS):
        check_rows({MODELS: [model, {"steps": "7"}], PERSONS: [mine]}, people, options)


def test_missing_data_are_refused(tmp_path):
    with refused("not-finished", tmp_path):
        study(Options(out=tmp_path))
    with refused("no-file", tmp_path / "none"):
        study(Options(out=tmp_path, data=tmp_path / "none"))


@pytest.mark.slow
def test_pieces_are_trained_tested_and_tabled(people, tmp_path):
    centre = Piece(0, 0, 2, 24, 2)
    with refused("no-file"):
        run_calibration(people, Calibration(0, 0), DESIGN, SETTING, tmp_path)
    with refused("no-file"):
        run_piece(people, replace(centre, width=16, teacher=24), DESIGN, SETTING, tmp_path)
    body = run_piece(people, centre, DESIGN, SETTING, tmp_path)
    assert json.loads(result_file(tmp_path, centre).read_text())["results"] == body["results"]
    run_calibration(people, Calibration(0, 0), DESIGN, SETTING, tmp_path)
    assert write_tables(tmp_path / "pieces", tmp_path) == 2
    results = read_results(tmp_path)
    kinds = {(row["method"], row["turn"]) for row in results.models}
    assert kinds == {
        *(("network", turn) for turn in ("worn", "decoder", "discriminant")),
        *(("discriminant", turn) for turn in ("worn", "discriminant")),
    }
    test = draw_people(people.names, 0, 2, 0, 2).test
    assert all(set(persons) == set(test) for persons in results.persons.values())
    rows = read_rows(tmp_path / CALIBRATION)
    assert len(rows) == 3 * len(test) and {row["start"] for row in rows} == {"2 people", "nothing"}
