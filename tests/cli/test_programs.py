"""Compiled programs of short commands: kept in the user's cache folder, and never in the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TABLE = "params,cer\n" + "".join(f"{n},{8 + 900 * n**-0.3:.6f}\n" for n in (1e4 * 1.1**i for i in range(80)))
"""more rows than are fitted without compilation"""


def fit(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "t.csv").write_text(TABLE)
    command = [sys.executable, "-m", "semgjax", "scaling", "fit", "t.csv", "--map", "N=params", "--map", "y=cer"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")} | variables
    root = str(Path(__file__).parents[2])
    return subprocess.run(
        command, cwd=folder, env=environment | {"PYTHONPATH": root}, capture_output=True, text=True, check=True
    )


@pytest.mark.slow
def test_a_second_call_reads_the_programs_of_the_first_and_gives_the_same_numbers(tmp_path):
    first = fit(tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    (folder,) = (tmp_path / "cache" / "semgjax").iterdir()
    programs = {path.name for path in folder.iterdir() if not path.name.endswith("-atime")}
    assert programs
    second = fit(tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert {path.name for path in folder.iterdir() if not path.name.endswith("-atime")} == programs
    assert first.stdout == second.stdout  # libtpu, where it is installed, writes the time to stderr


@pytest.mark.slow
def test_without_a_place_for_programs_the_numbers_are_the_same(tmp_path):
    (tmp_path / "file").write_text("")
    assert (
        fit(tmp_path, XDG_CACHE_HOME=str(tmp_path / "file")).stdout
        == fit(tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache")).stdout
    )


@pytest.mark.slow
def test_a_damaged_program_is_compiled_again(tmp_path):
    first = fit(tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    (folder,) = (tmp_path / "cache" / "semgjax").iterdir()
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    assert fit(tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache")).stdout == first.stdout
