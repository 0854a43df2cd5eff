"""The formats of an export: the same parameters and numbers in each, what is refused, and what its card says."""

import dataclasses
import json
import shutil

import jax
import numpy as np
import pytest

import semgjax
from semgjax.cli.main import main
from semgjax.data.band import TYPING, Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.corpus import load_corpus
from semgjax.exporting import parity
from semgjax.exporting.export_folder import load_export, params_hash, write_export
from semgjax.exporting.export_run import export_run
from semgjax.exporting.formats import write_format
from semgjax.exporting.parity import made_up, windows_of
from semgjax.files import content_hash
from semgjax.model import network, streaming
from semgjax.model.for_band import fit_to_band
from semgjax.model.named import by_name, nested
from semgjax.model.presets import preset
from semgjax.runtime import open_export, safetensors_runtime, stablehlo_runtime
from semgjax.runtime.safetensors_runtime import TENSORS
from semgjax.training.run_folder import load_finished
from tests.refused import refused
from tests.runs import fails, snapshot, start_python

FORMATS = ("orbax", "safetensors", "stablehlo")
SMALL = dataclasses.replace(preset("keys-6"), layers=1, dim=6)
WINDOW = WindowSpec(length=400, stride=400, left=200, right=200)


@pytest.fixture(scope="module")
def exports(finished, sessions, tmp_path_factory):
    """The finished run in every format, compared on its sessions; read only."""
    folder, corpus = tmp_path_factory.mktemp("formats"), load_corpus(sessions)
    for kind in FORMATS:
        export_run(finished, folder / kind, kind=kind, corpus=corpus, licence="CC-BY-4.0")
    return folder


def about(folder) -> dict:
    return json.loads((folder / "model.json").read_text())


def sign(folder, change) -> None:
    """Change model.json and sign it again as one who knows how."""
    body = about(folder)
    change(body)
    del body["body_sha256"]
    body["body_sha256"] = content_hash({name: v for name, v in body.items() if name not in ("schema", "version")})
    (folder / "model.json").write_text(json.dumps(body))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_format_holds_the_runs_parameters_bit_for_bit_and_gives_what_jax_gives(exports, finished, sessions, kind):
    config, params = load_finished(finished)
    found, body = load_export(exports / kind), about(exports / kind)
    assert params_hash(found.params) == params_hash(params) == body["params_sha256"]
    assert (found.config, found.window, found.band) == (config.model, config.window, config.band)
    assert (body["version"], body["format"], body["streams"], body["no_stream"]) == (5, kind, True, None)
    assert "session" in body["parity"]["on"] and body["parity"]["windows"] == 2
    text = (exports / kind / "model.json").read_text() + (exports / kind / "README.md").read_text()
    assert all(session.name not in text for session in load_corpus(sessions).test)
    steps = 0.0 if kind == "stablehlo" else None
    assert (body["parity"]["offline"], body["parity"]["step"]) == (0.0, steps)
    assert body["parity"]["bound"] == write_format.BOUNDS[kind]
    assert body["bytes"] == sum(p.stat().st_size for p in (exports / kind).rglob("*") if p.is_file()) - sum(
        (exports / kind / name).stat().st_size for name in ("model.json", "README.md")
    )
    state = streaming.begin(config.model)
    assert [(tuple(part["shape"]), part["dtype"]) for part in body["state"]] == [(s.shape, s.dtype.name) for s in state]
    assert body["state_bytes"] == sum(part.nbytes for part in state)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_decoder_of_any_format_decodes_as_its_run(exports, finished, sessions, kind):
    session = load_corpus(sessions).test[0]
    run, export = semgjax.load(finished), semgjax.load(exports / kind)
    assert export.logits(session).tobytes() == run.logits(session).tobytes()
    assert export.preset == run.preset


def test_the_command_writes_a_format_verifies_it_and_refuses_unknown_ones(finished, sessions, tmp_path, capsys):
    words = [
        "export",
        str(finished),
        "--out",
        str(tmp_path / "e"),
        "--format",
        "safetensors",
        "--verify",
        str(sessions),
    ]
    assert main(words) == 0
    assert capsys.readouterr().out.count("verified: ") == 4
    assert sorted(path.name for path in (tmp_path / "e").iterdir()) == ["README.md", "model.json", TENSORS]
    for wrong in (["--format", "pickle"], ["--licence", "two\nlines"]):
        fails(capsys, ["export", finished, "--out", tmp_path / "f", *wrong])
    assert [path.name for path in tmp_path.iterdir()] == ["e"]


