"""Configurations as JSON and back: what they refuse, and that growth keeps the files and the hashes of before."""

import dataclasses
import json
from typing import Literal, get_type_hints

import pytest

from semgjax.config_history import FIRST, OLD_DEFAULTS
from semgjax.config_json import default_in_files, from_json, identity, to_json
from semgjax.data.band import Band
from semgjax.data.batching.augment import AugmentConfig
from semgjax.data.batching.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.model.config import TDSConfig, network_from_json
from semgjax.model.presets import preset
from semgjax.training.distill_config import DistillConfig
from semgjax.training.personal_config import PersonalConfig
from semgjax.training.run_config import OptimizerConfig, RunConfig, TrainConfig, recipe
from tests.golden_files import GOLDEN, check_golden
from tests.refused import refused


def run_config(name: str) -> RunConfig:
    base = recipe(name)
    return RunConfig(name, preset(name), "0" * 64, base.window, base.augment, base.optimizer, base.train)


SUPERVISED = run_config("ladder-32")
DISTILLED = dataclasses.replace(SUPERVISED, distill=DistillConfig("1" * 64, temperature=2.0, weight=0.5))
BASELINE = run_config("tds")
PARTS = (WindowSpec, AugmentConfig, OptimizerConfig, TrainConfig, DistillConfig, PersonalConfig, Band)


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
    ("model", "code", "named"),
    [
        (to_json(BASELINE.model) | {"network": "rnn"}, "wrong-schema", "rnn"),
        (to_json(BASELINE.model) | {"dim": 8}, "bad-field", "TDSConfig"),
        (to_json(SUPERVISED.model) | {"network": "tds"}, "bad-field", "TDSConfig"),
        ({k: v for k, v in to_json(BASELINE.model).items() if k != "network"}, "bad-field", "ModelConfig"),
        ([], "bad-field", "ModelConfig"),
    ],
)
def test_a_model_of_another_network_than_it_says_is_an_input_error(model, code, named):
    with refused(code, "model.json: ", named):
        network_from_json(model, "model.json")


def test_a_class_of_a_network_reads_nothing_else():
    with refused("wrong-schema", "model.json", "'tds'"):
        from_json(TDSConfig, to_json(SUPERVISED.model), "model.json")


def test_whole_numbers_stand_for_floats_and_become_them():
    read = from_json(DistillConfig, {"teacher": "t", "temperature": 2, "weight": 1, "key_boost": 20}, "x")
    assert read == DistillConfig("t", 2.0, 1.0)
    assert isinstance(read.temperature, float)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (DistillConfig("t", temperature=2, weight=1, key_boost=20), DistillConfig("t", 2.0, 1.0, 20.0)),
        (OptimizerConfig(learning_rate=1, clip=2, decay=0), OptimizerConfig(learning_rate=1.0, clip=2.0, decay=0.0)),
        (AugmentConfig(scale=1, noise=0), AugmentConfig(scale=1.0, noise=0.0)),
    ],
)
def test_a_whole_number_given_for_a_float_makes_the_same_configuration(given, meant):
    assert identity(given) == identity(meant)
    assert identity(from_json(type(given), json.loads(json.dumps(to_json(given))), "x")) == identity(given)


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
    ("path", "value", "named"),
    [
        ("colour", 1, "'colour'"),
        ("model.colour", 1, "'colour'"),
        ("preset", ..., "'preset'"),
        ("distill.teacher", ..., "'teacher'"),
        ("model", ..., "'model'"),
        ("preset", 3, "preset: 3"),
        ("preset", None, "preset: None"),
        ("model", [], "model: []"),
        ("model.dim", "128", "dim: '128'"),
        ("model.dim", 128.0, "dim: 128.0"),
        ("model.dim", True, "dim: True"),
        ("model.causal", 1, "causal: 1"),
        ("model.norm", "layer", "norm: 'layer'"),
        ("model.conv_widths", 64, "conv_widths: 64"),
        ("model.conv_widths", [64, "64"], "conv_widths: '64'"),
        ("model.attention_window", "all", "attention_window: 'all'"),
        ("optimizer.learning_rate", "1e-3", "learning_rate: '1e-3'"),
        ("optimizer.learning_rate", True, "learning_rate: True"),
        ("train.compute", "float64", "compute: 'float64'"),
        ("distill", "teacher", "distill: 'teacher'"),
    ],
)
def test_what_does_not_fit_is_an_input_error_that_names_the_file_and_the_member(path, value, named):
    with refused("bad-field", "run/config.json: ", named):
        from_json(RunConfig, changed(path, value), "run/config.json")


