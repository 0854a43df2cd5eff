"""Planning: sweep.json, written once, refused when it is another's or was edited."""

import json
from dataclasses import replace

import pytest

from semgjax.errors import InputError
from semgjax.files import read_json
from semgjax.model.config import preset
from semgjax.sweep.plan import find_trial, parameters_of, plan_sweep, read_sweep
from semgjax.train.config import DistillConfig
from tests.sweep.plans import config_of, files_in, planned


def test_a_plan_reads_back_as_it_was_made(tmp_path):
    sweep = planned(tmp_path, config_of("ladder-16", seed=0), config_of("ladder-16", seed=1), config_of("tiny"))
    assert [trial.id for trial in sweep.trials] == ["000-ladder-16-s0", "001-ladder-16-s1", "002-tiny-s0"]
    assert read_sweep(tmp_path / "sweep") == sweep
    assert [path.name for path in (tmp_path / "sweep").iterdir() if path.name != ".lock"] == ["sweep.json"]
    body = read_json(tmp_path / "sweep" / "sweep.json", "semgjax/sweep", 1)
    assert (body["name"], body["data"], body["split"]) == ("sizes", str(tmp_path / "sessions"), None)
    assert [row["hash"] for row in body["trials"]] == [trial.config.hash for trial in sweep.trials]


def test_planning_the_same_again_changes_nothing(tmp_path):
    planned(tmp_path)
    before = files_in(tmp_path)
    assert planned(tmp_path) == read_sweep(tmp_path / "sweep")
    assert files_in(tmp_path) == before


def test_planning_the_same_trials_with_moved_sessions_writes_the_new_place(tmp_path):
    sweep = planned(tmp_path)
    configs = [trial.config for trial in sweep.trials]
    split = tmp_path / "moved" / "mine.json"
    moved = plan_sweep("sizes", configs, tmp_path / "moved", split, tmp_path / "sweep")
    assert read_sweep(tmp_path / "sweep") == moved
    assert (moved.data, moved.split, moved.trials) == (tmp_path / "moved", split, sweep.trials)


def test_another_plan_never_replaces_one(tmp_path):
    sweep = planned(tmp_path)
    configs = [trial.config for trial in sweep.trials]
    before = files_in(tmp_path)
    others = {
        "name 'sizes', now 'other'": ("other", configs),
        "3 trials, now 2": ("sizes", configs[:2]),
        "trial 002-ladder-48-s0 differs": ("sizes", [*configs[:2], config_of("ladder-48", steps=11)]),
    }
    for says, (name, chosen) in others.items():
        with pytest.raises(InputError) as caught:
            plan_sweep(name, chosen, tmp_path / "sessions", None, tmp_path / "sweep")
        assert says in str(caught.value)
    assert files_in(tmp_path) == before


def test_a_folder_with_other_files_and_a_file_are_refused(tmp_path):
    configs = [config_of("ladder-16")]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    before = files_in(tmp_path)
    with pytest.raises(InputError, match=r"is not empty \(notes.txt\)"):
        plan_sweep("a", configs, tmp_path, None, tmp_path / "full")
    with pytest.raises(InputError, match="is a file"):
        plan_sweep("a", configs, tmp_path, None, tmp_path / "full" / "notes.txt")
    assert files_in(tmp_path) == before


def test_a_planning_that_was_killed_leaves_the_folder_usable(tmp_path):
    (tmp_path / "sweep").mkdir()
    for name in (".lock", ".sweep.json.123.abcd"):
        (tmp_path / "sweep" / name).write_text("")
    assert planned(tmp_path).trials


BASE = config_of("ladder-16")


@pytest.mark.parametrize(
    ("configs", "says"),
    [
        ([], "give a name and a trial or more"),
        ([BASE, config_of("ladder-32"), BASE], "trials 000-ladder-16-s0 and 002-ladder-16-s0 are the same run"),
        ([BASE, config_of("ladder-32", data="other")], "are on different sessions"),
        ([replace(BASE, preset="../up")], "preset '../up' is no name for a folder"),
        ([replace(BASE, distill=DistillConfig("teacher"))], "a sweep has no teacher"),
    ],
)
def test_trials_that_cannot_run_are_refused_and_nothing_is_written(tmp_path, configs, says):
    with pytest.raises(InputError) as caught:
        plan_sweep("a", configs, tmp_path, None, tmp_path / "sweep")
    assert says in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def edit_rate(body):
    body["trials"][1]["config"]["optimizer"]["learning_rate"] = 0.5


def edit_out(body):
    del body["trials"][1]


def edit_name(body):
    body["name"] = "other"


def edit_kind(body):
    body["trials"] = 3


def edit_data(body):
    body["data"] = None


@pytest.mark.parametrize("edit", [edit_rate, edit_out, edit_name, edit_kind, edit_data])
def test_an_edited_plan_is_refused_in_one_line(tmp_path, edit):
    planned(tmp_path)
    path = tmp_path / "sweep" / "sweep.json"
    body = json.loads(path.read_text())
    edit(body)
    path.write_text(json.dumps(body))
    with pytest.raises(InputError) as caught:
        read_sweep(tmp_path / "sweep")
    assert str(caught.value) == f"{path}: was edited after planning; plan into another folder instead"


def test_a_folder_without_a_plan_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match=r"sweep.json: no such file; plan a sweep with: semgjax sweep plan"):
        read_sweep(tmp_path)


def test_a_trial_is_found_by_its_id_and_by_its_number(tmp_path):
    sweep = planned(tmp_path)
    assert find_trial(sweep, "1") is find_trial(sweep, "001-ladder-16-s0") is sweep.trials[1]
    with pytest.raises(InputError, match="no trial '3'; give an id or 0 to 2"):
        find_trial(sweep, "3")
    with pytest.raises(InputError, match="no trial '001-ladder-16-s1'; did you mean '001-ladder-16-s0'"):
        find_trial(sweep, "001-ladder-16-s1")


def test_the_cost_of_a_trial_grows_with_steps_and_size(tmp_path):
    short, long, wide = planned(
        tmp_path, config_of("ladder-16"), config_of("ladder-16", steps=20), config_of("ladder-64")
    ).trials
    assert long.flops == 2 * short.flops
    assert wide.flops > short.flops > 0


def test_parameters_are_counted_without_making_them():
    assert parameters_of(preset("tiny")) == 2_217_827
    assert parameters_of(preset("large")) == 109_412_963