def test_tensors_have_the_names_of_their_paths_and_numpy_reads_them(exports, finished):
    tensors = safetensors_runtime.load(exports / "safetensors")
    expected = by_name(load_finished(finished)[1])
    modes = {path.stat().st_mode for path in (exports / "safetensors").iterdir()}
    assert len(modes) == 1  # those who may read model.json may read the tensors
    assert tensors.about["format"] == "safetensors" and "layers/expand/kernel" in tensors.params
    assert list(tensors.params) == list(expected) == sorted(expected)
    for name, value in expected.items():
        assert tensors.params[name].tobytes() == np.asarray(value).tobytes()
    assert jax.tree.structure(nested(expected)) == jax.tree.structure(load_finished(finished)[1])
    for wrong in ({"a/b": 1}, {"": 1}, {1: 2}):
        with refused("bad-name"):
            by_name(wrong)
    with refused("bad-name", "a/b"):
        nested({"a": 1, "a/b": 2})


def test_the_programs_take_any_length_and_rows_and_the_step_gives_the_same(exports, finished):
    config, params = load_finished(finished)
    model, runtime = config.model, stablehlo_runtime.load(exports / "stablehlo")
    signal = made_up(model, config.band, WindowSpec(length=37 * model.stride, stride=40, left=0, right=0), "5" * 64)
    emg = np.concatenate([signal.emg_BxTxC, signal.emg_BxTxC[:1] * 2])
    valid = np.concatenate([signal.valid_BxT, signal.valid_BxT[:1]])
    found = runtime.offline(emg, valid)
    assert found.shape == (3, 37, model.classes) and found.dtype == np.float32
    logits = network.apply(model, params, emg, valid)
    np.testing.assert_allclose(found, jax.nn.log_softmax(logits), atol=1e-5, rtol=0)
    assert runtime.begin is not None and runtime.step is not None and runtime.streams
    state, steps = runtime.begin(), []
    for frame in range(37):
        part = slice(frame * model.stride, (frame + 1) * model.stride)
        state, log_probs = runtime.step(state, emg[:1, part], valid[:1, part])
        steps.append(log_probs)
    np.testing.assert_allclose(np.concatenate(steps, axis=1), found[:1], atol=1e-5, rtol=0)


def test_one_export_of_each_kind_opens_as_programs_or_says_that_it_has_none(exports):
    assert open_export.load(exports / "stablehlo").about["format"] == "stablehlo"
    with refused("conflict", exports / "safetensors"):
        open_export.load(exports / "safetensors")
    for load in (stablehlo_runtime.load, safetensors_runtime.load):
        with refused("wrong-schema", exports / "orbax"):
            load(exports / "orbax")


def test_the_card_says_what_the_decoder_is(exports, finished):
    result = json.loads((finished / "result.json").read_text())
    for kind in FORMATS:
        text, body = (exports / kind / "README.md").read_text(), about(exports / kind)
        assert "simulated" in text and f"{result['users']} users" in text and "CC-BY-4.0" in text
        for row in result["scores"]:
            assert f"| {row['split']} | greedy | {row['averaging']} | {row['users']} | {row['cer']:.2f} |" in text
        for fact in ("look-ahead | 0 samples", "100 ms", f"{body['bytes']:,} bytes", f"{body['state_bytes']:,} bytes"):
            assert fact in text
        assert f"{body['costs']['stream_operations'] / 1e6:.4g} million operations" in text
        assert (result["config"] in text, result["data"] in text, body["params_sha256"] in text) == (True,) * 3
    assert body["source"]["simulated"] is True


def test_a_students_card_names_its_teacher(finished, student, tmp_path):
    export_run(student, tmp_path / "e")
    teacher = json.loads((finished / "result.json").read_text())
    text = (tmp_path / "e" / "README.md").read_text()
    assert teacher["config"] in text and f"{teacher['params']:,} parameters" in text and "not stated" in text


