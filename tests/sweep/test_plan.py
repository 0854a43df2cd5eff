"""Planning: sweep.json, written once, refused when it is another's or was edited."""

import json
from dataclasses import replace

import pytest

from semgjax.data.splitting.splits import Split, read_split
from semgjax.errors import InputError
from semgjax.files import read_json
from semgjax.model.presets import preset
from semgjax.sweep.plan import find_trial, plan_sweep, read_sweep, share_of
from semgjax.sweep.trial_cost import parameters_of
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_folder import read_config
from tests.refused import refused
from tests.sweep.plans import SPLIT, config_of, files_in, planned, students_of

SPLITS = {"hash of the sessions": SPLIT}


def test_a_plan_reads_back_as_it_was_made(tmp_path):
    sweep = planned(tmp_path, config_of("ladder-16", seed=0), config_of("ladder-16", seed=1), config_of("tiny"))
    assert [trial.id for trial in sweep.trials] == ["000-ladder-16-s0", "001-ladder-16-s1", "002-tiny-s0"]
    assert read_sweep(tmp_path / "sweep") == sweep
    names = {path.name for path in (tmp_path / "sweep").iterdir()}
    assert names == {"sweep.json", "splits", "trials", ".lock"}
    body = read_json(tmp_path / "sweep" / "sweep.json", "semgjax/sweep", 3)
    assert (body["name"], body["data"]) == ("sizes", str(tmp_path / "sessions"))
    assert read_split(sweep.split_file(sweep.trials[0])) == SPLIT
    assert [read_config(sweep.run_folder(trial)) for trial in sweep.trials] == [t.config for t in sweep.trials]
    assert [row["hash"] for row in body["trials"]] == [trial.config.hash for trial in sweep.trials]


def test_planning_the_same_again_changes_nothing(tmp_path):
    planned(tmp_path)
    before = files_in(tmp_path)
    assert planned(tmp_path) == read_sweep(tmp_path / "sweep")
    assert files_in(tmp_path) == before


def test_planning_the_same_trials_with_moved_sessions_writes_the_new_place(tmp_path):
    sweep = planned(tmp_path)
    configs = [trial.config for trial in sweep.trials]
    moved = plan_sweep("sizes", configs, tmp_path / "moved", SPLITS, tmp_path / "sweep")
    assert read_sweep(tmp_path / "sweep") == moved
    assert (moved.data, moved.trials) == (tmp_path / "moved", sweep.trials)


def test_another_plan_never_replaces_one(tmp_path):
    sweep = planned(tmp_path)
    configs = [trial.config for trial in sweep.trials]
    before = files_in(tmp_path)
    others = {
        "'other'": ("other", configs),
        "2": ("sizes", configs[:2]),
        "002-ladder-48-s0": ("sizes", [*configs[:2], config_of("ladder-48", steps=11)]),
    }
    for named, (name, chosen) in others.items():
        with refused("out-exists", tmp_path / "sweep", named):
            plan_sweep(name, chosen, tmp_path / "sessions", SPLITS, tmp_path / "sweep")
    assert files_in(tmp_path) == before


def test_a_folder_with_other_files_and_a_file_are_refused(tmp_path):
    configs = [config_of("ladder-16")]
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    before = files_in(tmp_path)
    with refused("out-exists", "notes.txt"):
        plan_sweep("a", configs, tmp_path, SPLITS, tmp_path / "full")
    with refused("not-a-file", "notes.txt"):
        plan_sweep("a", configs, tmp_path, SPLITS, tmp_path / "full" / "notes.txt")
    assert files_in(tmp_path) == before


def test_a_planning_that_was_killed_leaves_the_folder_usable(tmp_path):
    (tmp_path / "sweep").mkdir()
    for name in (".lock", ".sweep.json.123.abcd"):
        (tmp_path / "sweep" / name).write_text("")
    assert planned(tmp_path).trials


BASE = config_of("ladder-16")


@pytest.mark.parametrize(
    ("configs", "code", "named"),
    [
        ([], "bad-value", "0 trials"),
        ([BASE, config_of("ladder-32"), BASE], "conflict", "000-ladder-16-s0 and 002-ladder-16-s0"),
        ([replace(BASE, preset="../up")], "bad-name", "'../up'"),
        ([replace(BASE, distill=DistillConfig("teacher"))], "conflict", "(teacher)"),
    ],
)
def test_trials_that_cannot_run_are_refused_and_nothing_is_written(tmp_path, configs, code, named):
    with refused(code, named):
        plan_sweep("a", configs, tmp_path, SPLITS, tmp_path / "sweep")
    assert list(tmp_path.iterdir()) == []


def edit_rate(body):
    body["trials"][1]["config"]["optimizer"]["learning_rate"] = 0.5


def edit_out(body):
    del body["trials"][1]


def edit_name(body):
    body["name"] = "other"


def edit_kind(body):
    body["trials"] = 3


def edit_split(body):
    body["splits"] = {"hash of the sessions": "another"}


def edit_data(body):
    body["data"] = None


@pytest.mark.parametrize("edit", [edit_rate, edit_out, edit_name, edit_kind, edit_split, edit_data])
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
    with refused("no-file", "sweep.json"):
        read_sweep(tmp_path)


def test_a_trial_is_found_by_its_id_and_by_its_number(tmp_path):
    sweep = planned(tmp_path)
    assert find_trial(sweep, "1") is find_trial(sweep, "001-ladder-16-s0") is sweep.trials[1]
    with refused("unknown-name", "'3'", "0 to 2"):
        find_trial(sweep, "3")
    with refused("unknown-name", "'001-ladder-16-s1'", "'001-ladder-16-s0'"):
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
    assert parameters_of(preset("tds")) == 5_293_315


def test_another_split_of_the_same_trials_is_another_sweep(tmp_path):
    sweep = planned(tmp_path)
    configs = [trial.config for trial in sweep.trials]
    other = {"hash of the sessions": Split(("a", "c"), (), ("b",), {})}
    with refused("out-exists", tmp_path / "sweep"):
        plan_sweep("sizes", configs, tmp_path / "sessions", other, tmp_path / "sweep")


def test_a_student_knows_its_teachers_trial_and_pays_for_its_forward_pass(tmp_path):
    sweep = planned(tmp_path, config_of("ladder-48"), config_of("ladder-16"), *students_of("ladder-48", "ladder-16"))
    assert read_sweep(tmp_path / "sweep") == sweep
    assert [trial.teacher and trial.teacher.id for trial in sweep.trials] == [None, None, *["000-ladder-48-s0"] * 2]
    assert sweep.trials[2].flops > sweep.trials[1].flops


def test_shares_are_disjoint_whole_and_keep_students_with_their_teacher(tmp_path):
    students = students_of("ladder-48", "ladder-16")
    sweep = planned(tmp_path, *(config_of(f"ladder-{width}") for width in (16, 24, 32, 48)), *students)
    shares = [share_of(sweep, part, 3) for part in range(3)]
    assert sorted(t.id for share in shares for t in share) == [trial.id for trial in sweep.trials]
    assert [[trial.id[:3] for trial in share] for share in shares] == [["000", "003", "004", "005"], ["001"], ["002"]]
