"""The draw of random changes: ranges, shares, and what switching one on does to the others."""

from dataclasses import replace

import numpy as np
import pytest

from semgjax.data.batching.augment import NONE, RECIPES, AugmentConfig, Draw, augment_recipe, draw
from tests.refused import refused

CONFIG = AugmentConfig(roll=2, lag=3, jitter=True)
ALL = AugmentConfig(scale=0.5, silence=0.25, noise=0.2, hum=0.3, dropout=0.1, mask=0.5)
LATER = ("scale", "silence", "noise", "hum", "dropout", "mask")


def draws(config: AugmentConfig, room: int, count: int = 400) -> list[Draw]:
    rng = np.random.default_rng(0)
    return [draw(config, room, rng) for _ in range(count)]


def one_each(config: AugmentConfig, count: int = 2000) -> list[Draw]:
    """As in training: every window has a generator of its own."""
    return [draw(config, 50, np.random.default_rng(index)) for index in range(count)]


def test_a_draw_takes_every_value_of_its_range_and_no_other():
    found = draws(CONFIG, 5)
    assert {d.shift for d in found} == set(range(5))
    assert {d.lags for d in found} == {(lag,) for lag in range(-3, 4)}
    assert {d.rolls for d in found} == {(a, b) for a in range(-2, 3) for b in range(-2, 3)}


@pytest.mark.parametrize("room", [0, 1])
def test_without_room_the_core_stays(room):
    assert {d.shift for d in draws(CONFIG, room)} == {0}


def test_without_jitter_the_core_stays_and_without_anything_nothing_changes():
    assert {d.shift for d in draws(AugmentConfig(jitter=False), 50)} == {0}
    assert set(draws(NONE, 50)) == {Draw(0, (0,), (0, 0))}


def test_a_draw_is_a_function_of_its_generator():
    assert draws(ALL, 90, 20) == draws(ALL, 90, 20)


def test_the_draws_of_the_first_three_changes_never_change():
    # Runs are repeated from (seed, step): another order of drawing would give them other windows.
    found = [draw(AugmentConfig(), 8000, np.random.default_rng(seed)) for seed in (0, 1501)]
    assert found == [Draw(6804, (33,), (0, -1)), Draw(7809, (-82,), (0, 1))]


def test_switching_the_later_changes_on_leaves_the_first_three_as_they_were():
    for plain, full in zip(one_each(AugmentConfig()), one_each(ALL), strict=True):
        assert (full.shift, full.lags, full.rolls) == (plain.shift, plain.lags, plain.rolls)


@pytest.mark.parametrize("name", LATER)
def test_another_strength_of_one_change_leaves_the_draws_of_the_others(name):
    members = {"scale": "gains", "silence": "silent", "dropout": "masked", "mask": "masked"}
    weaker = one_each(replace(ALL, **{name: getattr(ALL, name) / 2}), 200)
    for one, other in zip(one_each(ALL, 200), weaker, strict=True):
        member = members.get(name, name)
        assert replace(one, **{member: getattr(other, member)}) == other


def test_the_later_changes_keep_their_ranges_and_reach_near_their_ends():
    found = one_each(ALL)
    for values, low, high in (
        (np.log([gain for d in found for gain in d.gains]), -0.5, 0.5),
        (np.array([d.noise for d in found]), 0.0, 0.2),
        (np.array([d.hum for d in found]), 0.0, 0.3),
    ):
        assert low <= values.min() < low + 0.01 * (high - low) and high - 0.01 * (high - low) < values.max() <= high
    assert len({d.gains[0] / d.gains[1] for d in found}) == len(found)  # the bands are scaled apart
    assert np.mean([d.silent for d in found]) == pytest.approx(0.25, abs=0.03)
    assert np.mean([d.mains == 50.0 for d in found]) == pytest.approx(0.5, abs=0.04)
    assert {d.mains for d in found} == {50.0, 60.0}
    assert len({d.seed for d in found}) == len(found)


def test_dropout_hits_every_electrode_alike_and_a_mask_takes_any_number_up_to_its_share():
    dropped = [d.masked for d in one_each(replace(NONE, dropout=0.1))]
    assert np.bincount(np.concatenate(dropped).astype(int), minlength=32) / 2000 == pytest.approx(0.1, abs=0.03)
    masked = [d.masked for d in one_each(replace(NONE, mask=0.5))]
    assert {len(electrodes) for electrodes in masked} == set(range(17))
    assert np.bincount(np.concatenate(masked).astype(int), minlength=32) / 2000 == pytest.approx(0.25, abs=0.04)
    assert {len(d.masked) for d in one_each(replace(NONE, mask=1.0))} == set(range(33))


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"roll": -1}, "bad-value"),
        ({"lag": -5}, "bad-value"),
        ({"scale": -0.1}, "bad-value"),
        ({"noise": float("nan")}, "bad-value"),
        ({"hum": float("inf")}, "bad-value"),
        ({"silence": 1.5}, "bad-value"),
        ({"dropout": -0.5}, "bad-value"),
        ({"mask": 2.0}, "bad-value"),
    ],
)
def test_values_out_of_range_are_input_errors(options, code):
    with refused(code):
        AugmentConfig(**options)


def test_the_recipes_are_named_and_the_published_ones_are_the_default():
    assert set(RECIPES) == {"paper", "baseline", "robust"}
    assert augment_recipe("paper") == augment_recipe("baseline") == AugmentConfig()
    robust = augment_recipe("robust")
    assert all(getattr(robust, name) > 0 for name in LATER)
    with refused("bad-value"):
        augment_recipe("bold")
