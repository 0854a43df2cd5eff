"""Presets, the ladder, and what a configuration refuses."""

import json
from pathlib import Path

import pytest

from semgjax.model import encoder
from semgjax.model.config import ModelConfig
from semgjax.model.presets import ladder, preset
from tests.model.small import SMALL, abstract_params, small
from tests.refused import refused

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "parameters.json").read_text())
COUNTS = {name: count for name, count in GOLDEN.items() if name != "note"}


def counted_by_hand(config: ModelConfig) -> int:
    """Parameters from the description of the network, without building it."""
    d, taps, hidden = config.dim, config.position_kernel, config.feedforward * config.dim
    inputs = (config.channels, *config.conv_widths)
    convolutions = sum(k * a * b for k, a, b in zip(config.conv_kernels, inputs, inputs[1:], strict=False))
    front = convolutions + 2 * config.conv_widths[0] + 2 * config.conv_widths[-1]
    project = (config.conv_widths[-1] + 1) * d
    position = taps * (d // config.position_groups) * d + taps + d
    layer = 4 * d * (d + 1) + d * hidden + hidden + hidden * d + d + 4 * d
    return front + project + d + position + config.layers * layer + 2 * d + (d + 1) * config.classes


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_a_preset_has_exactly_its_parameters(name, count):
    assert encoder.count_parameters(abstract_params(preset(name))) == count
    assert counted_by_hand(preset(name)) == count


def test_the_papers_presets_have_the_papers_parameters():
    assert [COUNTS[name] for name in ("tiny", "small", "large")] == [2_217_827, 5_388_387, 109_412_963]


def test_the_papers_architecture_has_its_gains_its_mask_vector_and_no_bias_in_the_front_end():
    params = abstract_params(preset("tiny"))
    assert params["position"]["gain"].shape == (128,)
    assert params["position"]["direction"].shape == (128, 128 // 16, 128)
    assert params["position"]["bias"].shape == (128,)
    assert params["mask_vector"].shape == (128,)
    assert params["norm_frontend"]["scale"].shape == (64,)
    front = params["frontend"]
    assert {name: set(front[name]) for name in front} == {
        "conv0": {"kernel"}, "conv1": {"kernel"}, "conv2": {"kernel"}, "norm": {"scale", "bias"},
    }  # fmt: skip


def test_the_papers_frames_are_ten_milliseconds_and_its_decoders_are_causal():
    for name in ("tiny", "small", "large"):
        assert (preset(name).stride, preset(name).causal, preset(name).look_ahead) == (20, True, 0)


def test_the_baselines_frames_are_eight_milliseconds_and_it_must_see_the_whole_window():
    assert (preset("tds").stride, preset("tds").emission_delay, preset("tds").look_ahead) == (16, 208, None)


def test_the_ladder_grows_strictly_with_its_width():
    counts = [counted_by_hand(ladder(width)) for width in range(16, 1025, 8)]
    assert all(small < large for small, large in zip(counts, counts[1:], strict=False))


@pytest.mark.parametrize("name", ["", "Tiny", "medium", "ladder", "ladder-", "ladder-64x", "ladder--16", " tiny"])
def test_an_unknown_preset_is_an_input_error_that_names_the_known_ones(name):
    with refused("unknown-name", repr(name), "tiny, small, large, tds"):
        preset(name)


@pytest.mark.parametrize("width", [0, 8, 20, 100])
def test_a_width_off_the_ladder_is_an_input_error(width):
    with refused("bad-value", f"ladder-{width}"):
        preset(f"ladder-{width}")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"conv_widths": (4,)}, "conv_widths"),
        ({"conv_widths": (), "conv_kernels": (), "conv_strides": ()}, "conv_widths"),
        ({"conv_widths": (0, 8)}, "conv_widths"),
        ({"conv_strides": (4, 0)}, "stride 0"),
        ({"conv_strides": (6, 2)}, "stride 6"),
        ({"heads": 3}, "heads 3"),
        ({"position_groups": 3}, "position_groups 3"),
        ({"heads": 0}, "heads 0"),
        ({"position_groups": 0}, "position_groups 0"),
        ({"dim": 0}, "dim 0"),
        ({"layers": 0}, "layers 0"),
        ({"feedforward": 0}, "feedforward 0"),
        ({"position_kernel": 0}, "position_kernel 0"),
        ({"channels": 0}, "channels 0"),
        ({"classes": -1}, "classes -1"),
        ({"attention_window": 0}, "attention_window 0"),
        ({"norm_seconds": 0.0039}, "norm_seconds 0.0039"),
        ({"norm_seconds": 0.0}, "norm_seconds 0.0"),
        ({"dropout": 1.0}, "dropout"),
        ({"mask_share": -0.1}, "mask_share"),
        ({"mask_length": 0}, "mask_length"),
        ({"emission_delay": -8}, "emission_delay -8"),
        ({"emission_delay": 12}, "emission_delay 12"),
    ],
)
def test_a_shape_that_cannot_be_is_an_input_error(options, named):
    with refused("bad-value", named):
        small(**options)


def test_the_shortest_memory_is_one_frame():
    assert small(norm_seconds=SMALL.stride / 2000).norm_seconds == 0.004