@pytest.mark.parametrize("kind", ["safetensors", "stablehlo"])
def test_every_file_of_an_export_is_hashed_and_none_may_be_added_or_missing(exports, tmp_path, kind):
    place = shutil.copytree(exports / kind, tmp_path / "e")
    names = [path.name for path in place.iterdir() if path.name != "model.json"]
    assert "README.md" in names
    for name in names:
        content = (place / name).read_bytes()
        (place / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with refused("damaged", place / name):
            load_export(place)
        (place / name).unlink()
        with refused("damaged", place / name):
            load_export(place)
        (place / name).write_bytes(content)
    (place / "more.txt").write_text("x")
    with refused("damaged", place / "more.txt"):
        open_export.load(place)


def test_an_export_without_its_card_is_refused_even_if_signed_again(exports, tmp_path):
    place = shutil.copytree(exports / "safetensors", tmp_path / "e")
    (place / "README.md").unlink()
    sign(place, lambda body: body["files"].pop("README.md"))
    with refused("damaged", "README.md"):
        load_export(place)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: body.update(format="onnx2"), "bad-field"),
        (lambda body: body.pop("format"), "bad-field"),
        (lambda body: body.update(streams=False), "changed"),
        (lambda body: body.update(blank=3), "changed"),
        (lambda body: body.update(source=[]), "bad-field"),
        (lambda body: body.update(params_sha256="0" * 64), "damaged"),
    ],
)
def test_a_model_json_that_was_changed_and_signed_again_is_refused(exports, tmp_path, change, code):
    place = shutil.copytree(exports / "safetensors", tmp_path / "e")
    sign(place, change)
    with refused(code):
        load_export(place)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda body: body["state"][0].update(shape=[1]), "changed"),
        (lambda body: body["state"][0].update(dtype="float64"), "changed"),
        (lambda body: body["state"].pop(), "changed"),
        (lambda body: body["state"].append(body["state"][0]), "changed"),
        (lambda body: body.update(state=[]), "changed"),
        (lambda body: body.update(frame_samples=20), "changed"),
        (lambda body: body.update(state=None), "bad-field"),
        (lambda body: body.update(state=[{"name": "state_0"}]), "bad-field"),
    ],
)
def test_a_program_that_keeps_another_state_than_model_json_says_is_refused(exports, tmp_path, change, code):
    place = shutil.copytree(exports / "stablehlo", tmp_path / "e")
    sign(place, change)
    with refused(code, "step.stablehlo" if code == "changed" else "model.json"):
        stablehlo_runtime.load(place)


def test_a_program_of_another_version_is_refused_in_one_line(exports, tmp_path):
    place = shutil.copytree(exports / "stablehlo", tmp_path / "e")
    (place / "step.stablehlo").write_bytes(b"what is this" * 20)
    with refused("wrong-version", place / "step.stablehlo"):
        stablehlo_runtime.open_files(place, about(place))


def test_what_differs_from_jax_is_not_written(tmp_path, monkeypatch):
    params = network.init(SMALL, jax.random.key(0))
    other = jax.tree.map(lambda leaf: leaf * 1.001, params)
    monkeypatch.setattr(parity, "read_params", lambda *_: other)  # as if the file held other numbers
    with refused("parity", "safetensors"):
        write_export(SMALL, WINDOW, TYPING, params, {}, tmp_path / "e", kind="safetensors")
    assert snapshot(tmp_path) == {}


def test_a_number_that_is_none_counts_as_a_difference_wherever_it_stands():
    zero, lost = np.zeros(2), np.array([0.0, np.nan])
    for found in ([zero, lost], [lost, zero]):
        for distance in (parity._apart, parity._relatively_apart):
            assert np.isnan(distance((one, zero) for one in found))