@pytest.mark.parametrize("value", [[], "text", None, 3])
def test_no_object_is_an_input_error(value):
    with refused("bad-field", "config.json: WindowSpec"):
        from_json(WindowSpec, value, "config.json")


def test_values_that_fit_the_type_and_not_the_meaning_are_input_errors_too():
    with refused("bad-value", "lag -1"):
        from_json(AugmentConfig, to_json(AugmentConfig()) | {"lag": -1}, "config.json")


def test_none_is_kept_where_it_may_stand():
    model = to_json(preset("tiny")) | {"attention_window": None}
    assert from_json(type(preset("tiny")), model, "model.json").attention_window is None


def grown(kind: type, *added: tuple) -> type:
    """A configuration's class as it is after members were added to it; its files carry the same name."""
    return dataclasses.make_dataclass(kind.__name__, added, bases=(kind,), frozen=True)


@dataclasses.dataclass(frozen=True)
class Extra:
    """A part that a run did not have before."""

    rate: float = 0.5
    kind: Literal["plain", "wide"] = "plain"


GrownTrain = grown(TrainConfig, ("label_smoothing", float, 0.0), ("stages", tuple[int, ...], (1, 2)))
GrownModel = grown(type(SUPERVISED.model), ("gate", bool, False))
GrownRun = grown(
    RunConfig,
    ("train", GrownTrain, dataclasses.field(default_factory=GrownTrain)),
    ("model", GrownModel | TDSConfig),
    ("extra", Extra, dataclasses.field(default_factory=Extra)),
    ("other", Extra | None, None),
)


@pytest.mark.parametrize("config", [SUPERVISED, DISTILLED, BASELINE], ids=["ladder", "distilled", "baseline"])
def test_a_run_made_before_members_were_added_reads_with_the_same_hash(config):
    read = from_json(GrownRun, json.loads(json.dumps(to_json(config))), "config.json")
    assert (read.train.label_smoothing, read.train.stages, read.extra, read.other) == (0.0, (1, 2), Extra(), None)
    assert read.hash == config.hash
    again = from_json(GrownRun, json.loads(json.dumps(to_json(read))), "config.json")
    assert again == read and again.hash == config.hash


@pytest.mark.parametrize(
    "change",
    [
        {"train": {"label_smoothing": 0.1}},
        {"train": {"stages": [1]}},
        {"model": {"gate": True}},
        {"extra": {"kind": "wide"}},
        {"other": {}},
        {"other": {"rate": 0.25}},
    ],
)
def test_an_added_member_that_is_set_makes_another_run(change):
    value = to_json(SUPERVISED)
    for part, members in change.items():
        value[part] = value.get(part, {}) | members
    read = from_json(GrownRun, value, "config.json")
    assert read.hash != SUPERVISED.hash
    assert from_json(GrownRun, to_json(read), "config.json").hash == read.hash


def test_a_part_that_grows_after_it_was_added_keeps_the_hash_too():
    later = grown(Extra, ("depth", int, 3))
    run = grown(GrownRun, ("extra", later, dataclasses.field(default_factory=later)))
    for extra in ({}, {"rate": 0.25}):
        value = to_json(SUPERVISED) | {"extra": extra}
        before, after = (from_json(kind, value, "config.json") for kind in (GrownRun, run))
        assert after.extra.depth == 3 and after.hash == before.hash


