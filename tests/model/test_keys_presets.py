"""The ladder of keys presets: sizes, frames and recipe."""

import pytest

from semgjax.data.band import TYPING, Band
from semgjax.model import encoder
from semgjax.model.for_band import fit_to_band
from semgjax.model.presets import keys, ladder, preset
from semgjax.training.run_config import recipe
from tests.model.small import abstract_params
from tests.refused import refused


def parameters(width: int) -> int:
    return encoder.count_parameters(abstract_params(keys(width)))


def test_the_sizes_begin_below_three_thousand_parameters_and_rise():
    sizes = [parameters(width) for width in (6, 8, 12, 16, 24, 32, 40, 64, 96)]
    assert sizes == sorted(sizes)
    assert sizes[0] < 3_000 and sizes[1] < 5_000 and sizes[-1] > 100 * sizes[0]


def test_a_frame_is_that_of_the_ladder_and_the_decoder_is_causal():
    config = preset("keys-16")
    assert config == keys(16)
    assert (config.stride, config.frontend, config.look_ahead) == (ladder(16).stride, "power", 0)
    assert fit_to_band(config, TYPING) == config
    one = fit_to_band(config, Band((8,), 1000.0, None))
    assert (one.rings, one.stride) == ((8,), 20)


@pytest.mark.parametrize("width", [0, 4, 7, 20, 30, 100_000])
def test_a_width_off_the_ladder_is_an_input_error(width):
    with refused("bad-value", f"keys-{width}"):
        preset(f"keys-{width}")


def test_the_learning_rate_falls_with_the_root_of_the_width():
    assert recipe("keys-40").optimizer.learning_rate == 8e-3
    assert recipe("keys-160").optimizer.learning_rate == pytest.approx(4e-3)
    assert recipe("keys-8").window == recipe("ladder-16").window
    assert recipe("keys-8").augment == recipe("ladder-16").augment
