"""The command line that the studies on simulated sweeps share: words to options, a table to a file."""

from collections.abc import Sequence
from pathlib import Path

from semgjax.errors import InputError


def options_of(words: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Options and their values.

    Raises:
        InputError: an option that is not known, or one without a value.
    """
    names = list(words[::2])
    for name in names:
        if name not in known:
            raise InputError(f"{name}: known are {', '.join(known)}", "bad-option")
    if len(words) % 2:
        raise InputError(f"{names[-1]}: give a value after it", "bad-option")
    return dict(zip(names, words[1::2], strict=True))


def count_of(options: dict[str, str], default: int) -> int:
    """--simulations as a number.

    Raises:
        InputError: it is no whole number above 0.
    """
    text = options.get("--simulations", str(default))
    if not text.isdecimal() or int(text) == 0:
        raise InputError(f"--simulations {text}: give a whole number above 0", "bad-value")
    return int(text)


def put_out(text: str, options: dict[str, str]) -> None:
    """Print a table, and write it where --out says."""
    print(text)
    if "--out" in options:
        Path(options["--out"]).write_text(text)
