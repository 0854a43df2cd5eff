"""The teacher's part of a run: what its options refuse, and that new ones changed no earlier run's identity."""

import dataclasses
import math

import pytest

from semgjax.config_json import from_json, identity, to_json
from semgjax.training.distill_config import DistillConfig, DistillOptions
from tests.refused import refused


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"temperature": 0.0}, "temperature 0.0"),
        ({"temperature": -1}, "temperature -1"),
        ({"temperature": math.nan}, "temperature nan"),
        ({"weight": 0.0}, "weight 0.0"),
        ({"weight": 1.5}, "weight 1.5"),
        ({"key_boost": -1.0}, "key_boost -1.0"),
        ({"divergence": "backward"}, "divergence 'backward'"),
        ({"frames": "some"}, "frames 'some'"),
        ({"threshold": 0.0}, "threshold 0.0"),
        ({"around": -1}, "around -1"),
        ({"delay": -1}, "delay -1"),
        ({"delay": 10_001}, "delay 10001"),
        ({"guide": -0.1}, "guide -0.1"),
        ({"guide": math.inf}, "guide inf"),
        ({"hard": 1.1}, "hard 1.1"),
        ({"intermediate": (0,)}, "intermediate (0,)"),
        ({"intermediate": (2, 2)}, "intermediate (2, 2)"),
        ({"intermediate_weight": 0.0}, "intermediate_weight 0.0"),
        ({"features": -1.0}, "features -1.0"),
        ({"schedule": "step"}, "schedule 'step'"),
        ({"final_weight": 1.5}, "final_weight 1.5"),
        ({"unlabelled": 1.0}, "unlabelled 1.0"),
        ({"threshold": 0.5}, "threshold 0.5"),
        ({"threshold": 0.5, "frames": "spikes"}, "threshold 0.5"),
        ({"around": 2, "frames": "blank"}, "around 2"),
        ({"intermediate_weight": 0.5}, "intermediate_weight 0.5"),
        ({"final_weight": 0.5}, "final_weight 0.5"),
    ],
)
def test_an_option_that_cannot_work_is_refused_by_its_name_and_value(options, named):
    for make in (DistillOptions, lambda **members: DistillConfig("t", **members)):
        with refused("bad-value", f"distill.{named}"):
            make(**options)


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"teacher": ""}, "teacher ''"),
        ({"teacher": "t", "feature_width": -1}, "feature_width -1"),
    ],
)
def test_a_teacher_that_cannot_be_is_refused(members, named):
    with refused("bad-value", f"distill.{named}"):
        DistillConfig(**members)


def test_the_limits_themselves_are_allowed():
    DistillOptions(frames="blank", threshold=1.0)
    DistillOptions(
        weight=1.0, frames="spikes", around=0, hard=1.0, intermediate=(1, 3), intermediate_weight=1.0, final_weight=1.0,
        schedule="linear", unlabelled=0.99,
    )  # fmt: skip
    DistillOptions(hard=0.0, unlabelled=0.0)


def test_options_and_a_teacher_make_the_part_of_a_run():
    options = DistillOptions(temperature=2.0, divergence="js", intermediate=(1,))
    made = options.config("t", feature_width=16)
    assert made == DistillConfig("t", temperature=2.0, divergence="js", intermediate=(1,), feature_width=16)
    assert [f.name for f in dataclasses.fields(made)][:4] == ["teacher", "temperature", "weight", "key_boost"]
    assert made.needs_hidden and not DistillOptions(guide=1.0).needs_hidden


def test_options_that_were_added_later_change_no_earlier_identity():
    # The four members of version 1; the hash was recorded before any was added.
    body = {"teacher": "t", "temperature": 2.0, "weight": 0.5, "key_boost": 20.0}
    read = from_json(DistillConfig, body, "config.json")
    assert read == DistillConfig("t", 2.0, 0.5, 20.0)
    assert identity(read) == "35c9f5f86625db78e757e4d95fb0d3da1b58625172594aa8e1cfb3265c843b05"
    assert identity(dataclasses.replace(read, delay=2)) != identity(read)


def test_every_option_reads_back_from_json():
    config = DistillConfig("t", frames="spikes", intermediate=(1, 2), feature_width=3)
    assert from_json(DistillConfig, to_json(config), "config.json") == config
