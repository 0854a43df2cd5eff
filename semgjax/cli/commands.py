"""The word that picks a command: its help list, and a mistake as one line with the nearest name."""

import difflib
from collections.abc import Mapping

from semgjax.errors import InputError


def choose(program: str, choices: Mapping[str, str], words: list[str]) -> str | None:
    """The first word if it is one of `choices` (name -> what it does); None when it asked for help.

    The help is printed then.

    Raises:
        InputError: no word, or none of the choices.
    """
    names = ", ".join(choices)
    if not words:
        raise InputError(f"name a command: {names} ({program} --help tells what they do)", "bad-option")
    if words[0] in ("-h", "--help"):
        print(_list(program, choices))
        return None
    if words[0] not in choices:
        near = difflib.get_close_matches(words[0], choices, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose one of {names}"
        raise InputError(f"no command {words[0]!r}; {hint} ({program} --help)", "unknown-name")
    return words[0]


def _list(program: str, choices: Mapping[str, str]) -> str:
    width = max(map(len, choices))
    lines = [f"usage: {program} {{{','.join(choices)}}} ...", ""]
    lines += [f"  {name:<{width}}  {text}" for name, text in choices.items()]
    return "\n".join([*lines, "", f"{program} COMMAND --help tells the options of one."])