@pytest.mark.parametrize(
    "config",
    [
        dataclasses.replace(SMALL, norm="window"),
        dataclasses.replace(SMALL, causal=False, attention_window=2),
        dataclasses.replace(preset("tds"), features=8, conv_channels=(4,), kernel=3),
    ],
    ids=["norm", "ahead", "tds"],
)
def test_a_network_that_does_not_stream_has_no_step_and_says_why(tmp_path, config):
    params, place = network.init(config, jax.random.key(0)), tmp_path / "e"
    window = WindowSpec(length=400, stride=400, left=208, right=208)
    body = write_export(config, window, TYPING, params, {}, place, kind="stablehlo")
    assert (body["streams"], body["state"], body["state_bytes"], body["parity"]["step"]) == (False, [], 0, None)
    assert body["parity"]["offline"] <= 1e-6
    assert sorted(path.name for path in place.iterdir()) == ["README.md", "model.json", "offline.stablehlo", TENSORS]
    assert body["no_stream"] == streaming.why_not(config) and body["no_stream"] in (place / "README.md").read_text()
    runtime = open_export.load(place)
    assert (runtime.streams, runtime.begin, runtime.step) == (False, None, None)


def test_another_band_is_exported_with_its_classes(tmp_path):
    band = Band((8,), 200.0, ("flexion", "fi|st"))
    config = fit_to_band(preset("gesture-6"), band)
    params = network.init(config, jax.random.key(0))
    body = write_export(config, WindowSpec(200, 200, 100, 160), band, params, {}, tmp_path / "e", kind="stablehlo")
    assert body["parity"]["offline"] <= 1e-6 and "keys" not in body
    assert load_export(tmp_path / "e").band == band and "flexion" in (tmp_path / "e" / "README.md").read_text()


def test_windows_to_compare_on_are_the_sessions_or_depend_on_the_parameters_alone(finished, sessions):
    config, _ = load_finished(finished)
    corpus = load_corpus(sessions)
    real = windows_of(config.model, config.window, corpus)
    left, first = config.window.left, corpus.test[0].emg[: config.window.length]
    assert not real.valid_BxT[0, :left].any() and real.valid_BxT[0, left:].all() and real.valid_BxT[1, left:].all()
    np.testing.assert_array_equal(real.emg_BxTxC[0, left : left + len(first)], np.asarray(first, np.float32))
    one, two, three = (made_up(config.model, TYPING, WINDOW, sha * 64) for sha in "aab")
    assert one.emg_BxTxC.tobytes() == two.emg_BxTxC.tobytes() != three.emg_BxTxC.tobytes()
    assert not one.valid_BxT.all() and np.isfinite(one.emg_BxTxC).all()


def test_other_sessions_than_the_runs_are_refused_before_anything_is_written(finished, tmp_path):
    from tests.runs import write_sessions

    other = write_sessions(tmp_path / "s")
    (other / "splits.json").write_text((other / "splits.json").read_text())
    main(["data", "splits", str(other), "--test-users", "2", "--out", str(tmp_path / "other.json")])
    corpus = load_corpus(other, tmp_path / "other.json")
    with refused("conflict", finished):
        export_run(finished, tmp_path / "e", corpus=corpus)
    assert not (tmp_path / "e").exists()


def test_a_killed_export_of_programs_leaves_nothing_that_could_be_taken_for_one(finished, tmp_path):
    killed = """
import os, signal, sys
from pathlib import Path
from semgjax.exporting.export_run import export_run
export_run(Path(sys.argv[1]), Path(sys.argv[2]), lambda _: os.kill(os.getpid(), signal.SIGKILL), "stablehlo")
"""
    process = start_python(["-c", killed, str(finished), str(tmp_path / "e")])
    process.communicate(timeout=300)
    assert [path.name for path in tmp_path.iterdir()] == [".e.part"]
    export_run(finished, tmp_path / "e", kind="safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["e"]


def test_older_exports_are_read(exports, tmp_path):
    place = shutil.copytree(exports / "orbax", tmp_path / "e")
    (place / "README.md").unlink()
    newer = ("format", "streams", "no_stream", "state", "state_bytes", "costs", "parity", "bytes")

    def age(body) -> None:
        for name in newer:
            del body[name]
        body["files"].pop("README.md")
        body["version"] = 4

    sign(place, age)
    found = load_export(place)
    assert params_hash(found.params) == about(exports / "orbax")["params_sha256"]
    assert (found.about["format"], found.about["streams"]) == ("orbax", False)
