"""A run's identity: what is part of it, what is refused, and the recipes that go with the sizes."""

import dataclasses
import math

import pytest

from semgjax.data.batching.augment import AugmentConfig
from semgjax.data.batching.windows import WindowSpec
from semgjax.model.presets import preset
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import OptimizerConfig, RunConfig, TrainConfig, recipe
from tests.refused import refused

CONFIG = RunConfig("ladder-16", preset("ladder-16"), data="d")


def changed(**members) -> RunConfig:
    return dataclasses.replace(CONFIG, **members)


@pytest.mark.parametrize(
    "other",
    [
        {"preset": "mine"},
        {"model": preset("ladder-32")},
        {"data": "e"},
        {"window": WindowSpec(length=4000)},
        {"augment": AugmentConfig(roll=0)},
        {"optimizer": OptimizerConfig(decay=0.1)},
        {"train": TrainConfig(seed=1)},
        {"distill": DistillConfig("t")},
    ],
)
def test_every_member_is_part_of_the_identity(other):
    assert changed(**other).hash != CONFIG.hash
    assert len(CONFIG.hash) == 64


def test_equal_configurations_have_one_identity():
    assert RunConfig("ladder-16", preset("ladder-16"), data="d").hash == CONFIG.hash


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"window": WindowSpec(length=8001)}, "window.length 8001"),
        ({"window": WindowSpec(left=1801)}, "window.left 1801"),
        ({"window": WindowSpec(right=240 - 1)}, "window.right 239"),
        ({"window": WindowSpec(right=160)}, "emission_delay 200"),
        ({"model": dataclasses.replace(CONFIG.model, classes=50)}, "model.classes 50"),
        ({"model": dataclasses.replace(CONFIG.model, channels=16)}, "model.channels 16"),
        ({"train": TrainConfig(seed=-1)}, "train.seed -1"),
        ({"train": TrainConfig(seed=2**32)}, "train.seed 4294967296"),
        ({"train": TrainConfig(max_infeasible=1.5)}, "train.max_infeasible 1.5"),
        ({"optimizer": OptimizerConfig(learning_rate=0.0)}, "optimizer.learning_rate 0.0"),
        ({"optimizer": OptimizerConfig(learning_rate=math.inf)}, "optimizer.learning_rate inf"),
        ({"optimizer": OptimizerConfig(decay=math.nan)}, "optimizer.decay nan"),
        ({"optimizer": OptimizerConfig(decay=-0.1)}, "optimizer.decay -0.1"),
        ({"optimizer": OptimizerConfig(warmup=1.0)}, "optimizer.warmup 1.0"),
        ({"optimizer": OptimizerConfig(beta1=1.0)}, "optimizer.beta1 1.0"),
        ({"optimizer": OptimizerConfig(beta2=-0.5)}, "optimizer.beta2 -0.5"),
        ({"optimizer": OptimizerConfig(clip=0.0)}, "optimizer.clip 0.0"),
        ({"optimizer": OptimizerConfig(average=1.0)}, "optimizer.average 1.0"),
        ({"optimizer": OptimizerConfig(cooldown=0.0)}, "optimizer.cooldown 0.0"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_by_its_name_and_value(members, named):
    with refused("bad-value", named):
        changed(**members)


def test_the_limits_themselves_are_allowed():
    changed(
        window=WindowSpec(right=200),
        train=TrainConfig(steps=1, batch=1, seed=2**32 - 1, max_infeasible=1.0),
        optimizer=OptimizerConfig(decay=0.0, warmup=0.0, beta1=0.0),
        distill=DistillConfig("t", weight=1.0),
    )


def test_the_papers_sizes_go_with_its_recipe_and_the_ladder_with_one_for_a_laptop():
    # Section 4 and table 4 of the paper: windows of 4 s, batch 640, AdamW at 1e-3.
    paper = recipe("large")
    assert paper == recipe("tiny") and paper.window.length == 8000
    assert paper.train.batch == 640 and paper.optimizer.learning_rate == 1e-3
    ladder = recipe("ladder-64")
    assert ladder == recipe("ladder-16") != paper
    assert ladder.train.steps * ladder.train.batch < paper.train.steps * paper.train.batch / 1000


def test_every_recipe_fits_its_sizes():
    for name in ("tiny", "small", "large", "ladder-16", "ladder-256"):
        base = recipe(name)
        RunConfig(name, preset(name), "d", base.window, base.augment, base.optimizer, base.train)


def test_an_unknown_size_has_no_recipe():
    with refused("unknown-name", "'gigantic'"):
        recipe("gigantic")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("steps", (0, -1, 2**31)),
        ("batch", (0, -4, 10**12)),
        ("accumulate", (0, -1, 3, 10**6)),
        ("evaluate_every", (0,)),
        ("checkpoint_every", (0,)),
        ("log_every", (0, 10**23)),
    ],
)
def test_counts_out_of_their_range_are_refused(name, values):
    for value in values:
        with refused("bad-value", f"train.{name} {value}"):
            TrainConfig(**{name: value})
