"""Patterns of paths with placeholders: {user}-{session}/{label}.txt -> the values in a path, and files that fit."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from semgjax.errors import InputError

_PIECE = re.compile(r"\{([^{}]*)\}|(\*)|([^{}*]+)|([{}])")
_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)


@dataclass(frozen=True)
class PathPattern:
    """A pattern of paths, relative to a folder, with / between folders.

    {name} stands for one or more characters of a folder's or file's name, as few as possible; the same name twice
    stands for the same characters; * stands for any characters, none included.

    Attributes:
        where: what holds the pattern, for messages.
    """

    pattern: str
    where: str = "pattern"

    def __post_init__(self) -> None:
        pieces = _PIECE.findall(self.pattern)
        stray = [brace for _, _, _, brace in pieces if brace]
        names = [inner for inner, star, plain, brace in pieces if not (star or plain or brace)]
        if not self.pattern or stray or not all(_NAME.fullmatch(name) for name in names):
            raise InputError(
                f"{self.where}: {self.pattern!r} is no pattern of paths, expected names in braces as in "
                "'{user}/{session}.csv'",
                "bad-field",
            )
        if self.pattern.startswith("/") or ".." in self.pattern.split("/") or "\\" in self.pattern:
            raise InputError(
                f"{self.where}: {self.pattern!r} leaves the folder, expected a path within it with / between folders",
                "bad-field",
            )
        if re.search(r"[}*][{*]", self.pattern):
            raise InputError(
                f"{self.where}: {self.pattern!r} has nothing between two placeholders, so that it is unclear where one "
                "ends; put the character between them",
                "bad-field",
            )

    @property
    def names(self) -> set[str]:
        """Names of the placeholders."""
        return {inner for inner, *rest in _PIECE.findall(self.pattern) if inner}

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        met: set[str] = set()
        parts = []
        for inner, star, plain, _ in _PIECE.findall(self.pattern):
            if star:
                parts.append("[^/]*?")
            elif plain:
                parts.append(re.escape(plain))
            else:
                parts.append(f"(?P={inner})" if inner in met else f"(?P<{inner}>[^/]+?)")
                met.add(inner)
        return re.compile("".join(parts), re.DOTALL)

    def match(self, path: str) -> dict[str, str] | None:
        """The placeholders' values in a path, or None if it does not fit."""
        found = self._regex.fullmatch(path)
        return None if found is None else found.groupdict()

    def fill(self, values: Mapping[str, str]) -> str:
        """The path with these values; the pattern has no *."""
        return re.sub(r"\{([^{}]*)\}", lambda match: values[match[1]], self.pattern)


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key by which 2 comes before 10, and equal numbers in order of their text."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", text)
    return (*((0, int(p), "") if p.isascii() and p.isdigit() else (1, 0, p) for p in pieces), (2, 0, text))


def paths_below(folder: Path) -> list[str]:
    """Paths of all files below a folder, relative to it, in natural order; hidden files and folders are passed over."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [(Path(place) / name).relative_to(folder).as_posix() for name in names if not name.startswith(".")]
    return sorted(found, key=natural)


def fits(pattern: PathPattern, paths: Sequence[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """The paths that fit, with their placeholders' values, and the others."""
    found, others = {}, []
    for path in paths:
        values = pattern.match(path)
        if values is None:
            others.append(path)
        else:
            found[path] = values
    return found, others
