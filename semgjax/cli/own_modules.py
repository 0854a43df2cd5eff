"""Imports the user's own modules before a command, so that the networks and losses that they register are known."""

import importlib
import os
import sys

from semgjax.errors import InputError, first_line

VARIABLE = "SEMGJAX_IMPORT"
"""environment variable: comma-separated names of modules; the trials that a sweep starts inherit it"""


def import_own() -> None:
    """Import the modules that SEMGJAX_IMPORT names; they are also looked for in the current folder.

    Raises:
        InputError: a module does not exist, or fails when imported ("bad-environment").
    """
    names = [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]
    if names and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:
            raise InputError(
                f"environment: {VARIABLE}: {name} cannot be imported ({type(error).__name__}: {first_line(error)}); "
                "correct it or unset the variable",
                "bad-environment",
            ) from error
