"""A small corpus of session files for the tests of `semgjax data`, and how its commands fail."""

import pytest

from semgjax.cli.main import main
from tests.data.fixtures import typed, write_session


def files_in(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fails_with_one_line(capsys, words) -> str:
    """Run a command that must end with exit code 2 and one line on stderr; that line."""
    assert main([str(word) for word in words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("semgjax: error: ")
    return lines[0]


@pytest.fixture
def corpus(tmp_path):
    """Four users with two sessions each, and one more session of 3 s."""
    for user in range(4):
        for i in range(2):
            write_session(tmp_path / f"s{user}{i}.hdf5", 17_000, user=f"u{user}", keystrokes=typed("hello world"))
    strokes = [*typed("ab"), *({"key": "Key.shift_r", "start": 1.6e9} for _ in range(3))]
    write_session(tmp_path / "short.hdf5", 6000, user="u0", keystrokes=strokes)
    return tmp_path
