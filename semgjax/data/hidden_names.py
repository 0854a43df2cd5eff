"""Names that are found again by who knows them, and not read by who does not."""

import hashlib

_HIDDEN = "sha256:"
"""what a hidden name begins with"""


def hidden_name(name: str) -> str:
    """128 bits of the name's SHA-256. Short and guessable names can be found by trying them."""
    return name if is_hidden(name) else _HIDDEN + hashlib.sha256(f"semgjax:{name}".encode()).hexdigest()[:32]


def is_hidden(name: str) -> bool:
    """Whether a name is one that `hidden_name` gave."""
    return name.startswith(_HIDDEN)
