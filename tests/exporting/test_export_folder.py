"""The export folder: what model.json says, that it is whole or not there, and that damage is named."""

import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest

from semgjax.data.band import TYPING
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.keys import BLANK, KEY_NAMES
from semgjax.errors import InputError
from semgjax.exporting import export_folder as checkpoint
from semgjax.exporting.export_folder import load_export, params_hash, write_export
from semgjax.model import encoder
from semgjax.model.config import ModelConfig
from semgjax.model.presets import preset
from tests.refused import refused
from tests.runs import damage_biggest, snapshot

SMALL = dataclasses.replace(preset("ladder-16"), layers=1, conv_widths=(4, 4, 16), position_kernel=4)


@pytest.fixture(scope="module")
def params():
    return jax.jit(lambda: encoder.init(SMALL, jax.random.key(0)))()


@pytest.fixture
def export(params, tmp_path):
    """A small export of its own."""
    write_export(SMALL, WindowSpec(), TYPING, params, {"preset": "small"}, tmp_path / "export")
    return tmp_path / "export"


def edit(folder, change) -> None:
    body = json.loads((folder / "model.json").read_text())
    change(body)
    (folder / "model.json").write_text(json.dumps(body))


def message_of(folder) -> str:
    with pytest.raises(InputError) as caught:
        load_export(folder)
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)
    return str(caught.value)


def test_an_export_reads_back_bit_for_bit(export, params):
    loaded = load_export(export)
    assert (loaded.config, loaded.window) == (SMALL, WindowSpec())
    assert jax.tree.structure(loaded.params) == jax.tree.structure(params)
    for a, b in zip(jax.tree.leaves(loaded.params), jax.tree.leaves(params), strict=True):
        assert a.dtype == b.dtype and np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_model_json_says_all_that_a_reader_needs(export, params):
    body = json.loads((export / "model.json").read_text())
    assert (body["schema"], body["version"]) == ("semgjax/model", 5)
    assert body["source"] == {"preset": "small"}
    assert body["params"] == sum(leaf.size for leaf in jax.tree.leaves(params))
    assert body["keys"] == list(KEY_NAMES) and body["blank"] == BLANK == len(body["keys"])
    assert (body["sample_rate"], body["frame_samples"]) == (2000, 40)
    assert body["emission_delay_seconds"] == 0.1
    assert {path.partition("/")[0] for path in body["files"]} == {"params", "README.md"}
    assert load_export(export).about == body


def look_ahead_of(config: ModelConfig) -> tuple:
    facts = checkpoint.facts(config, TYPING)
    return facts["look_ahead_samples"], facts["look_ahead_seconds"]


@pytest.mark.parametrize("name", ["tiny", "small", "large", "ladder-16", "ladder-96"])
def test_the_presets_look_ahead_by_nothing(name):
    assert look_ahead_of(preset(name)) == (0, 0.0)


@pytest.mark.parametrize(
    "change", [{"norm": "window"}, {"causal": False, "attention_window": None}], ids=["norm", "attention"]
)
def test_a_decoder_that_needs_the_whole_input_has_no_finite_look_ahead(change):
    assert look_ahead_of(dataclasses.replace(SMALL, **change)) == (None, None)


def test_a_bounded_look_ahead_is_told_in_samples_and_seconds():
    config = dataclasses.replace(SMALL, causal=False, attention_window=3)
    samples, seconds = look_ahead_of(config)
    assert samples == config.look_ahead > 0 and seconds == samples / 2000


def test_a_folder_that_holds_something_and_a_file_are_refused(export, params, tmp_path):
    before = snapshot(tmp_path)
    for place in (export, export / "model.json"):
        with refused("out-exists", place):
            write_export(SMALL, WindowSpec(), TYPING, params, {}, place)
    assert snapshot(tmp_path) == before


def test_an_empty_folder_is_taken(params, tmp_path):
    (tmp_path / "export").mkdir()
    write_export(SMALL, WindowSpec(), TYPING, params, {}, tmp_path / "export")
    assert load_export(tmp_path / "export").config == SMALL


