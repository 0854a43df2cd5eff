"""How a study is run from the command line."""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import tyro

from semgjax.errors import InputError

Options = TypeVar("Options")


def run(study: Callable[[Options], Any], options: type[Options], about: str | None) -> None:
    """Print what a study returns for the command line's options; bad input ends with one line and exit code 2."""
    try:
        print(study(tyro.cli(options, description=about)))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
