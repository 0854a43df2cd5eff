""".ci/run and the interpreter that its last part takes, chosen here on a PATH of the test's own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CI = Path(__file__).parents[1] / ".ci"


@pytest.fixture
def newest(tmp_path):
    """Runs the choice among interpreters that are given as a path below the home folder and a version."""
    programs = tmp_path / "bin"
    programs.mkdir()

    def run(*interpreters: tuple[str, str]) -> tuple[int, str]:
        for path, version in interpreters:
            program = tmp_path / path
            program.parent.mkdir(parents=True, exist_ok=True)
            ok = "0" if version in ("3.12", "3.13") else "1"
            program.write_text(f"#!/bin/sh\nexit {ok}\n")
            program.chmod(0o755)
        env = {"PATH": str(programs), "HOME": str(tmp_path)}
        command = [shutil.which("bash") or "bash", CI / "newest-python"]
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        return done.returncode, done.stdout.strip()

    return run


def test_no_newer_interpreter_is_a_failure_not_a_skip(newest):
    assert newest() == (1, "")


def test_an_interpreter_that_does_not_start_is_passed_over(newest, tmp_path):
    chosen = newest(("bin/python3.13", "broken"), (".pyenv/versions/3.12.1/bin/python3", "3.12"))
    assert chosen == (0, f"{tmp_path}/.pyenv/versions/3.12.1/bin/python3")


def test_an_older_interpreter_is_passed_over(newest, tmp_path):
    chosen = newest(("bin/python3.12", "3.11"), (".pyenv/versions/3.12.1/bin/python3", "3.12"))
    assert chosen == (0, f"{tmp_path}/.pyenv/versions/3.12.1/bin/python3")


def test_the_newer_of_two_interpreters_is_taken(newest, tmp_path):
    chosen = newest((".pyenv/versions/3.12.1/bin/python3", "3.12"), (".pyenv/versions/3.13.0/bin/python3", "3.13"))
    assert chosen == (0, f"{tmp_path}/.pyenv/versions/3.13.0/bin/python3")


@pytest.mark.parametrize("script", ["run", "newest-python"])
def test_the_scripts_are_executable_and_valid_bash(script):
    assert os.access(CI / script, os.X_OK)
    assert subprocess.run(["bash", "-n", CI / script]).returncode == 0


def test_the_last_part_tests_the_newest_releases_on_the_chosen_interpreter(tmp_path):
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/made\n')
    make.chmod(0o755)
    text = (CI / "run").read_text()
    chosen = next(line for line in text.splitlines() if line.startswith("on_newest="))
    part = f"set -euo pipefail\nnewest=/there/python3\n{chosen}\n" + text[text.index("make test-quick") :]
    subprocess.run([shutil.which("bash") or "bash", "-c", part], env={"PATH": str(tmp_path)}, check=True)
    made = (tmp_path / "made").read_text().split()
    assert {"test-quick", "PYTHON=/there/python3", "LOCK=requirements-newest.lock"} < set(made)
