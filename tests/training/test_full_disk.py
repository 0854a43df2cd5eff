"""A disk that fills up during training or export: one line with its code, and nothing that was whole is lost."""

import dataclasses
import json

import pytest

from semgjax.data.corpus import load_corpus
from semgjax.errors import InputError
from semgjax.training.checkpoint import whole_steps
from semgjax.training.packing import Job, train_pack
from semgjax.training.run_folder import read_result
from tests.runs import STEPS, assert_same_run, run_config, start, train_words


def fill(disk, room: int):
    """Leave so many bytes on the file system."""
    import shutil

    (disk / "ballast").write_bytes(b"\0" * (shutil.disk_usage(disk).free - room))
    return disk / "ballast"


def run(words):
    """(exit code, stdout, stderr) of a process of its own."""
    process = start([str(word) for word in words])
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def errors(err):
    return [line for line in err.splitlines() if line.startswith("semgjax: error: ")]


@pytest.mark.slow
@pytest.mark.parametrize("room", [100_000, 700_000, 1_300_000])
def test_a_disk_that_fills_up_during_training_is_one_line_and_the_run_resumes(sessions, finished, small_disk, room):
    ballast, out = fill(small_disk, room), small_disk / "run"
    code, printed, err = run(train_words(sessions, out))
    assert (code, printed) == (2, "") and "Traceback" not in err, err
    assert len(errors(err)) == 1 and str(out) in errors(err)[0]
    before = whole_steps(out / "checkpoints")
    assert STEPS not in before
    ballast.unlink()
    code, _, err = run(train_words(sessions, out))
    assert code == 0, err
    assert before == set() or min(before) > 0
    assert_same_run(out, finished)


@pytest.mark.slow
@pytest.mark.parametrize("room", [100_000, 1_300_000])
def test_a_disk_that_fills_up_ends_one_run_of_a_pack_and_not_the_others(sessions, small_disk, tmp_path, room):
    fill(small_disk, room)
    corpus = load_corpus(sessions)
    config = run_config(corpus)
    other = dataclasses.replace(config, train=dataclasses.replace(config.train, seed=1))
    full, fine = train_pack([Job(config, corpus, small_disk / "run"), Job(other, corpus, tmp_path / "run")])
    assert isinstance(full, InputError) and full.code == "no-space" and str(small_disk / "run") in str(full)
    assert read_result(small_disk / "run") is None and read_result(tmp_path / "run")["scores"] == fine["scores"]
    assert STEPS in whole_steps(tmp_path / "run" / "checkpoints")


@pytest.mark.parametrize("room", [0, 20_000, 100_000])
def test_a_disk_that_fills_up_during_an_export_is_one_line_and_nothing_is_left(finished, small_disk, room):
    fill(small_disk, room)
    code, _, err = run(["export", finished, "--out", small_disk / "e"])
    assert code == 2 and "Traceback" not in err and len(errors(err)) == 1, err
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


def test_the_code_of_a_full_disk_is_printed(sessions, small_disk):
    fill(small_disk, 0)
    code, out, _ = run(["data", "ingest", sessions, small_disk / "shards", "--json", "--workers", "1"])
    assert code == 2 and json.loads(out)["error"]["code"] == "no-space"