def test_an_added_member_without_a_default_may_not_be_missing():
    kind = grown(DistillConfig, ("layer", int, dataclasses.field(kw_only=True)))
    with pytest.raises(InputError) as caught:
        from_json(kind, to_json(DISTILLED.distill), "config.json")
    assert caught.value.code == "bad-field"


@pytest.mark.parametrize("part", ["", "model", "train", "optimizer", "window", "augment", "distill"])
def test_members_with_defaults_may_be_missing_and_unknown_ones_may_not(part):
    whole = dataclasses.replace(DISTILLED, model=preset("tiny"))
    value = json.loads(json.dumps(to_json(whole)))
    place = value[part] if part else value
    kind = type(getattr(whole, part)) if part else RunConfig
    for f in dataclasses.fields(kind):
        if f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING:
            del place[f.name]
    read = from_json(RunConfig, value, "config.json")
    found = getattr(read, part) if part else read
    required = {f.name: getattr(found, f.name) for f in dataclasses.fields(kind) if f.name in place}
    changed = {name: value for name, value in OLD_DEFAULTS.items() if name.startswith(f"{kind.__name__}.")}
    assert found == kind(**required, **{name.split(".")[1]: value for name, value in changed.items()})
    with pytest.raises(InputError) as caught:
        place["colour"] = 1
        from_json(RunConfig, value, "config.json")
    assert caught.value.code == "bad-field"


def test_a_changed_default_is_not_what_older_files_and_hashes_mean(monkeypatch):
    first = grown(TrainConfig, ("smoothing", float, 0.0))
    now = grown(TrainConfig, ("smoothing", float, 0.1))
    monkeypatch.setitem(OLD_DEFAULTS, "TrainConfig.smoothing", 0.0)
    monkeypatch.setitem(OLD_DEFAULTS, "TrainConfig.max_infeasible", 0.02)
    old = {name: value for name, value in to_json(TrainConfig()).items() if name != "max_infeasible"}
    read = from_json(now, old, "config.json")
    assert (read.smoothing, read.max_infeasible) == (0.0, 0.02)
    assert identity(read) == identity(TrainConfig(max_infeasible=0.02))
    # Neither a run with the old value nor one with the new one changes its name when the default changes.
    for value in (0.0, 0.1, 0.2):
        assert identity(now(smoothing=value)) == identity(first(smoothing=value))
    assert identity(now()) == identity(first(smoothing=0.1)) != identity(first())


def test_every_default_is_the_recorded_one_or_its_change_is_stated(request):
    # A failure: a member was added (record it with --update-golden) or a default was changed (add the old one to
    # OLD_DEFAULTS, and leave the golden file as it is).
    found = {}
    for kind in (RunConfig, *map(type, (SUPERVISED.model, BASELINE.model)), *PARTS):
        hints = get_type_hints(kind)
        for f in dataclasses.fields(kind):
            meant = default_in_files(kind, f, hints[f.name])
            # A part's own members have lines of their own.
            plain = [type(value).__name__ if dataclasses.is_dataclass(value) else value for value in meant]
            found[f"{kind.__name__}.{f.name}"] = plain or "must be there"
    check_golden(request, "config_defaults.json", json.dumps(found, indent=1) + "\n")


def test_the_members_of_version_1_are_those_that_the_golden_run_has():
    body = json.loads((GOLDEN / "run-1" / "sweep" / "trials" / "001-ladder-16-s0" / "config.json").read_text())
    parts = {"ModelConfig": "model", "WindowSpec": "window", "AugmentConfig": "augment"}
    parts |= {"OptimizerConfig": "optimizer", "TrainConfig": "train", "DistillConfig": "distill"}
    for name, part in parts.items():
        assert FIRST[name].split() == list(body[part])
    assert FIRST["RunConfig"].split() == [name for name in body if name not in ("schema", "version", "hash")]
    assert set(FIRST) == {"RunConfig", "TDSConfig", *parts}
