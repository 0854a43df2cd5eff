"""`semgjax train`: the words, the recipe behind a size, and every refusal before anything is written."""

import re
import shutil
import subprocess
import sys

import pytest

from semgjax.cli.main import main
from semgjax.files import folder_lock
from semgjax.training.plateau import result_words
from semgjax.training.run_config import recipe
from semgjax.training.run_folder import read_config, read_result
from tests.data.damage import BAD_FILES
from tests.data.fixtures import typed, write_session
from tests.runs import fails, run_config, snapshot, train_words


def default_of(help_text: str, option: str) -> str:
    """The default that a help page shows for an option."""
    text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", help_text).split())
    match = re.search(rf"{re.escape(option)} .*?\(default: ([^)]*)\)", text)
    assert match, f"{option} has no default in the help"
    return match.group(1)


@pytest.mark.parametrize("name", ["tiny", "large", "ladder-64"])
def test_the_help_shows_the_recipe_of_the_size(capsys, name):
    assert main(["train", "--preset", name, "--help"]) == 0
    text, base = capsys.readouterr().out, recipe(name)
    assert default_of(text, "--train.steps") == str(base.train.steps)
    assert default_of(text, "--train.batch") == str(base.train.batch)
    assert default_of(text, "--window.length") == str(base.window.length)
    assert float(default_of(text, "--optimizer.learning-rate")) == base.optimizer.learning_rate
    assert default_of(text, "--model.dim") == {"tiny": "128", "large": "1024", "ladder-64": "64"}[name]


def test_the_help_of_the_baseline_shows_its_own_shape_and_windows(capsys):
    assert main(["train", "--preset", "tds", "--help"]) == 0
    text = capsys.readouterr().out
    window = ("length", "stride", "left", "right")
    assert [default_of(text, f"--window.{name}") for name in window] == ["8000", "8000", "1792", "208"]
    assert default_of(text, "--model.features") == "384" and "--model.dim" not in text


def test_the_words_make_the_configuration_they_name(sessions, finished):
    from semgjax.data.corpus import load_corpus

    assert read_config(finished) == run_config(load_corpus(sessions))


def test_a_finished_run_prints_its_result_again_and_changes_nothing(sessions, finished, capsys):
    before = snapshot(finished)
    capsys.readouterr()
    assert main(train_words(sessions, finished)) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert re.fullmatch(r"supervised ladder-16: [\d,]+ parameters, 8 steps", lines[0])
    assert lines[-1].strip() == str(finished / "result.json")
    assert lines[-2].strip() == result_words(read_result(finished))
    assert [line.split()[:3] for line in lines[1:-2]] == [
        [split, "greedy", averaging] for split in ("val", "test") for averaging in ("macro", "pooled")
    ]
    assert snapshot(finished) == before


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("--optimizer.learning-rate=0.5", "0.5"),
        ("--train.seed=1", "train.seed 0"),
        ("--train.steps=9", "train.steps 8"),
        ("--augment.roll=3", "augment.roll 1"),
    ],
)
def test_another_configuration_in_a_runs_folder_is_refused_with_both_values(sessions, finished, capsys, word, says):
    before = snapshot(finished)
    line = fails(capsys, train_words(sessions, finished, word))
    assert f"{finished}: " in line and says in line
    assert word.partition("=")[0].removeprefix("--").replace("-", "_") in line
    assert snapshot(finished) == before


def test_other_data_in_a_runs_folder_is_refused(finished, tmp_path, capsys):
    for user in "ab":
        write_session(tmp_path / "data" / f"{user}.hdf5", 4000, user=user, keystrokes=typed("hello"))
    assert main(["data", "splits", str(tmp_path / "data"), "--test-users", "1"]) == 0
    before = snapshot(finished)
    assert "data '" in fails(capsys, train_words(tmp_path / "data", finished))
    assert snapshot(finished) == before


