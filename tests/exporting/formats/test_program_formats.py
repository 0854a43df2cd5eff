"""Exports of formats onnx and litert: what JAX gives, offline and as a stream; int8; bad input; no JAX needed."""

import dataclasses
import importlib.util
import json
import shutil

import jax
import numpy as np
import pytest

import semgjax as sj
from semgjax.api.live_decoders import live_decoder
from semgjax.cli.main import main
from semgjax.data.band import TYPING
from semgjax.data.batching.windows import WindowSpec
from semgjax.exporting.export_folder import load_export, write_export
from semgjax.exporting.exported_programs import offline_program
from semgjax.exporting.formats import litert_files
from semgjax.files import content_hash
from semgjax.model import streaming
from semgjax.model.presets import preset
from semgjax.runtime import extras, open_export
from tests.model.small import small
from tests.refused import refused
from tests.runs import damage_biggest, start_python, train_words

WINDOW = WindowSpec(length=400, stride=400, left=200, right=200)
KEYS = preset("keys-8")
NETWORKS = {
    "power": dataclasses.replace(KEYS, layers=1),
    "convolutions": small(rate=2000.0, classes=99, channels=32, layers=1),
    "looks ahead": small(causal=False, classes=99),
    "whole window": dataclasses.replace(KEYS, norm="window", attention_window=None),
    "baseline": dataclasses.replace(preset("tds"), features=8, conv_channels=(4,), kernel=4),
}
WIDER = dataclasses.replace(KEYS, power_width=64, dim=64, layers=1, heads=2, position_groups=4)
SLOW = [
    pytest.param(name, marks=pytest.mark.slow) if name in ("looks ahead", "whole window") else name for name in NETWORKS
]
STREAMS = ("power", "convolutions", "wider")
needs_litert = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("ai_edge_litert", "ai_edge_quantizer", "litert_converter"))),
    reason="the extra litert or its converter is not installed (docs/guides/wristband.md)",
)
FORMATS = ("onnx", pytest.param("litert", marks=needs_litert))


def sign(folder, about) -> None:
    """Write model.json with its right hash."""
    body = {name: value for name, value in about.items() if name not in ("schema", "version", "body_sha256")}
    (folder / "model.json").write_text(json.dumps(about | {"body_sha256": content_hash(body)}))


def write(name, kind, folder, int8=False):
    """Export a network: its configuration, its parameters and the body of its model.json."""
    config = WIDER if name == "wider" else NETWORKS[name]
    window = dataclasses.replace(WINDOW, right=max(200, config.emission_delay))
    params = config.init(jax.random.key(0))
    body = write_export(config, window, TYPING, params, {"preset": name}, folder, kind=kind, int8=int8)
    return config, params, body


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """As `write`, which is called once for each export; others are copies."""
    made = {}

    def copied(name, kind, folder, int8=False):
        if (name, kind, int8) not in made:
            first = tmp_path_factory.mktemp("written") / "e"
            made[name, kind, int8] = first, write(name, kind, first, int8)
        first, found = made[name, kind, int8]
        shutil.copytree(first, folder)
        return found

    return copied


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", SLOW)
def test_the_files_give_what_jax_gives(written, name, kind, tmp_path):
    config, params, body = written(name, kind, tmp_path / "e")
    assert body["parity"]["relative"] <= 1e-5
    assert body["streams"] == (name in STREAMS) == (body["parity"]["step"] is not None)
    files = {path.stem for path in (tmp_path / "e").iterdir()} - {"model", "README"}
    assert files == ({"offline", "step"} if name in STREAMS else {"offline"})
    runtime = open_export.load(tmp_path / "e")
    assert runtime.streams == body["streams"]
    samples = runtime.samples or 7 * config.stride
    rng = np.random.default_rng(1)
    emg = rng.normal(size=(2, samples, 32)).astype(np.float32)
    valid = np.arange(samples)[None] >= [[0], [2 * config.stride + 3]]
    expected = np.asarray(jax.jit(offline_program(config))(params, emg, valid))
    found = runtime.offline(emg, valid)
    assert (found.shape, found.dtype) == (expected.shape, np.float32)
    assert (np.abs(found - expected) / np.maximum(1, np.abs(expected))).max() <= 1e-5


