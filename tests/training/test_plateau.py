"""The blank plateau: found in the lines of a run, the same however the run was stopped, and no accident of one line."""

import pytest

from semgjax.training.plateau import ENOUGH, Plateau, change_words, end_words, plateau_after


def lines(*emitted, expected=ENOUGH, every=10) -> list[dict]:
    return [{"step": every * n, "emitted": e, "expected": expected} for n, e in enumerate(emitted, start=1)]


@pytest.mark.parametrize(
    ("emitted", "left_at", "seen"),
    [
        ((), None, False),
        ((0.0, 0.05, 0.09), None, True),
        ((0.0, 0.0, 0.1, 0.8), 30, True),
        ((0.9, 1.0), 10, False),  # a run that starts from trained parameters has left nothing
        ((7.0, 3.0, 0.0, 0.0, 0.5, 1.0), 50, True),  # random parameters emit at random, which is no decoding
        ((7.0, 2.5), None, False),
        ((0.0, 0.5, 0.0, 0.0, 0.6), 50, True),  # fell back: the last stretch counts
        ((0.0, 0.5, 0.0), None, True),
        ((0.0, 0.5, 2.5, 0.9), 20, True),
    ],
)
def test_a_run_has_left_it_since_the_first_line_of_its_last_stretch_with_symbols(emitted, left_at, seen):
    found = plateau_after(lines(*emitted))
    assert (found.left_at, found.seen) == (left_at, seen)


def test_lines_of_few_labels_count_together_and_one_of_them_changes_nothing():
    few = ENOUGH // 4
    stuck, out = [0.0] * 8, [1.0] * 4
    assert plateau_after(lines(*stuck, 1.0, *stuck, expected=few)).left_at is None
    assert plateau_after(lines(*stuck, *out, expected=few)).left_at == 90
    assert plateau_after(lines(*stuck, *out, 0.0, 1.0, expected=few)).left_at == 90
    assert plateau_after(lines(*stuck, *out, *stuck[:4], expected=few)).left_at is None


def test_lines_without_labels_validations_and_lines_of_older_runs_change_nothing():
    some = lines(0.0, 0.5, 0.9)
    nothing = [
        {"step": 11, "emitted": None, "expected": 0},
        {"step": 12, "split": "val", "cer": 3.0},
        {"step": 13, "loss": 1.0},
    ]
    assert plateau_after([some[0], *nothing, *some[1:], *nothing]) == plateau_after(some)
    assert plateau_after(nothing) == Plateau()


@pytest.mark.parametrize("stop", range(7))
def test_a_resumed_run_finds_the_same(stop):
    every = lines(5.0, 0.0, 0.0, 0.4, 0.7, 1.0, expected=60)
    found = plateau_after(every[:stop])
    for line in every[stop:]:
        found = found.after(line)
    assert found == plateau_after(every) and found.left_at == 40


def test_a_change_is_reported_once_and_the_end_warns_only_of_a_run_that_is_stuck():
    found, told = Plateau(), []
    for line in lines(0.0, 0.0, 0.5, 0.9, 0.0, 0.8):
        before, found = found, found.after(line)
        told.append(change_words(before, found) is not None)
    assert told == [False, False, True, False, True, True]
    assert change_words(Plateau(), plateau_after(lines(0.9))) is None
    stuck = [end_words(plateau_after(lines(*emitted))) is not None for emitted in ((0.0,), (5.0,), (0.0, 0.5), ())]
    assert stuck == [True, True, False, False]
