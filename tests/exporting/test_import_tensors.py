"""Parameters from outside: what is read back, what is refused by name, and that they can be trained further."""

import json
import shutil

import jax
import numpy as np
import pytest
from safetensors.numpy import save_file

import semgjax
from semgjax.cli.main import main
from semgjax.exporting.export_folder import load_export, params_hash
from semgjax.exporting.export_run import export_run
from semgjax.model import network
from semgjax.model.named import by_name, nested
from semgjax.model.presets import preset
from semgjax.runtime.safetensors_runtime import TENSORS, read_tensors
from semgjax.training.run_folder import load_finished
from tests.refused import refused
from tests.runs import damage_biggest, fails


@pytest.fixture(scope="module")
def tensors(finished, tmp_path_factory):
    """The finished run as tensors; read only."""
    out = tmp_path_factory.mktemp("tensors") / "e"
    export_run(finished, out, kind="safetensors")
    return out


def changed(tensors, path, change) -> dict[str, np.ndarray]:
    """A file of the export's tensors, changed."""
    found = read_tensors(tensors / TENSORS)
    change(found)
    save_file(found, path)
    return found


def test_an_export_comes_back_as_orbax_with_what_it_says_of_itself(tensors, exported, tmp_path, capsys):
    assert main(["import", str(tensors), "--out", str(tmp_path / "back")]) == 0
    assert str(tmp_path / "back") in capsys.readouterr().out
    back, before = load_export(tmp_path / "back"), load_export(exported)
    assert params_hash(back.params) == params_hash(before.params)
    assert (back.about["format"], back.about["source"]) == ("orbax", before.about["source"])
    fails(capsys, ["import", tensors, "--like", exported, "--out", tmp_path / "other"])


def test_a_file_of_tensors_takes_the_network_of_a_decoder_or_of_a_preset(tensors, finished, tmp_path):
    def halve(found) -> None:
        found["head/bias"] = found["head/bias"] / 2

    given = changed(tensors, tmp_path / "x.safetensors", halve)
    one = semgjax.import_parameters(tmp_path / "x.safetensors", tmp_path / "like", like=finished)
    assert one.about["source"]["init"]["config"] == load_finished(finished)[0].hash
    two = semgjax.import_parameters(tmp_path / "x.safetensors", tmp_path / "preset", preset="ladder-16")
    for export in (one, two):
        found = by_name(export.model().params)
        assert all(np.asarray(found[name]).tobytes() == given[name].tobytes() for name in given)
        source = export.about["source"]
        assert (source["kind"], source["imported"], source["preset"]) == ("imported", "x.safetensors", "ladder-16")
        assert "scores" not in source
        assert "No scores are recorded" in (tmp_path / "like" / "README.md").read_text()
    assert load_export(tmp_path / "like").config == load_finished(finished)[0].model
    assert load_export(tmp_path / "preset").config == preset("ladder-16")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda found: found.pop("head/bias"), "head/bias"),
        (lambda found: found.update({"head/more": np.zeros(2, np.float32)}), "head/more"),
        (lambda found: found.update({"head/bias": np.zeros(98, np.float32)}), "head/bias"),
        (lambda found: found.update({"head/bias": np.zeros(99, np.float16)}), "head/bias"),
        (lambda found: found.update({"head/kernel": found["head/kernel"].T.copy()}), "head/kernel"),
    ],
    ids=["missing", "extra", "short", "half", "turned"],
)
def test_a_tensor_that_is_not_the_networks_is_refused_by_its_name(tensors, tmp_path, change, named):
    changed(tensors, tmp_path / "x.safetensors", change)
    with refused("tensor-misfit", tmp_path / "x.safetensors", named):
        semgjax.import_parameters(tmp_path / "x.safetensors", tmp_path / "out", like=tensors)
    assert not (tmp_path / "out").exists()


def test_numbers_that_are_not_finite_and_files_that_are_none_are_refused(tensors, tmp_path, capsys):
    path = tmp_path / "x.safetensors"
    changed(tensors, path, lambda found: found.update({"head/bias": np.full(99, np.nan, np.float32)}))
    with refused("not-finite"):
        semgjax.import_parameters(path, tmp_path / "out", like=tensors)
    content = (tensors / TENSORS).read_bytes()
    for damaged in (b"", b"{}", content[:100], content[:-1], b"\xff" * 64):
        path.write_bytes(damaged)
        with refused("damaged", path):
            semgjax.import_parameters(path, tmp_path / "out", like=tensors)
    path.unlink()
    with refused("no-file", path):
        semgjax.import_parameters(path, tmp_path / "out", preset="ladder-16")
    for options in ({}, {"like": tensors, "preset": "ladder-16"}, {"preset": "ladder-16", "splits": "s.json"}):
        with refused("conflict"):
            semgjax.import_parameters(path, tmp_path / "out", **options)
    place = shutil.copytree(tensors, tmp_path / "e")
    with refused("damaged", damage_biggest(place)):
        semgjax.import_parameters(place, tmp_path / "out")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["e"]


def test_names_shapes_and_types_are_those_of_the_network_for_every_kind_of_preset():
    for name in ("ladder-16", "keys-6", "gesture-6", "tds"):
        shapes = by_name(jax.eval_shape(lambda name=name: network.init(preset(name), jax.random.key(0))))
        assert {json.dumps(str(leaf.dtype)) for leaf in shapes.values()} == {'"float32"'}


@pytest.fixture
def bare(tensors, tmp_path):
    """The finished run's parameters as orbax alone writes them."""
    import orbax.checkpoint as ocp

    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "bare", nested(read_tensors(tensors / TENSORS)))
    return tmp_path / "bare"


def test_an_orbax_checkpoint_without_model_json_takes_its_network_from_a_preset_or_a_decoder(tensors, bare, tmp_path):
    expected = read_tensors(tensors / TENSORS)
    for name, options in (("preset", {"preset": "ladder-16"}), ("like", {"like": tensors})):
        export = semgjax.import_parameters(bare, tmp_path / name, **options)
        assert export.about["source"]["imported"] == "bare"
        found = by_name(load_export(tmp_path / name).params)
        assert all(np.asarray(found[one]).tobytes() == expected[one].tobytes() for one in expected)
    with refused("conflict", bare, "--preset"):
        semgjax.import_parameters(bare, tmp_path / "out")
    with refused("tensor-misfit", bare):
        semgjax.import_parameters(bare, tmp_path / "out", preset="ladder-64")
    (bare / "manifest.ocdbt").unlink()
    with refused("damaged", bare):
        semgjax.import_parameters(bare, tmp_path / "out", preset="ladder-16")
    assert not (tmp_path / "out").exists()


def test_what_holds_no_parameters_to_import_is_refused_by_what_it_is(finished, tmp_path):
    with refused("conflict", finished, "--init"):
        semgjax.import_parameters(finished, tmp_path / "out")
    for place in (tmp_path, tmp_path / "none", finished / "checkpoints"):
        with refused("no-file", place):
            semgjax.import_parameters(place, tmp_path / "out", preset="ladder-16")
    assert not list(tmp_path.iterdir())