def test_a_foreign_folder_and_a_file_are_refused(sessions, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    assert "notes.txt) and holds no run" in fails(capsys, train_words(sessions, tmp_path))
    assert "is a file" in fails(capsys, train_words(sessions, tmp_path / "notes.txt"))
    assert snapshot(tmp_path) == {"notes.txt": b"mine"}


HOLD = """
import sys
from pathlib import Path
from semgjax.files import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_run_in_use_by_another_process_is_refused_and_named(sessions, finished, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    (run / "result.json").unlink()
    holder = subprocess.Popen([sys.executable, "-c", HOLD, run], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
        before = snapshot(run)
        line = fails(capsys, train_words(sessions, run))
        assert f"{run}: " in line and f"process {holder.pid} on " in line
        assert snapshot(run) == before
    finally:
        holder.communicate(b"")
    with folder_lock(run):
        pass  # freed: the refusal took no lock


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--train.stps", "3"], "--train.steps"),
        (["--optimiser.clip", "1"], "--optimizer.clip"),
        (["--train.steps", "many"], "many"),
        (["--train.steps", "0"], "train.steps 0"),
        (["--train.seed", "-1"], "train.seed -1"),
        (["--train.compute", "float64"], "float64"),
        (["--optimizer.learning-rate", "inf"], "optimizer.learning_rate inf"),
        (["--optimizer.decay", "nan"], "optimizer.decay nan"),
        (["--window.length", "1001"], "window.length 1001"),
        (["--window.length", "-40"], "-40"),
        (["--window.right", "160"], "emission_delay"),
        (["--window.length", "80000"], "80000"),
        (["--model.heads", "0"], "heads 0"),
        (["--model.heads", "3"], "heads 3"),
        (["--model.classes", "50"], "model.classes 50"),
        (["--model.channels", "16"], "model.channels 16"),
        (["--model.conv-widths", "8", "16"], "conv_widths"),
        (["--augment.roll", "-1"], "roll -1"),
        (["--preset", "gigantic"], "preset 'gigantic'"),
        (["--model.features", "8"], "--model.features"),
        (["--preset", "tds"], "--model.dropout"),
        (["--preset", "ladder-20"], "preset ladder-20: "),
        (["--splits", "none.json"], "none.json: "),
    ],
)
def test_words_that_cannot_work_are_one_line_and_nothing_is_written(sessions, tmp_path, capsys, words, says):
    assert says in fails(capsys, [*train_words(sessions, tmp_path / "run"), *words])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["--preset", "--data", "--out"])
def test_a_missing_option_is_named(tmp_path, capsys, missing):
    given = {"--preset": "ladder-16", "--data": str(tmp_path), "--out": str(tmp_path / "run")}
    words = [word for option, value in given.items() if option != missing for word in (option, value)]
    assert missing in fails(capsys, ["train", *words])
    assert list(tmp_path.iterdir()) == []


def test_the_last_of_two_presets_gives_both_the_name_and_the_model(tmp_path, capsys):
    assert main(["train", "--preset", "tiny", "--preset", "ladder-32", "--help"]) == 0
    assert default_of(capsys.readouterr().out, "--model.dim") == "32"


@pytest.mark.parametrize("command", ["train", "distill"])
def test_a_named_augmentation_gives_the_defaults_of_its_options(command, capsys):
    assert main([command, "--preset", "ladder-32", "--augmentation", "robust", "--help"]) == 0
    text = capsys.readouterr().out
    assert default_of(text, "--augment.lag") == "120"
    assert default_of(text, "--augment.mask") == "0.5"
    assert main([command, "--preset", "ladder-32", "--help"]) == 0
    text = capsys.readouterr().out
    assert default_of(text, "--augment.lag") == "40"
    assert default_of(text, "--augment.mask") == "0.0"


def test_an_augmentation_that_is_none_is_refused(tmp_path, capsys):
    words = ["train", "--preset", "tiny", "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    assert "'bold'" in fails(capsys, [*words, "--augmentation", "bold"])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_sessions_that_is_missing_empty_or_not_split_is_refused(tmp_path, capsys):
    run, data = tmp_path / "run", tmp_path / "data"
    assert str(data) in fails(capsys, train_words(data, run))
    data.mkdir()
    assert str(data) in fails(capsys, train_words(data, run))
    write_session(data / "a.hdf5", 4000)
    line = fails(capsys, train_words(data, run))
    assert f"{data / 'splits.json'}: " in line and "semgjax data splits" in line
    assert not run.exists()


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_session_file_is_refused_before_anything_is_written(tmp_path, capsys, name):
    make, says = BAD_FILES[name]
    data = tmp_path / "data"
    for user in "ab":
        write_session(data / f"{user}.hdf5", 4000, user=user, keystrokes=typed("hello"))
    assert main(["data", "splits", str(data), "--test-users", "1"]) == 0
    make(data / "a.hdf5")
    line = fails(capsys, train_words(data, tmp_path / "run"))
    assert "a.hdf5" in line or "'a'" in line
    assert says in line
    assert not (tmp_path / "run").exists()
