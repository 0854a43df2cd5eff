"""Notebook representations: a title over a table of two columns, with all text escaped."""

import html
from collections.abc import Iterable

from semgjax.printable import printable


def facts(title: str, rows: Iterable[tuple[str, object]]) -> str:
    """HTML of names and their values."""
    cells = "".join(f"<tr><th>{_escaped(name)}</th><td>{_escaped(value)}</td></tr>" for name, value in rows)
    return f"<table><caption>{_escaped(title)}</caption>{cells}</table>"


def _escaped(text: object) -> str:
    return html.escape(printable(text))
