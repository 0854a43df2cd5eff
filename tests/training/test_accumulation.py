"""Parts of a batch: what a CPU's cache holds, what a user asks for elsewhere."""

from dataclasses import replace

import pytest

from semgjax.model.presets import preset
from semgjax.parallel.mesh import abstract_mesh
from semgjax.training.accumulation import parts_of
from semgjax.training.run_config import RunConfig, TrainConfig, recipe


def config(name: str, batch: int = 16, accumulate: int = 1) -> RunConfig:
    base = recipe(name)
    return RunConfig(name, preset(name), "d", base.window, train=TrainConfig(batch=batch, accumulate=accumulate))


@pytest.mark.parametrize(
    ("name", "batch", "accumulate", "devices", "parts"),
    [
        ("tiny", 16, 1, 1, 8),  # two rows of 500 frames
        ("tiny", 16, 1, 2, 4),
        ("tiny", 16, 4, 2, 4),
        ("tiny", 2, 1, 2, 1),
        ("tiny", 18, 1, 2, 9),  # of nine rows a device has, one at a time: three would be too many
    ],
)
def test_a_cpus_part_holds_about_a_thousand_frames(name, batch, accumulate, devices, parts):
    run = config(name, batch, accumulate)
    assert parts_of(run, abstract_mesh(devices, batch, 1, accumulate, "cpu")) == parts


def test_a_window_of_more_frames_is_a_part_of_its_own():
    run = config("tiny", batch=4)
    run = replace(run, window=replace(run.window, length=40_000, stride=40_000))
    assert parts_of(run, abstract_mesh(2, 4, platform="cpu")) == 2


def test_packed_runs_of_a_device_count_together():
    mesh = abstract_mesh(1, 16, platform="cpu")
    assert (parts_of(config("tiny"), mesh, 1), parts_of(config("tiny"), mesh, 2)) == (8, 16)


@pytest.mark.parametrize("platform", ["gpu", "tpu"])
def test_elsewhere_it_is_what_the_run_asks_for(platform):
    assert parts_of(config("tiny", 64, 2), abstract_mesh(4, 64, 1, 2, platform)) == 2
