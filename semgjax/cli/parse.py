"""The command line -> a call of a typed function; a mistake becomes one line and exit code 2."""

import contextlib
import functools
import inspect
import io
import os
from collections.abc import Callable, Iterator
from typing import Any

import tyro

from semgjax.cli.commands import choose
from semgjax.cli.number_syntax import NUMBERS
from semgjax.errors import InputError

_STYLE = (tyro.conf.PositionalMetavarFromFieldName,)


def run_commands(group: str, commands: dict[str, Callable[..., Any]], words: list[str]) -> int:
    """Call one of `commands` (name -> function with typed arguments) with `words`; a result of None counts as 0.

    A single command under the empty name takes its options directly (`semgjax train ...`).

    Raises:
        InputError: the words cannot be parsed, and any error of the function.
    """
    program = f"semgjax {group}"
    if set(commands) == {""}:
        return _call(program, commands[""], words)
    about = {name: _first_line(function) for name, function in commands.items()}
    name = choose(program, about, words)
    return 0 if name is None else _call(f"{program} {name}", commands[name], words[1:])


def word_after(words: list[str], option: str, default: str) -> str:
    """The value of `option` before parsing, for options that determine the defaults of others.

    If it is given twice the last value counts, as in the parser.
    """
    found = default
    for index, word in enumerate(words):
        if word.startswith(f"{option}="):
            found = word.partition("=")[2]
        elif word == option and index + 1 < len(words):
            found = words[index + 1]
    return found


def spelled_out(words: list[str]) -> list[str]:
    """The words with `--parametrization` in full, which is `--model.parametrization`."""
    short = "--parametrization"
    return [
        word.replace(short, "--model.parametrization", 1) if word.split("=")[0] == short else word for word in words
    ]


def _call(program: str, function: Callable[..., Any], words: list[str]) -> int:
    bind = _deferred(function)
    messages = io.StringIO()
    try:
        with _plain_output(messages), NUMBERS:
            call = tyro.cli(bind, prog=program, args=words, config=_STYLE)
    except SystemExit as stop:
        if stop.code not in (None, 0):
            raise InputError(f"{_one_line(messages.getvalue())} ({program} --help)", "bad-option") from None
        # Help was requested: parse again with the real terminal, its colours and its width.
        with contextlib.suppress(SystemExit), NUMBERS:
            tyro.cli(bind, prog=program, args=words, config=_STYLE)
        return 0
    code = call()
    return 0 if code is None else int(code)


def _deferred(function: Callable[..., Any]) -> Callable[..., Callable[[], Any]]:
    """Parse now and call later, so that errors of the function are not taken for errors of the options."""

    @functools.wraps(function)
    def bind(*args: Any, **options: Any) -> Callable[[], Any]:
        return lambda: function(*args, **options)

    return bind


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0].strip()


@contextlib.contextmanager
def _plain_output(sink: io.StringIO) -> Iterator[None]:
    """Redirect stdout and stderr to `sink`, where tyro prints no colours, no boxes and no wrapped words."""
    columns = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "10000"
    try:
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            yield
    finally:
        del os.environ["COLUMNS"]
        if columns is not None:
            os.environ["COLUMNS"] = columns


def _one_line(text: str) -> str:
    """tyro's message as one line: its sections, without the reference to the help."""
    sections: list[list[str]] = [[]]
    for line in map(str.strip, text.splitlines()):
        if line and not line.strip("-"):
            sections.append([])
        elif line and line != "Argument helptext:":
            sections[-1].append(line)
    # The first section is only a title.
    facts = [" ".join(lines) for lines in sections[1:]]
    return "; ".join(fact for fact in facts if not fact.startswith("For full helptext"))
