"""Configurations as JSON and back, strictly."""

import dataclasses
import json

import pytest

from semgjax.config_json import from_json, to_json
from semgjax.data.augment import AugmentConfig
from semgjax.data.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.model.config import TDSConfig, network_from_json, preset
from semgjax.training.config import DistillConfig, RunConfig, recipe


def run_config(name: str) -> RunConfig:
    base = recipe(name)
    return RunConfig(name, preset(name), "0" * 64, base.window, base.augment, base.optimizer, base.train)


SUPERVISED = run_config("ladder-32")
DISTILLED = dataclasses.replace(SUPERVISED, distill=DistillConfig("1" * 64, temperature=2.0, weight=0.5))


BASELINE = run_config("tds")


@pytest.mark.parametrize(
    "config", [SUPERVISED, DISTILLED, run_config("tiny"), BASELINE], ids=["ladder", "distilled", "tiny", "baseline"]
)
def test_a_run_reads_back_equal_with_the_same_identity(config):
    text = json.dumps(to_json(config))
    read = from_json(RunConfig, json.loads(text), "config.json")
    assert read == config
    assert read.hash == config.hash
    assert json.dumps(to_json(read)) == text


def test_a_model_says_which_network_it_is_and_without_a_word_it_is_a_transformer():
    assert "network" not in to_json(SUPERVISED.model)
    assert to_json(BASELINE.model)["network"] == "tds"
    # As written when there was one network: the hash of a run must never move.
    assert SUPERVISED.hash == "099d6128f842aa98bf4138b13daa3d01e350b8fdf78aad84e8efca8147aab1a7"


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (to_json(BASELINE.model) | {"network": "rnn"}, "network 'rnn' is unknown, expected 'tds' or none"),
        (to_json(BASELINE.model) | {"dim": 8}, "TDSConfig has no member ['dim']"),
        (to_json(SUPERVISED.model) | {"network": "tds"}, "TDSConfig has no member ["),
        ({k: v for k, v in to_json(BASELINE.model).items() if k != "network"}, "ModelConfig has no member ["),
        ([], "ModelConfig has no member []"),
    ],
)
def test_a_model_of_another_network_than_it_says_is_an_input_error(model, says):
    with pytest.raises(InputError) as caught:
        network_from_json(model, "model.json")
    assert str(caught.value).startswith("model.json: ") and says in str(caught.value)


def test_a_class_of_a_network_reads_nothing_else():
    with pytest.raises(InputError, match="model.json: network is None, expected 'tds'"):
        from_json(TDSConfig, to_json(SUPERVISED.model), "model.json")


def test_whole_numbers_stand_for_floats_and_become_them():
    read = from_json(DistillConfig, {"teacher": "t", "temperature": 2, "weight": 1, "key_boost": 0}, "x")
    assert read == DistillConfig("t", 2.0, 1.0)
    assert isinstance(read.temperature, float)


def changed(path: str, value: object) -> dict:
    """The distilled run with the member at a dotted path replaced, or with `...` removed."""
    document = json.loads(json.dumps(to_json(DISTILLED)))
    *parts, name = path.split(".")
    place = document
    for part in parts:
        place = place[part]
    if value is ...:
        del place[name]
    else:
        place[name] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("colour", 1, "RunConfig has no member ['colour']"),
        ("model.colour", 1, "ModelConfig has no member ['colour']"),
        ("preset", ..., "RunConfig lacks the member 'preset'"),
        ("distill", ..., "RunConfig lacks the member 'distill'"),
        ("distill.teacher", ..., "DistillConfig lacks the member 'teacher'"),
        ("model.dim", ..., "ModelConfig lacks the member 'dim'"),
        ("preset", 3, "preset: 3 is not of type"),
        ("preset", None, "preset: None is not of type"),
        ("model", [], "model: [] is not of type"),
        ("model.dim", "128", "dim: '128' is not of type"),
        ("model.dim", 128.0, "dim: 128.0 is not of type"),
        ("model.dim", True, "dim: True is not of type"),
        ("model.causal", 1, "causal: 1 is not of type"),
        ("model.norm", "layer", "norm: 'layer' is not of type"),
        ("model.conv_widths", 64, "conv_widths: 64 is not of type"),
        ("model.conv_widths", [64, "64"], "conv_widths: '64' is not of type"),
        ("model.attention_window", "all", "attention_window: 'all' is not of type"),
        ("optimizer.learning_rate", "1e-3", "learning_rate: '1e-3' is not of type"),
        ("optimizer.learning_rate", True, "learning_rate: True is not of type"),
        ("train.compute", "float64", "compute: 'float64' is not of type"),
        ("distill", "teacher", "distill: 'teacher' is not of type"),
    ],
)
def test_what_does_not_fit_is_an_input_error_that_names_the_file_and_the_member(path, value, says):
    with pytest.raises(InputError) as caught:
        from_json(RunConfig, changed(path, value), "run/config.json")
    assert str(caught.value).startswith("run/config.json: ")
    assert says in str(caught.value)


@pytest.mark.parametrize("value", [[], "text", None, 3])
def test_no_object_is_an_input_error(value):
    with pytest.raises(InputError, match="config.json: WindowSpec"):
        from_json(WindowSpec, value, "config.json")


def test_values_that_fit_the_type_and_not_the_meaning_are_input_errors_too():
    with pytest.raises(InputError, match="lag -1"):
        from_json(AugmentConfig, to_json(AugmentConfig()) | {"lag": -1}, "config.json")


def test_none_is_kept_where_it_may_stand():
    model = to_json(preset("tiny")) | {"attention_window": None}
    assert from_json(type(preset("tiny")), model, "model.json").attention_window is None
