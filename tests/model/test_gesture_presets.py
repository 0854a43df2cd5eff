"""The ladder of gesture presets: sizes, frames and recipe."""

import dataclasses

import pytest

from semgjax.data.band import TYPING, Band
from semgjax.model import encoder
from semgjax.model.config import ModelConfig
from semgjax.model.for_band import check_fits, fit_to_band
from semgjax.model.presets import gesture, preset
from semgjax.training.run_config import recipe
from tests.model.small import abstract_params
from tests.refused import refused

ARMBAND = Band((8,), 200.0, tuple("abcdefg"))


def armband(width: int) -> ModelConfig:
    """A gesture preset for one ring of eight electrodes and seven classes."""
    return fit_to_band(gesture(width), ARMBAND)


def test_the_sizes_span_a_factor_of_twenty_from_about_ten_thousand_parameters():
    sizes = {
        width: encoder.count_parameters(abstract_params(armband(width)))
        for width in (6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
    }
    assert 8_000 < sizes[16] < 12_000
    assert list(sizes.values()) == sorted(sizes.values())
    assert sizes[48] < 100_000 and sizes[96] > 20 * sizes[16]


def test_a_frame_is_a_tenth_of_a_second_and_the_decoder_is_causal():
    config = preset("gesture-48")
    assert config == gesture(48)
    assert (config.stride, config.frontend, config.look_ahead) == (200, "power", 0)


def test_on_another_band_frames_and_delay_keep_their_seconds_and_the_rings_are_the_bands():
    found = armband(48)
    assert (found.channels, found.rings, found.classes, found.rate) == (8, (8,), 8, 200.0)
    assert (found.stride, found.emission_delay) == (20, 160)
    assert recipe("gesture-48", ARMBAND).window.length == 800
    assert recipe("gesture-48", ARMBAND).augment.roll == 1
    assert fit_to_band(gesture(48), TYPING) == gesture(48)
    pair = fit_to_band(gesture(48), Band((2, 2), 500.0, ("a",)))
    assert (pair.rings, pair.power_turns, pair.stride) == ((2, 2), 0, 50)


def test_a_network_of_other_rings_than_the_sessions_is_refused():
    check_fits(armband(16), ARMBAND)
    with refused("bad-value", "rings"):
        check_fits(dataclasses.replace(armband(16), rings=(4, 4)), ARMBAND)


@pytest.mark.parametrize("width", [0, 2, 9, 20, 100])
def test_a_width_off_the_ladder_is_an_input_error(width):
    with refused("bad-value", f"gesture-{width}"):
        preset(f"gesture-{width}")


def test_the_recipe_has_windows_of_four_seconds_whose_events_can_be_emitted_inside():
    found = recipe("gesture-32")
    assert (found.window.length, found.window.left) == (8000, 10_000)
    assert found.window.right >= preset("gesture-32").emission_delay
    assert (found.augment.roll, found.augment.scale, found.augment.dropout) == (1, 0.3, 0.1)
    assert found.optimizer.learning_rate == 6e-3
