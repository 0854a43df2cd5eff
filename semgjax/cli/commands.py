"""Choice of a command by its name: the list for --help, and a suggestion for a mistyped name."""

import difflib
from collections.abc import Mapping

from semgjax.errors import InputError


def choose(program: str, choices: Mapping[str, str], words: list[str]) -> str | None:
    """The first word if it is one of `choices` (name -> description); None after printing the help that it asks for.

    Raises:
        InputError: no word, or an unknown one.
    """
    names = ", ".join(choices)
    if not words:
        raise InputError(f"name a command: {names} ({program} --help describes them)", "bad-option")
    if words[0] in ("-h", "--help"):
        print(_list(program, choices))
        return None
    if words[0] not in choices:
        near = difflib.get_close_matches(words[0], choices, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose one of {names}"
        raise InputError(f"command {words[0]!r} is unknown; {hint} ({program} --help)", "unknown-name")
    return words[0]


def _list(program: str, choices: Mapping[str, str]) -> str:
    width = max(map(len, choices))
    lines = [f"usage: {program} {{{','.join(choices)}}} ...", ""]
    lines += [f"  {name:<{width}}  {text}" for name, text in choices.items()]
    return "\n".join([*lines, "", f"{program} COMMAND --help lists the options of a command."])
