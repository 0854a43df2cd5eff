"""The study of adaptation: every method beside its controls, the rule by which it passes, and calibrated means."""

import numpy as np
import pytest

from analysis.adaptation import COLUMNS
from analysis.adaptation_plan import CONTROLS, METHODS, REAL_CONTROLS, Design, real_pieces, simulated_pieces
from analysis.adaptation_real import moved_means
from analysis.adaptation_verdicts import answers, compared, differences_figure, passes
from analysis.discriminant import Discriminant, Frames


def rows_of(method: str, wrong: list[int], study: str = "simulated") -> list[dict[str, str]]:
    return [
        dict.fromkeys(COLUMNS, "")
        | {"study": study, "group": "0", "person": f"user{n}", "method": method, "keys": "100", "wrong": str(one)}
        | {"same_keys": "100", "same_wrong": str(one)}
        for n, one in enumerate(wrong)
    ]


BASE = [30, 35, 40, 45, 50, 55, 60, 65]


def table(gain: list[int], *controls: tuple[str, int]) -> list[dict[str, str]]:
    rows = rows_of("entropy", [one - less for one, less in zip(BASE, gain, strict=True)])
    for control, less in controls:
        rows += rows_of(control, [one - less for one in BASE])
    return rows


def verdict(rows: list[dict[str, str]]) -> bool:
    return passes([compared(rows, "simulated", "entropy", control, "other") for control in CONTROLS])


def test_every_method_has_its_controls_for_the_same_person():
    names = {piece.name for piece in simulated_pieces(Design(), {seed: ("user000",) for seed in (0, 1, 2)})}
    assert {f"simulated-2-user000-{name}" for name in (*CONTROLS, *METHODS)} <= names and len(names) == 24
    real = real_pieces({1: ("a", "b")})
    methods = {piece.method for piece in real if piece.person == "a"}
    assert {*REAL_CONTROLS, *(name for names in REAL_CONTROLS.values() for name in names)} == methods
    assert len({piece.name for piece in real}) == len(real) == 2 * len(methods)


def test_a_method_passes_only_below_every_control_and_with_enough_people():
    gain = [3, 4, 5, 4, 3, 4, 5, 4]
    assert verdict(table(gain, ("nothing", 0), ("random", 1), ("shuffled", 2)))
    assert not verdict(table(gain, ("nothing", 0), ("random", 5), ("shuffled", 2)))
    assert not verdict(table(gain, ("nothing", 0), ("random", 1)))
    assert not verdict(table([9, -9, 9, -9, 9, -8, 9, -8], ("nothing", 0), ("random", 0), ("shuffled", 0)))
    few = [row for row in table(gain, ("nothing", 0), ("random", 1), ("shuffled", 2)) if row["person"] != "user7"]
    assert not verdict(few)


def test_the_verdicts_name_the_methods_that_do_not_pass_too():
    rows = table([0] * 8, ("nothing", 0), ("random", 0), ("shuffled", 0))
    lines = [line for line in answers(rows).splitlines() if "| entropy |" in line]
    assert len(lines) == 2
    assert len(differences_figure(rows).axes) == 1


def test_a_calibrated_mean_lies_between_the_old_one_and_the_persons():
    model = Discriminant(np.zeros((3, 4)), np.eye(4), np.zeros(3))
    own = Frames(np.full((10, 2, 2), 6.0), np.array([0] * 5 + [2] * 5), np.zeros(0, np.int32), "a")
    means = moved_means(model, own, prior=10.0).means
    assert means[0] == pytest.approx(2.0) and means[2] == pytest.approx(2.0)
    np.testing.assert_array_equal(means[1], model.means[1])