@pytest.mark.parametrize("before", [False, True])
def test_a_write_that_fails_half_way_leaves_nothing(params, tmp_path, monkeypatch, before):
    if before:
        (tmp_path / "export").mkdir()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_json", full_disk)  # the parameters are down by then
    with pytest.raises(InputError) as caught:
        write_export(SMALL, WindowSpec(), TYPING, params, {}, tmp_path / "export")
    assert caught.value.code == "no-space"
    assert snapshot(tmp_path) == ({"export": None} if before else {})


def test_every_damaged_or_missing_file_is_refused_by_its_name(export):
    names = [path.relative_to(export) for path in (export / "params").rglob("*") if path.is_file()]
    assert len(names) > 3
    for name in names:
        content = (export / name).read_bytes()
        for damage in (content[:-1] + bytes([content[-1] ^ 1]), content[: len(content) // 2]):
            (export / name).write_bytes(damage)
            with refused("damaged", export / name):
                load_export(export)
        (export / name).unlink()
        with refused("damaged", export / name):
            load_export(export)
        (export / name).write_bytes(content)
    load_export(export)


def test_one_flipped_bit_in_the_parameters_is_refused(export):
    path = damage_biggest(export / "params")
    with refused("damaged", path):
        load_export(export)


def test_missing_parameters_and_a_missing_model_json_are_refused(export):
    shutil.rmtree(export / "params")
    with refused("damaged", "params"):
        load_export(export)
    (export / "model.json").unlink()
    with refused("no-file", "model.json"):
        load_export(export)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda body: body.update(version=6), "version 6"),
        (lambda body: body.update(schema="semgjax/fit"), "'semgjax/fit'"),
        (lambda body: body.pop("model"), "'model'"),
        (lambda body: body.pop("window"), "'window'"),
        (lambda body: body.pop("params_sha256"), "'params_sha256'"),
    ],
)
def test_a_foreign_or_incomplete_model_json_is_refused(export, change, says):
    edit(export, change)
    assert says in message_of(export)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.update(files=[]),
        lambda body: body["model"].update(depth=3),
        lambda body: body["model"].update(heads=2),
        lambda body: body["model"].update(emission_delay=400),
        lambda body: body["window"].update(left=0),
        lambda body: body.update(params_sha256="0" * 64),
        lambda body: body["keys"].reverse(),
        lambda body: body.update(sample_rate=1000),
        lambda body: body.update(blank=0),
        lambda body: body.update(look_ahead_samples=40),
        lambda body: body["source"].update(preset="large"),
        lambda body: body.update(more=1),
    ],
)
def test_an_edited_model_json_is_refused(export, change):
    edit(export, change)
    with pytest.raises(InputError) as caught:
        load_export(export)
    assert caught.value.code == "changed"


def as_version_1(body):
    body.update(version=1)
    del body["body_sha256"]
    del body["files"]["README.md"]


def test_an_export_of_version_1_is_read_and_its_derived_members_are_checked(export):
    before = load_export(export)
    edit(export, as_version_1)
    assert params_hash(load_export(export).params) == params_hash(before.params)
    edit(export, lambda body: body["keys"].reverse())
    with pytest.raises(InputError) as caught:
        load_export(export)
    assert caught.value.code == "changed"


def test_parameters_that_are_not_finite_are_not_exported(tmp_path):
    broken = {"kernel": np.array([[1.0, np.nan]], np.float32)}
    with pytest.raises(InputError) as caught:
        write_export(preset("small"), WindowSpec(), TYPING, broken, {}, tmp_path / "export")
    assert caught.value.code == "not-finite"
    assert list(tmp_path.iterdir()) == []


def test_the_hash_of_parameters_tells_names_types_shapes_and_values_apart():
    base = {"a": np.zeros((2, 3), np.float32)}
    others = [
        {"b": np.zeros((2, 3), np.float32)},
        {"a": np.zeros((3, 2), np.float32)},
        {"a": np.zeros((2, 3), np.int32)},
        {"a": np.full((2, 3), -0.0, np.float32)},
    ]
    assert params_hash(base) == params_hash({"a": np.zeros((2, 3), np.float32)})
    assert len({params_hash(tree) for tree in (base, *others)}) == 5
