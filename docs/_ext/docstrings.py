"""Docstrings are plain text with `code`: what reStructuredText would take for markup is escaped before it is read."""

import re
from typing import Any

from sphinx.application import Sphinx

MARKUP = re.compile(r"`+([^`]+)`+(\w?)|([*|]|_(?=\W|$))")


def escape(line: str) -> str:
    """A line with `code` as a literal, whose stars, bars and trailing underscores outside of it mean themselves."""

    def escaped(found: re.Match[str]) -> str:
        if not found[1]:
            return "\\" + found[3]
        return f"``{found[1]}``" + ("\\ " + found[2] if found[2] else "")  # a plural's s would undo the literal

    return MARKUP.sub(escaped, line)


def plain(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Escape all lines of a docstring but those of its examples, and bullets at a line's beginning."""
    example = False
    for index, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        if not example:
            space, bullet, rest = re.match(r"(\s*)(\* )?(.*)", line, re.DOTALL).groups()
            lines[index] = space + (bullet or "") + escape(rest)
    if what in ("attribute", "data", "property"):
        lines.insert(0, "\\ ")  # napoleon would take what stands before a colon of the first line for a type


def setup(app: Sphinx) -> dict[str, Any]:
    """Run before napoleon, which reads the sections."""
    app.connect("autodoc-process-docstring", plain, priority=100)
    return {"parallel_read_safe": True}