@pytest.mark.parametrize("kind", FORMATS)
def test_300_steps_give_what_the_stream_of_jax_gives_and_a_state_that_begins_anew(written, kind, tmp_path):
    config, params, body = written("convolutions", kind, tmp_path / "e")
    runtime = open_export.load(tmp_path / "e")
    emg = np.random.default_rng(2).normal(size=(1, 300 * config.stride, 32)).astype(np.float32)
    valid = np.ones(emg.shape[:2], bool)
    valid[:, 83:97] = False
    frame = jax.jit(lambda p, s, x, ok: streaming.step(config, p, s, x, ok))
    ours, theirs, pairs = streaming.begin(config), runtime.begin(), []
    shapes = [part.shape for part in theirs]
    for at in range(0, emg.shape[1], config.stride):
        part = slice(at, at + config.stride)
        ours, expected = frame(params, ours, emg[:, part], valid[:, part])
        theirs, found = runtime.step(theirs, emg[:, part], valid[:, part])
        pairs.append((found, np.asarray(expected)))
    assert max((np.abs(a - b) / np.maximum(1, np.abs(b))).max() for a, b in pairs) <= 1e-5
    assert [part.shape for part in theirs] == shapes
    first = slice(0, config.stride)
    np.testing.assert_array_equal(runtime.step(runtime.begin(), emg[:, first], valid[:, first])[1], pairs[0][0])
    np.testing.assert_array_equal([part.any() for part in runtime.begin()], False)


