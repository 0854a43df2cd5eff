"""How far a band is turned against the user's other sessions."""

import numpy as np
import pytest

from semgjax.data.quality.meter import measure
from semgjax.data.quality.rotation import rotations
from semgjax.data.sessions import open_session


@pytest.fixture(scope="module")
def profiles(sound):
    """Of the three sessions of one user."""
    return [measure(open_session(path)).covariance for path in sound[:3]]


def turned(profiles, session, band, places):
    changed = [[ring.copy() for ring in profile] for profile in profiles]
    changed[session][band] = np.roll(changed[session][band], (places, places), axis=(0, 1))
    return changed


@pytest.mark.parametrize("places", [-7, -2, -1, 1, 3, 8])
@pytest.mark.parametrize(("session", "band"), [(0, 0), (1, 1), (2, 0)])
def test_the_turn_of_one_band_of_one_session_is_found_and_no_other(profiles, session, band, places):
    found = rotations(turned(profiles, session, band, places))
    for index, turn in enumerate(found):
        for side in (0, 1):
            hit = (index, side) == (session, band)
            assert turn.places[side] == (places if hit else 0)
            assert turn.gain[side] > 0.1 if hit else turn.gain[side] == 0.0
            assert turn.fit[side] > 0.6


def test_sessions_that_sit_alike_are_not_turned_and_one_session_cannot_be(profiles):
    assert {turn.places for turn in rotations(profiles)} == {(0, 0)}
    assert rotations(profiles[:1])[0].places == (0, 0)


def test_of_two_sessions_the_second_counts_as_turned(profiles):
    found = rotations(turned(profiles[:2], 0, 0, 2))
    assert [turn.places[0] for turn in found] == [0, -2]
    assert found[1].gain[0] > 0.1


def test_a_band_without_any_signal_is_not_turned(profiles):
    for blank in (np.zeros((2, 16, 16)), np.ones((2, 16, 16))):
        found = rotations([blank, *profiles[1:], blank])
        assert all(np.isfinite([*turn.fit, *turn.gain]).all() for turn in found)
        assert not any(gain > 0.1 for turn in found for gain in turn.gain)


def test_noise_fits_nothing():
    rng = np.random.default_rng(0)
    profiles = [np.stack([np.cov(rng.normal(size=(16, 600))) for _ in range(2)]) for _ in range(3)]
    assert max(fit for turn in rotations(profiles) for fit in turn.fit) < 0.6
