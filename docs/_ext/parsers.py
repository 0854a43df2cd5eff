"""The parsers behind the command line, without running a command; needs no Sphinx, so that tests can use it too."""

import importlib
import warnings
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import tyro.extras

from semgjax.cli import parse


def commands_of(group: str, words: Sequence[str] = ()) -> dict[str, Callable[..., Any]]:
    """The functions behind a command group by name; a group that is one command has it under the empty name.

    Args:
        words: of the command line, where the options depend on them (`--preset tds`).
    """
    module = importlib.import_module(f"semgjax.cli.{group}")
    found: dict[str, Callable[..., Any]] = {}
    with mock.patch.object(module, "run_commands", lambda group, commands, words: found.update(commands) or 0):
        module.run(list(words))
    return found


def parser_of(program: str, function: Callable[..., Any]) -> ArgumentParser:
    """The parser that the command line makes of a function."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return tyro.extras.get_parser(function, prog=program, config=parse._STYLE)
