"""TPU VMs: shell that bash and shellcheck take, golden, quoted, without secrets; the start-up script, played here."""

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from launch.tpu_vm import Target, render
from semgjax.errors import InputError
from semgjax.sweep.plan import share_of
from tests.launch.sweeps import awkward, check_golden, has_credential, shell_faults
from tests.runs import ROOT
from tests.sweep.plans import planned


def target(sweep: Path, **changes) -> Target:
    base = Target(
        sweep,
        "v5e-16",
        "europe-west4-b",
        "gs://lab-data/sweeps/it's my sweep",
        "gs://lab-data/sessions $1",
        "gs://lab-data/semgjax-0.1.0-py3-none-any.whl",
        sweep.parent / "out",
        workers=2,
    )
    return dataclasses.replace(base, **changes)


@pytest.mark.parametrize("topology", ["v5e-16", "v5e-8"])
def test_the_files_are_the_golden_ones_and_shell(tmp_path, topology):
    files = render(target(awkward(tmp_path).folder, topology=topology))
    for name, text in files.items():
        check_golden(f"tpu_vm/{topology}/{name}", text)
        assert shell_faults(text) == ""
        assert not has_credential(text)


SCRIPTS = sorted(ROOT.glob("launch/*.sh")) + sorted(ROOT.glob("tests/golden/launch/**/*.sh"))


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck here (apt-get install shellcheck)")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_shellcheck_finds_nothing(script):
    done = subprocess.run(["shellcheck", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("capacity", "word"), [("spot", "--spot"), ("reserved", "--reserved"), ("on-demand", None)])
def test_the_capacity_is_asked_for_in_gclouds_words(tmp_path, capacity, word):
    text = render(target(planned(tmp_path).folder, capacity=capacity))["create.sh"]
    assert [w for w in ("--spot", "--reserved", "--on-demand") if w in text] == ([word] if word else [])
    assert "--accelerator-type=v5litepod-16" in text


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"topology": "h100-8"}, "h100-8"),
        ({"name": "My Sweep"}, "--name 'My Sweep'"),
        ({"workers": 0}, "--workers 0"),
        ({"data": "sessions"}, "--data sessions"),
    ],
)
def test_what_the_cloud_would_refuse_is_refused_here(tmp_path, changes, says):
    with pytest.raises(InputError) as caught:
        render(target(planned(tmp_path).folder, **changes))
    assert says in str(caught.value) and "\n" not in str(caught.value)


def play(tmp_path: Path, text: str, codes: str = "0", worker: int = 0) -> list[str]:
    """Run a start-up script with stand-ins for the machine's commands; the words of every call of semgjax."""
    tools, calls = tmp_path / "tools", tmp_path / "calls"
    tools.mkdir(exist_ok=True)
    calls.unlink(missing_ok=True)
    for name in ("flock", "gcsfuse", "mountpoint", "apt-get", "gcloud", "sleep"):
        (tools / name).write_text("#!/bin/sh\nexit 0\n")
    (tools / "curl").write_text(f"#!/bin/sh\necho {worker}\n")
    (tools / "semgjax").write_text(
        f'#!/bin/bash\nprintf "%s|" "$@" >>"{calls}"; echo >>"{calls}"\n'
        f'codes=({codes}); n=$(wc -l <"{calls}"); exit "${{codes[n-1]:-0}}"\n'
    )
    for path in tools.iterdir():
        path.chmod(0o755)
    for machine, here in (("/opt/semgjax/bin/semgjax", tools / "semgjax"), ("/run/semgjax.lock", tmp_path / "lock"),
                          ("/mnt/bucket", tmp_path / "mount")):  # fmt: skip
        text = text.replace(machine, str(here))
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run(["bash"], input=text, text=True, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    return calls.read_text().splitlines()


def test_a_host_of_a_large_slice_goes_through_its_share_and_tells_exit_codes_apart(tmp_path):
    sweep = awkward(tmp_path)
    text = render(target(sweep.folder))["startup.sh"]
    calls = play(tmp_path, text, codes="75 1 0 70 1 1 1")
    wanted = [trial.id for trial in share_of(sweep, 0, 2)]
    assert len(wanted) == 3
    # Asked to stop and failed once: again; diverged: on; failed three times: given up.
    assert [call.split("|")[6] for call in calls] == [wanted[0]] * 3 + [wanted[1]] + [wanted[2]] * 3
    mounted = str(tmp_path / "mount")
    assert calls[0].split("|")[:5] == [
        "sweep",
        "run",
        f"{mounted}/sweeps/it's my sweep",
        "--data",
        f"{mounted}/sessions $1",
    ]
    assert calls[0].endswith("--start|tpu|")


def test_a_slice_of_one_host_runs_its_share_a_trial_per_chip(tmp_path):
    text = render(target(awkward(tmp_path).folder, topology="v5e-8"))["startup.sh"]
    (call,) = play(tmp_path, text, worker=1)
    words = call.split("|")
    assert words[words.index("--share") + 1] == "1/2"
    assert words[words.index("--chips") + 1] == "0,1,2,3,4,5,6,7"


def test_no_command_hides_in_the_name_of_a_sweep(tmp_path):
    play(tmp_path, render(target(awkward(tmp_path).folder))["startup.sh"])
    assert not (Path.cwd() / "x").exists() and not (tmp_path / "x").exists()