@pytest.mark.parametrize("kind", FORMATS)
def test_int8_files_are_alone_smaller_and_move_little_of_the_probability(written, kind, tmp_path):
    whole = written("wider", kind, tmp_path / "float")[2]
    _, _, body = written("wider", kind, tmp_path / "int8", int8=True)
    assert body["int8"] and 0 < body["parity"]["moved"] < 0.02
    assert body["bytes"] < 0.75 * whole["bytes"]
    names = {path.name for path in (tmp_path / "int8").iterdir()} - {"model.json", "README.md"}
    assert len(names) == 2 and all(".int8." in name for name in names)
    # Inputs are rounded by rows: what follows a frame does not change it.
    runtime = open_export.load(tmp_path / "int8")
    emg = np.random.default_rng(4).normal(size=(1, runtime.samples or 800, 32)).astype(np.float32)
    later = emg.copy()
    later[:, 400:] *= 30
    valid = np.ones(emg.shape[:2], bool)
    one, other = (runtime.offline(signal, valid)[:, : 400 // KEYS.stride] for signal in (emg, later))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["orbax", "safetensors", "stablehlo"])
def test_int8_of_a_format_that_has_none_is_refused(kind, tmp_path):
    with refused("conflict", kind):
        write("convolutions", kind, tmp_path / "e", int8=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_a_decoder_is_loaded_evaluated_and_verified_and_its_parameters_are_refused(
    kind, finished, sessions, tmp_path, capsys
):
    out = tmp_path / "e"
    assert main(["export", str(finished), "--out", str(out), "--format", kind, "--verify", str(sessions)]) == 0
    assert main(["export", str(out), "--verify", str(sessions)]) == 0
    assert capsys.readouterr().out.count("verified: ") == 8
    ours, theirs = sj.load(finished), sj.load(out)
    emg = np.random.default_rng(0).normal(size=(3000, 32)).astype(np.float32)
    log_probs = np.asarray(jax.nn.log_softmax(ours.logits(emg)))
    np.testing.assert_allclose(theirs.logits(emg), log_probs, atol=2e-5)
    assert theirs.decode(emg) == ours.decode(emg)
    assert theirs.params == {} and theirs.parameters == ours.parameters
    with refused("conflict", kind):
        load_export(out)
    ours_about = json.loads((out / "model.json").read_text())
    for mode in ("stitched", "session"):
        assert theirs.evaluate(sessions, mode=mode).counts == ours.evaluate(sessions, mode=mode).counts
    if kind == "onnx":
        assert theirs.evaluate(sessions, lengths=True).lengths == ours.evaluate(sessions, lengths=True).lengths != ()
    else:
        with refused("conflict", "1600"):
            theirs.evaluate(sessions, lengths=True)
    # Signed again: nothing was damaged, another program wrote it.
    for name, value in (("blank", 1), ("emission_delay_seconds", -1.0), ("state", []), ("frame_samples", 20)):
        sign(out, ours_about | {name: value})
        with refused("changed", name):
            live_decoder(out)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_fresh_process_imports_neither_jax_nor_flax(written, kind, tmp_path):
    config, params, _ = written("power", kind, tmp_path / "e")
    program = """
import sys
from pathlib import Path
import numpy as np
from semgjax.runtime.open_export import load

runtime = load(Path(sys.argv[1]))
samples = runtime.samples or 400
emg = np.random.default_rng(3).normal(size=(1, samples, 32)).astype(np.float32)
np.save(sys.argv[2], runtime.offline(emg, np.ones((1, samples), bool)))
state, _ = runtime.step(runtime.begin(), emg[:, :40], np.ones((1, 40), bool))
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & {"jax", "jaxlib", "flax", "onnx", "litert_converter"}, loaded
"""
    process = start_python(["-c", program, str(tmp_path / "e"), str(tmp_path / "found.npy")])
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    found = np.load(tmp_path / "found.npy")
    samples = found.shape[1] * config.stride
    emg = np.random.default_rng(3).normal(size=(1, samples, 32)).astype(np.float32)
    expected = np.asarray(jax.jit(offline_program(config))(params, emg, np.ones((1, samples), bool)))
    assert (np.abs(found - expected) / np.maximum(1, np.abs(expected))).max() <= 1e-5


@pytest.mark.parametrize("kind", FORMATS)
def test_damage_a_missing_package_and_another_version_are_named(written, kind, tmp_path, monkeypatch):
    _, _, body = written("baseline", kind, tmp_path / "e")
    path = tmp_path / "e" / ("offline.onnx" if kind == "onnx" else "offline.tflite")
    whole = path.read_bytes()
    path.write_bytes(b"\x00\x01of a later version")
    with refused("wrong-version", path):
        open_export.open_files(tmp_path / "e", body)
    path.write_bytes(whole)
    damage_biggest(tmp_path / "e")
    with refused("damaged", path):
        open_export.load(tmp_path / "e")
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    with refused("missing-extra", f"semgjax[{kind}]"):
        open_export.open_files(tmp_path / "e", body)
    with refused("missing-extra", f"semgjax[{kind}]"):
        write("baseline", kind, tmp_path / "other")
    assert [one.name for one in tmp_path.iterdir()] == ["e"]


@needs_litert
def test_another_version_of_the_converter_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(litert_files, "CONVERTER", "0.4.0")
    with refused("wrong-version", "litert-converter", "0.4.0"):
        write("baseline", "litert", tmp_path / "e")


@needs_litert
def test_litert_takes_its_own_length_only(written, tmp_path):
    config, _, _ = written("baseline", "litert", tmp_path / "e")
    runtime = open_export.load(tmp_path / "e")
    samples = runtime.samples - config.stride
    with refused("bad-shape", str(runtime.samples)):
        runtime.offline(np.zeros((1, samples, 32), np.float32), np.ones((1, samples), bool))


def test_a_network_with_an_unknown_operation_is_refused_and_leaves_nothing(tmp_path):
    from tests.guides.toy_network import PowerNetwork

    class Sorting(PowerNetwork):
        def apply(self, params, emg_BxTxC, *rest):
            return super().apply(params, jax.numpy.sort(emg_BxTxC, axis=-1), *rest)

    config = Sorting()
    with refused("conflict", "sort"):
        write_export(config, WINDOW, TYPING, config.init(jax.random.key(0)), {}, tmp_path / "e", kind="onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_card_says_how_to_run_the_programs_and_model_json_that_they_are_int8(written, tmp_path):
    _, _, body = written("power", "onnx", tmp_path / "e", int8=True)
    text = (tmp_path / "e" / "README.md").read_text()
    assert "step.int8.onnx" in text and "offline.int8.onnx" in text
    assert json.loads((tmp_path / "e" / "model.json").read_text())["int8"] is True and body["format"] == "onnx"


@pytest.mark.slow
def test_a_run_trained_further_with_rounding_is_exported_as_int8(finished, sessions, tmp_path, capsys):
    run, out = tmp_path / "run", tmp_path / "e"
    assert main(train_words(sessions, run, f"--init={finished}", "--train.int8")) == 0
    assert json.loads((run / "config.json").read_text())["train"]["int8"] is True
    words = ["export", str(run), "--out", str(out), "--format", "onnx", "--int8", "--verify", str(sessions)]
    assert main(words) == 0
    assert capsys.readouterr().out.count("verified: ") == 4
    assert json.loads((out / "model.json").read_text())["int8"] is True
