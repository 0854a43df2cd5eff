""".ci/run: what stops it. Its last part runs here as it stands, on a PATH of the test's own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parents[1] / ".ci" / "run"


@pytest.fixture
def last_part(tmp_path):
    """Runs the part on the newest releases with a `make` that writes down its arguments."""
    programs = tmp_path / "bin"
    programs.mkdir()
    make = programs / "make"
    make.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/made\n')
    make.chmod(0o755)
    text = RUN.read_text()
    part = "set -euo pipefail\n" + text[text.index("newest=\n") :]

    def run(*interpreters: tuple[str, str]) -> tuple[int, str]:
        for path, version in interpreters:
            program = tmp_path / path
            program.parent.mkdir(parents=True, exist_ok=True)
            ok = "0" if version in ("3.12", "3.13") else "1"
            program.write_text(f"#!/bin/sh\nexit {ok}\n")
            program.chmod(0o755)
        env = {"PATH": str(programs), "HOME": str(tmp_path)}
        done = subprocess.run([shutil.which("bash") or "bash", "-c", part], env=env, capture_output=True, text=True)
        made = tmp_path / "made"
        return done.returncode, made.read_text() if made.exists() else ""

    return run


def test_no_newer_interpreter_is_a_failure_not_a_skip(last_part):
    assert last_part() == (1, "")


def test_an_interpreter_that_does_not_start_is_passed_over(last_part, tmp_path):
    code, made = last_part(("bin/python3.13", "broken"), (".pyenv/versions/3.12.1/bin/python3", "3.12"))
    assert code == 0
    assert f"PYTHON={tmp_path}/.pyenv/versions/3.12.1/bin/python3" in made
    assert "LOCK=requirements-newest.lock" in made


def test_the_newer_of_two_interpreters_is_taken(last_part, tmp_path):
    code, made = last_part(
        (".pyenv/versions/3.12.1/bin/python3", "3.12"), (".pyenv/versions/3.13.0/bin/python3", "3.13")
    )
    assert code == 0
    assert f"PYTHON={tmp_path}/.pyenv/versions/3.13.0/bin/python3" in made


def test_the_script_is_executable_and_valid_bash():
    assert os.access(RUN, os.X_OK)
    assert subprocess.run(["bash", "-n", RUN]).returncode == 0
