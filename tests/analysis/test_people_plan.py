"""Folds, nested draws and pieces of the study of real people."""

from collections import Counter

import pytest

from analysis.people_plan import (
    Calibration,
    Design,
    Piece,
    calibrations_of,
    draw_people,
    folds_of,
    needed_by,
    pieces_of,
    share_of,
)
from tests.refused import refused

PEOPLE = [f"{number:02d}" for number in range(41)]


def test_every_person_is_in_one_fold_and_the_order_of_names_does_not_matter():
    folds = folds_of(PEOPLE, 4)
    assert sorted(person for fold in folds for person in fold) == PEOPLE
    assert sorted(map(len, folds)) == [10, 10, 10, 11]
    assert folds_of(PEOPLE[::-1], 4) == folds


@pytest.mark.parametrize("folds", [1, 42, 0])
def test_a_number_of_folds_out_of_range_is_refused(folds):
    with refused("bad-value", str(folds)):
        folds_of(PEOPLE, folds)


@pytest.mark.parametrize("fold", range(4))
def test_training_and_test_people_are_apart_and_draws_are_nested(fold):
    whole, small = (draw_people(PEOPLE, fold, 4, 1, most) for most in (28, 8))
    for draw in (whole, small):
        assert not {*draw.order, *draw.left_out} & set(draw.test)
        assert sorted([*draw.order, *draw.left_out, *draw.test]) == PEOPLE
    assert whole.order[:8] == small.order


def test_seeds_share_test_people_and_draw_other_training_people():
    one, other = (draw_people(PEOPLE, 0, 4, seed, 28) for seed in (0, 1))
    assert one.test == other.test and one.order != other.order


def test_more_training_people_than_there_are_is_refused():
    with refused("bad-value", "40"):
        draw_people(PEOPLE, 0, 4, 0, 40)


def test_each_configuration_is_trained_once_per_fold_and_seed():
    design = Design()
    pieces = pieces_of(design)
    names = [piece.name for piece in pieces]
    assert len(set(names)) == len(names) == 12 * (6 + 1 + 3 + 1 + 3 + 1)
    counts = Counter((p.people, p.width, p.sessions, p.repetitions, p.teacher, p.aligned) for p in pieces)
    assert set(counts.values()) == {12}
    assert counts[28, 48, 2, 1.0, 0, True] == 12 and counts[28, 16, 2, 1.0, 96, True] == 12


def test_a_piece_comes_after_the_one_that_it_needs_and_in_the_same_part():
    design = Design()
    every = [*pieces_of(design), *calibrations_of(design, 2)]
    parts = [list(share_of(every, f"{i}/2")) for i in (1, 2)]
    assert sorted(p.name for part in parts for p in part) == sorted(p.name for p in every)
    assert abs(len(parts[0]) - len(parts[1])) < 0.1 * len(every)
    for part in parts:
        for place, piece in enumerate(part):
            needed = needed_by(piece, design)
            assert needed is None or needed in part[:place]


def test_calibration_starts_from_the_middle_size_trained_on_all_people():
    needed = needed_by(Calibration(2, 1), Design())
    assert needed == Piece(2, 1, 28, 48, 2)


@pytest.mark.parametrize("part", ["0/2", "3/2", "1", "a/2", "1/0", "-1/2", ""])
def test_what_is_no_part_is_refused(part):
    with refused("bad-value", part):
        list(share_of(pieces_of(Design()), part))


@pytest.mark.parametrize(
    "change",
    [
        {"people": (4, 2)},
        {"people": ()},
        {"people": (0, 2)},
        {"widths": (16, 16)},
        {"middle": 64},
        {"repetitions": (0.5, 1.0)},
        {"seeds": 0},
        {"sessions": 0},
    ],
)
def test_a_design_out_of_range_is_refused(change):
    with refused("bad-value", f"--{next(iter(change))}"):
        Design(**change)
