"""Means over users, paired differences and their intervals; and what of the levels a band allows."""

import json

import numpy as np
import pytest

from semgjax.data.band import TYPING, Band
from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.stress.curve import curve_json, point_of
from semgjax.evaluate.stress.kinds import KINDS, NAMES, kind_named
from semgjax.evaluate.stress.stressing import count_stressed, curves_of, kinds_named, planned
from tests.evaluate.stress.test_changes import SMALL, session_on
from tests.refused import refused


def test_a_difference_is_paired_by_user_and_users_without_keys_are_left_out():
    clean = {"a": Counts(10, 1), "b": Counts(10, 5), "empty": Counts(0, 0, 0, 3)}
    worse = {"b": Counts(10, 7), "a": Counts(10, 3), "empty": Counts(0, 0, 0, 9)}
    point = point_of(3.0, "3", worse, clean)
    assert (point.error, point.users) == (50.0, {"a": 30.0, "b": 70.0})
    # Both users lose 20 points, so nothing of the spread between them is left in the difference.
    assert (point.difference.mean, point.difference.worse, point.difference.users) == (20.0, 2, 2)
    assert point.difference.interval == pytest.approx((20.0, 20.0))
    assert point.interval[1] - point.interval[0] > 10
    with refused("no-keys"):
        point_of(3.0, "3", {"empty": Counts()}, {"empty": Counts()})


def test_default_levels_are_those_that_a_band_allows_and_the_rest_has_a_reason():
    wide = {kind.name: levels for kind, levels in planned(KINDS, TYPING, 100_000)}
    assert wide == {kind.name: list(kind.levels) for kind in KINDS}
    ring4 = Band((4,), 100.0, ("fist",))
    small = {kind.name: levels for kind, levels in planned(KINDS, ring4, 200)}
    assert small["hum-50"] == small["hum-60"] == []
    assert small["lost-electrodes"] == [1.0, 2.0]
    assert small["fewer-electrodes"] == [2.0]
    assert small["rate"] == [2.0]  # the filters of the others are longer than the session
    assert 2.0 in small["turn"]
    plan = planned(KINDS, ring4, 200)
    empty = [{"u": Counts(4, 1)}] * sum(len(levels) for _, levels in plan)
    curves = curves_of(plan, {"u": Counts(4, 1)}, empty, ring4, 200)
    for kind, curve in zip(KINDS, curves, strict=True):
        assert len(curve.points) + len(curve.left_out) == len(kind.levels)
        assert all(curve.left_out.values())


def test_counts_fall_to_their_level_and_user_in_the_order_of_the_curve():
    sessions = [session_on(SMALL, 3.0, name) for name in ("one", "two")]
    seen = []

    def count(session) -> Counts:
        """Errors that say which signal was seen: silent electrodes, or how far the band was turned."""
        seen.append(session.name)
        emg, first = session.emg[:], np.abs(session.emg[:]).sum(axis=0)
        return Counts(100, int((~emg.any(axis=0)).sum()), int(np.argmax(first)))

    kinds = kinds_named(["turn", "lost-electrodes"])
    assert [kind.name for kind in kinds] == ["lost-electrodes", "turn"]
    plan = planned(kinds, SMALL, 600)
    worse, clean = count_stressed(sessions, plan, count), {"": count(sessions[0]) + count(sessions[1])}
    assert clean == {"": Counts(200, 0, 14)}  # the last electrode is the strongest
    lost, turned = curves_of(plan, clean, worse, SMALL, 600)
    assert [(point.level, point.words) for point in lost.points] == [(1.0, "1"), (2.0, "2"), (4.0, "4")]
    assert lost.clean_place == 0 and list(lost.left_out) == ["8"]
    places = {1.0: 0, 2.0: 1, -1.0: 6, -2.0: 5}
    whole = {point.level: point.error for point in turned.points if point.level in places}
    assert whole == {level: float(place) for level, place in places.items()}
    assert turned.clean_place == 3 and [point.level for point in turned.points] == sorted(kind_named("turn").levels)
    assert seen.count("one") == seen.count("two") == 1 + 3 + 6
    written = json.loads(json.dumps(curve_json(lost), allow_nan=False))
    assert written["points"][0]["difference"]["mean"] == lost.points[0].difference.mean


def test_kinds_are_chosen_by_name_once():
    assert kinds_named([]) == KINDS and len(set(NAMES)) == len(NAMES)
    with refused("unknown-name", "hum-55"):
        kinds_named(["hum-55"])
    with refused("conflict", "noise"):
        kinds_named(["noise", "noise"])


def test_noise_stands_from_the_best_ratio_and_others_from_the_clean_signal():
    assert kind_named("noise").in_order([0.0, 30.0]) == [np.inf, 30.0, 0.0]
    assert kind_named("rate").in_order([4.0, 2.0]) == [1.0, 2.0, 4.0]
