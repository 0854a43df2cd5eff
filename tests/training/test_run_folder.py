"""Whose folder it is: claims, refusals that write nothing, and reading a run back."""

import dataclasses
import json

import pytest

from semgjax.errors import InputError
from semgjax.model.presets import preset
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import OptimizerConfig, RunConfig
from semgjax.training.run_folder import check_claim, claim, load_finished, read_config, read_result
from tests.refused import refused
from tests.runs import snapshot

CONFIG = RunConfig("ladder-16", preset("ladder-16"), data="d" * 64, distill=DistillConfig("t" * 64))


def test_a_claimed_folder_reads_back_as_the_same_configuration(tmp_path):
    claim(tmp_path / "deep" / "run", CONFIG)
    assert read_config(tmp_path / "deep" / "run") == CONFIG
    body = json.loads((tmp_path / "deep" / "run" / "config.json").read_text())
    assert (body["schema"], body["version"], body["hash"]) == ("semgjax/config", 2, CONFIG.hash)
    assert read_result(tmp_path / "deep" / "run") is None


def test_a_claim_by_the_same_run_changes_nothing(tmp_path):
    claim(tmp_path, CONFIG)
    before = snapshot(tmp_path)
    claim(tmp_path, dataclasses.replace(CONFIG))
    assert snapshot(tmp_path) == before


def test_another_run_is_refused_with_every_member_and_both_values(tmp_path):
    claim(tmp_path, CONFIG)
    before = snapshot(tmp_path)
    other = dataclasses.replace(CONFIG, optimizer=OptimizerConfig(learning_rate=5e-4, clip=2.0), distill=None)
    with pytest.raises(InputError) as caught:
        claim(tmp_path, other)
    message = str(caught.value)
    assert "optimizer.learning_rate 0.001, now 0.0005" in message
    assert "optimizer.clip 0.1, now 2.0" in message
    assert "distill" in message and "\n" not in message
    assert snapshot(tmp_path) == before


def test_a_free_folder_is_seen_without_being_made(tmp_path):
    check_claim(tmp_path / "new", CONFIG)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".lock").write_text("")  # what an earlier refusal of another command may have left
    check_claim(tmp_path, CONFIG)


def test_a_folder_of_other_files_and_a_file_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with refused("out-exists", tmp_path, "notes.txt"):
        claim(tmp_path, CONFIG)
    with refused("not-a-file", tmp_path / "notes.txt"):
        claim(tmp_path / "notes.txt", CONFIG)
    assert snapshot(tmp_path) == {"notes.txt": b"mine"}


def edit(path, change) -> None:
    body = json.loads(path.read_text())
    change(body)
    path.write_text(json.dumps(body))


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        (lambda body: body["train"].update(steps=7), "changed", ""),
        (lambda body: body.pop("hash"), "changed", ""),
        (lambda body: body["train"].update(stepz=7), "bad-field", "stepz"),
        (lambda body: body["train"].update(steps="7"), "bad-field", "steps"),
        (lambda body: body.pop("model"), "bad-field", "model"),
        (lambda body: body.update(version=3), "wrong-version", 3),
        (lambda body: body.update(schema="semgjax/split"), "wrong-schema", "semgjax/split"),
    ],
)
def test_an_edited_configuration_is_refused_by_its_file(tmp_path, change, code, named):
    claim(tmp_path, CONFIG)
    edit(tmp_path / "config.json", change)
    for read in (read_config, load_finished):
        with refused(code, tmp_path / "config.json", named):
            read(tmp_path)


def test_a_run_without_a_checkpoint_is_not_finished(tmp_path):
    claim(tmp_path, CONFIG)
    with refused("not-finished", tmp_path):
        load_finished(tmp_path)


def test_a_folder_without_a_run_is_named(tmp_path):
    with refused("no-file", tmp_path / "config.json"):
        load_finished(tmp_path)
