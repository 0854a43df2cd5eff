"""GKE: valid against the JobSet schema, golden, quoted, without secrets; and the pods' command, run here."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from launch.gke import MOUNT, Target, render, trial_command
from semgjax.errors import InputError
from semgjax.sweep.plan import plan_sweep
from semgjax.sweep.planfile import read_plan_file
from semgjax.sweep.resolve import resolve
from semgjax.sweep.trial_cost import parameters_of
from tests.launch.schema import faults
from tests.launch.sweeps import awkward, check_golden, has_credential
from tests.runs import ROOT, start
from tests.sweep.plans import config_of, planned

SCHEMA = json.loads((Path(__file__).parent / "jobset_schema.json").read_text())["schema"]


def target(sweep: Path, **changes) -> Target:
    base = Target(
        sweep,
        "v5e-16",
        "gs://lab-data/sweeps/my sweep",
        "gs://lab-data/sessions #1",
        "europe-docker.pkg.dev/lab/semg/semgjax:0.1.0",
        sweep.parent / "out",
    )
    return dataclasses.replace(base, **changes)


def documents(text: str) -> list[dict]:
    return list(yaml.safe_load_all(text))


@pytest.fixture
def sweep(tmp_path):
    return awkward(tmp_path)


@pytest.fixture
def files(sweep):
    return render(target(sweep.folder, spot=True, slices=3))


def test_the_files_are_the_golden_ones(sweep, files):
    assert set(files) == {"queue.yaml", "trials-0.yaml", "trials-1.yaml"}
    for name, text in files.items():
        for trial in sweep.trials:  # a hash changes with every default of training
            text = text.replace(trial.config.hash[:8], "HASHHASH")
        check_golden(f"gke/{name}", text)
        assert not has_credential(text)


def test_every_trial_is_a_jobset_that_the_schema_takes(files):
    jobsets = documents(files["trials-0.yaml"]) + documents(files["trials-1.yaml"])
    assert len(jobsets) == 4
    assert [fault for jobset in jobsets for fault in faults(SCHEMA, jobset)] == []
    assert len({jobset["metadata"]["name"] for jobset in jobsets}) == 4
    assert all(len(jobset["metadata"]["name"]) <= 40 for jobset in jobsets)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda spec: spec.update(replicas=2), "has no member replicas"),
        (lambda spec: spec["failurePolicy"].update(maxRestarts="2"), "'2' is no integer"),
        (lambda spec: spec["failurePolicy"]["rules"][0].update(action="Restart"), "is none of"),
        (lambda spec: spec["replicatedJobs"][0].pop("template"), "lacks template"),
    ],
)
def test_the_schema_check_finds_faults(files, change, says):
    jobset = documents(files["trials-0.yaml"])[0]
    change(jobset["spec"])
    assert any(says in fault for fault in faults(SCHEMA, jobset))


def test_a_pod_per_host_with_its_chips_and_the_slices_labels(files):
    job = documents(files["trials-0.yaml"])[0]["spec"]["replicatedJobs"][0]["template"]["spec"]
    assert (job["completionMode"], job["parallelism"], job["completions"], job["backoffLimit"]) == ("Indexed", 4, 4, 0)
    pod = job["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"] == {"google.com/tpu": 4}
    assert pod["nodeSelector"]["cloud.google.com/gke-tpu-topology"] == "4x4"
    assert pod["nodeSelector"]["cloud.google.com/gke-spot"] == "true"


def test_names_with_blanks_and_quotes_reach_the_command_and_the_notes_as_they_are(files, tmp_path):
    jobset = documents(files["trials-1.yaml"])[0]
    assert jobset["metadata"]["annotations"]["semgjax/sweep"] == "sizes: \"new\" $(touch x) 'n' #1"
    pod = jobset["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]
    command = pod["containers"][0]["command"]
    assert command[5:] == [
        f"{MOUNT}/sweeps/my sweep", "--trial", "002-ladder-16-s0", "--data", f"{MOUNT}/sessions #1", "--cores", "1",
    ]  # fmt: skip


def test_students_are_in_the_file_after_their_teachers(files):
    trials = [
        [jobset["metadata"]["annotations"]["semgjax/trial"][:3] for jobset in documents(files[f"trials-{level}.yaml"])]
        for level in (0, 1)
    ]
    assert trials == [["000", "001"], ["002", "003"]]


def test_exit_codes_are_told_apart(files):
    spec = documents(files["trials-0.yaml"])[0]["spec"]
    rules = {rule["name"]: rule for rule in spec["failurePolicy"]["rules"]}
    assert rules["preempted"]["action"] == "RestartJobSetAndIgnoreMaxRestarts"
    assert rules["ended"]["action"] == "FailJobSet"
    assert spec["failurePolicy"]["maxRestarts"] == 2
    job = spec["replicatedJobs"][0]["template"]["spec"]
    assert job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [2, 70, 75]


def test_the_queue_holds_as_many_chips_as_slices(files):
    flavor, cluster, local = documents(files["queue.yaml"])
    quota = cluster["spec"]["resourceGroups"][0]["flavors"][0]
    assert quota["name"] == flavor["metadata"]["name"]
    assert quota["resources"] == [{"name": "google.com/tpu", "nominalQuota": 48}]
    assert local["spec"]["clusterQueue"] == cluster["metadata"]["name"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"topology": "v5e-12"}, "'v5e-12'"),
        ({"queue": "My Queue"}, "--queue 'My Queue'"),
        ({"image": " "}, "--image"),
        ({"place": "gs://other/sweep"}, "gs://other/sweep"),
        ({"sweep": Path("nowhere")}, "nowhere"),
    ],
)
def test_what_the_cluster_would_refuse_is_refused_here(tmp_path, changes, says):
    with pytest.raises(InputError) as caught:
        render(dataclasses.replace(target(planned(tmp_path).folder), **changes))
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_the_command_line_writes_the_files_and_tells_the_next_steps(tmp_path):
    sweep = planned(tmp_path, config_of("ladder-16")).folder
    words = [sys.executable, "-m", "launch.gke", str(sweep), "--topology", "v5e-8", "--place", "gs://lab/a b"]
    words += ["--data", "gs://lab/s", "--image", "x", "--out", str(tmp_path / "out")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["queue.yaml", "trials-0.yaml"]
    assert "'gs://lab/a b'" in done.stdout
    done = subprocess.run([*words[:5], "tpu", *words[6:]], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("launch.gke: error: topology 'tpu' is unknown")


PLAN = """
name = "two hosts"
[set]
preset = "ladder-16"
"train.steps" = 3
"train.batch" = 4
"train.log_every" = 1
"train.checkpoint_every" = 2
"train.evaluate_every" = 3
"window.length" = 2000
"window.stride" = 2000
"window.left" = 200
"""


@pytest.mark.slow
def test_two_pods_with_the_variables_of_gke_train_one_trial(tmp_path, sessions):
    (tmp_path / "plan.toml").write_text(PLAN)
    resolved = resolve(read_plan_file(tmp_path / "plan.toml"), sessions, None)
    sweep = plan_sweep("two hosts", resolved.configs, sessions, resolved.splits, tmp_path / "my sweep")
    command = trial_command(target(sweep.folder), sweep.trials[0])
    here = {f"{MOUNT}/sweeps/my sweep": str(sweep.folder), f"{MOUNT}/sessions #1": str(sessions)}
    words = [here.get(word, word) for word in command]
    assert words[:3] == ["python", "-m", "semgjax"] and set(here.values()) <= set(words)
    pods = [
        start(words[3:], JOB_COMPLETION_INDEX=str(index), TPU_WORKER_ID=str(index),
              TPU_WORKER_HOSTNAMES="localhost,localhost", JAX_NUM_CPU_DEVICES="1")
        for index in range(2)
    ]  # fmt: skip
    said = [pod.communicate(timeout=900) for pod in pods]
    assert [pod.returncode for pod in pods] == [0, 0], said
    assert "2 processes (GKE)" in said[0][1] and "supervised ladder-16" in said[0][0] and "supervised" not in said[1][0]
    result = json.loads((sweep.run_folder(sweep.trials[0]) / "result.json").read_text())
    assert result["steps"] == 3 and result["params"] == parameters_of(sweep.trials[0].config.model)
    assert len(sweep.starts(sweep.trials[0]).read_text().splitlines()) == 1
