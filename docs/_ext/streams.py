"""Outputs of a cell that came in pieces are joined as they are; MyST-NB would begin a new line at every piece."""

from typing import Any

from myst_nb.core import render
from sphinx.application import Sphinx


def joined(outputs: list[Any]) -> list[Any]:
    """Outputs with the pieces of stdout, and those of stderr, as one output each, where the first piece was."""
    kept: list[Any] = []
    streams: dict[str, Any] = {}
    for output in outputs:
        name = output.get("name") if output["output_type"] == "stream" else None
        if name in streams:
            streams[name]["text"] += output["text"]
        else:
            kept.append(output)
            streams |= {name: output} if name else {}
    return kept


def setup(app: Sphinx) -> dict[str, Any]:
    """Take the place of MyST-NB's own function."""
    render.coalesce_streams = joined
    return {"parallel_read_safe": True}
