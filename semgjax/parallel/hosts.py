"""Names of hosts as clusters write them: Slurm node lists, and addresses with or without a port."""

import ipaddress
import itertools
import math
import re
import shutil
import subprocess

from semgjax.errors import InputError

MOST_HOSTS = 65_536
_LIST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,\[\]-]*")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_PART = re.compile(r"\[([^\[\]]*)\]|([^\[\]]+)")
_RANGE = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")


def host_names(nodes: str) -> list[str]:
    """The names of a Slurm node list, in its order: node[01-02,7]-ib,other -> node01-ib, node02-ib, node7-ib, other.

    Uses Slurm's own `scontrol show hostnames` if it is installed and answers.

    Raises:
        InputError: it cannot be parsed, or names more than 65,536 hosts ("bad-environment").
    """
    if not _LIST.fullmatch(nodes):
        raise _unfit(nodes)
    return _by_slurm(nodes) or [name for item in _items(nodes) for name in _expanded(nodes, item)]


def address_of(text: str, port: int, where: str) -> str:
    """HOST:PORT of an address whose port may be missing; IPv6 in brackets, as in [::1]:8476.

    Args:
        port: default port.
        where: name of the variable, for the message.

    Raises:
        InputError: no host, or a port outside 1 to 65535 ("bad-environment").
    """
    words = text.strip()
    bracketed = re.fullmatch(r"\[([^\[\]]+)\](?::([^:]*))?", words)
    if bracketed is not None:
        host, given = bracketed[1], bracketed[2]
    elif words.count(":") > 1:
        host, given = words, None
    else:
        host, colon, after = words.partition(":")
        given = after if colon else None
    six = bracketed is not None or ":" in host
    number = port if given is None else whole_number(given)
    if number is None or not 1 <= number <= 65_535 or not (_is_six(host) if six else _NAME.fullmatch(host)):
        raise InputError(
            f"environment: {where} is {text!r}; set it to HOST, HOST:PORT or [IPV6]:PORT", "bad-environment"
        )
    return f"[{host}]:{number}" if six else f"{host}:{number}"


def whole_number(text: str) -> int | None:
    """The number that 1 to 18 ASCII digits write; None for any other text."""
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None


def _is_six(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def _by_slurm(nodes: str) -> list[str]:
    """The names as Slurm expands the list; empty without Slurm, or if it does not answer."""
    if shutil.which("scontrol") is None:
        return []
    try:
        done = subprocess.run(["scontrol", "show", "hostnames", nodes], capture_output=True, text=True, timeout=20)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return []
    names = done.stdout.split()
    return names if done.returncode == 0 and all(_NAME.fullmatch(name) for name in names) else []


def _items(nodes: str) -> list[str]:
    """The items of the list: commas within brackets separate ranges, commas outside separate items."""
    items, depth = [""], 0
    for character in nodes:
        depth += {"[": 1, "]": -1}.get(character, 0)
        if depth not in (0, 1):
            raise _unfit(nodes)
        if character == "," and depth == 0:
            items.append("")
        else:
            items[-1] += character
    if depth:
        raise _unfit(nodes)
    return items


def _expanded(nodes: str, item: str) -> list[str]:
    """The names of one item; the last of several brackets changes fastest."""
    parts = [[m[2]] if m[1] is None else _range(nodes, m[1]) for m in _PART.finditer(item)]
    if not parts or math.prod(map(len, parts)) > MOST_HOSTS:
        raise _unfit(nodes)
    names = ["".join(choice) for choice in itertools.product(*parts)]
    if not all(_NAME.fullmatch(name) for name in names):
        raise _unfit(nodes)
    return names


def _range(nodes: str, inside: str) -> list[str]:
    """01-03,7 -> 01, 02, 03, 7: numbers have the width of the first in their range."""
    found: list[str] = []
    for piece in inside.split(","):
        match = _RANGE.fullmatch(piece)
        if match is None:
            raise _unfit(nodes)
        low, high = int(match[1]), int(match[2] or match[1])
        if not low <= high < low + MOST_HOSTS:
            raise _unfit(nodes)
        found += [f"{number:0{len(match[1])}d}" for number in range(low, high + 1)]
    return found


def _unfit(nodes: str) -> InputError:
    return InputError(
        f"environment: the node list {nodes[:200]!r} cannot be read; expected names such as node[01-08,12],other",
        "bad-environment",
    )
