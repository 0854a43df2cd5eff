"""Random changes of training windows: their ranges, and the turned electrodes."""

import numpy as np
import pytest

from semgjax.data.augment import NONE, AugmentConfig, Draw, draw, roll_bands
from semgjax.errors import InputError

CONFIG = AugmentConfig(roll=2, lag=3, jitter=True)


def draws(config: AugmentConfig, room: int, count: int = 400) -> list[Draw]:
    rng = np.random.default_rng(0)
    return [draw(config, room, rng) for _ in range(count)]


def test_a_draw_takes_every_value_of_its_range_and_no_other():
    found = draws(CONFIG, 5)
    assert {d.shift for d in found} == set(range(5))
    assert {d.lag for d in found} == set(range(-3, 4))
    assert {d.rolls for d in found} == {(a, b) for a in range(-2, 3) for b in range(-2, 3)}


@pytest.mark.parametrize("room", [0, 1])
def test_without_room_the_core_stays(room):
    assert {d.shift for d in draws(CONFIG, room)} == {0}


def test_without_jitter_the_core_stays_and_without_anything_nothing_changes():
    assert {d.shift for d in draws(AugmentConfig(jitter=False), 50)} == {0}
    assert set(draws(NONE, 50)) == {Draw(0, 0, (0, 0))}


def test_a_draw_is_a_function_of_its_generator():
    assert draws(CONFIG, 90, 20) == draws(CONFIG, 90, 20)


@pytest.mark.parametrize("rolls", [(0, 0), (1, 0), (0, -1), (2, -15), (16, -16)])
def test_each_band_is_turned_on_its_own_ring(rolls):
    emg = np.arange(3 * 32, dtype=np.float32).reshape(3, 32)
    turned = roll_bands(emg, rolls)
    for electrode in range(16):
        np.testing.assert_array_equal(turned[:, (electrode + rolls[0]) % 16], emg[:, electrode])
        np.testing.assert_array_equal(turned[:, 16 + (electrode + rolls[1]) % 16], emg[:, 16 + electrode])
    assert turned.dtype == np.float32


@pytest.mark.parametrize("options", [{"roll": -1}, {"lag": -5}])
def test_negative_ranges_are_input_errors(options):
    with pytest.raises(InputError, match="must not be negative"):
        AugmentConfig(**options)
