"""From words to a call of a typed function, and from a mistake to one line."""

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import tyro

from semgjax.cli.parse import run_commands, spelled_out, word_after
from semgjax.errors import InputError


@dataclass(frozen=True)
class Schedule:
    """How long.

    Attributes:
        steps: number of steps
    """

    steps: int = 10


def recorder(calls: list) -> dict:
    """Two commands that note how they were called."""

    def simulate(
        out: tyro.conf.Positional[Path],
        *,
        users: int = 4,
        kind: Literal["plain", "noisy"] = "plain",
        json: bool = False,
    ) -> None:
        """Write sessions.

        Args:
            out: folder to write
            users: how many users
            kind: how clean
            json: one object on stdout
        """
        calls.append((out, users, kind, json))

    def check(folder: tyro.conf.Positional[Path], *, schedule: Schedule = Schedule()) -> int:
        """Look at sessions.

        Args:
            folder: folder to read
            schedule: how long
        """
        calls.append((folder, schedule))
        return 3

    return {"simulate": simulate, "check": check}


def test_words_become_typed_arguments_and_none_becomes_zero():
    calls: list = []
    words = ["simulate", "out", "--users", "2", "--kind", "noisy", "--json"]
    assert run_commands("data", recorder(calls), words) == 0
    assert calls == [(Path("out"), 2, "noisy", True)]


def test_the_function_gives_the_exit_code_and_takes_dotted_options():
    calls: list = []
    assert run_commands("data", recorder(calls), ["check", "in", "--schedule.steps", "5"]) == 3
    assert calls == [(Path("in"), Schedule(5))]


def test_a_single_command_takes_its_options_directly():
    calls: list = []
    only = {"": recorder(calls)["simulate"]}
    assert run_commands("train", only, ["out"]) == 0
    assert calls == [(Path("out"), 4, "plain", False)]


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        (["simulate", "x", "--user", "3"], ["--user", "meant: --users INT how many users"]),
        (["simulate", "x", "--frobnicate"], ["Unrecognized options: --frobnicate"]),
        (["simulate", "x", "y"], ["Unrecognized options: y"]),
        (["simulate"], ["Missing", "OUT folder to write"]),
        (["simulate", "x", "--users"], ["Missing value", "--users"]),
        (["simulate", "x", "--users", "three"], ["--users", "'three'"]),
        (["simulate", "x", "--kind", "loud"], ["'loud'", "--kind", "plain", "noisy"]),
        (["check", "x", "--schedule.step", "3"], ["--schedule.step", "meant: --schedule.steps INT"]),
    ],
)
def test_a_mistake_is_one_line_with_the_word_at_fault_and_where_help_is(words, facts):
    calls: list = []
    with pytest.raises(InputError) as caught:
        run_commands("data", recorder(calls), words)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(f"(semgjax data {words[0]} --help)")
    assert all(fact in message for fact in facts), message
    assert calls == []


def test_a_mistake_reads_the_same_on_a_narrow_colour_terminal(monkeypatch):
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdout", Terminal(io.BytesIO(), encoding="utf-8"))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "40")
    path = "/long/" + "a" * 200
    with pytest.raises(InputError) as caught:
        run_commands("data", recorder([]), ["simulate", "x", path])
    assert str(caught.value) == f"Unrecognized options: {path} (semgjax data simulate --help)"
    assert os.environ["COLUMNS"] == "40"


def test_help_is_printed_with_every_option_and_calls_nothing(capsys):
    calls: list = []
    assert run_commands("data", recorder(calls), ["simulate", "--help"]) == 0
    printed = capsys.readouterr()
    assert "usage: semgjax data simulate" in printed.out and printed.err == ""
    for line in ("folder to write", "--users INT", "how many users", "--json", "one object on stdout"):
        assert line in printed.out
    assert calls == []


def test_an_error_of_the_work_is_not_taken_for_an_error_of_the_words():
    def work() -> None:
        """Stop."""
        raise SystemExit(5)

    with pytest.raises(SystemExit) as caught:
        run_commands("data", {"": work}, [])
    assert caught.value.code == 5


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["--out", "x", "--preset", "small"], "small"),
        (["--preset=small", "--out", "x"], "small"),
        (["--out", "x"], "large"),
        (["--preset"], "large"),
        (["--presets", "small"], "large"),
        (["--preset", "tiny", "--preset=small"], "small"),
        (["--preset=tiny", "--preset", "small"], "small"),
    ],
)
def test_the_word_after_an_option_is_found_before_parsing(words, value):
    assert word_after(words, "--preset", "large") == value


def test_parametrization_is_short_for_the_model_s():
    assert spelled_out(["--parametrization", "completep"]) == ["--model.parametrization", "completep"]
    assert spelled_out(["--parametrization=completep"]) == ["--model.parametrization=completep"]
    assert spelled_out(["--out", "parametrization"]) == ["--out", "parametrization"]
