"""HTML pages from the templates in templates/: each is one file without scripts or links to other files."""

import base64
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from semgjax.printable import printable


@dataclass(frozen=True)
class Image:
    """A figure for the macro `figure` of parts.html.

    Attributes:
        source: the picture as a data address. As an image an SVG keeps its styles and ids to itself.
        alt: what it shows, for readers who do not see it.
        caption: the text below it.
    """

    source: str
    alt: str
    caption: str


def image(picture: bytes, alt: str, caption: str, kind: str = "svg+xml") -> Image:
    """An SVG (or a "png") to be shown inside a page."""
    return Image(f"data:image/{kind};base64," + base64.b64encode(picture).decode(), alt, caption)


def render_template(template: str, **values: Any) -> str:
    """A file of templates/ filled with `values`; same values, same text.

    Strings are escaped in texts and in attributes. A missing value is an error.
    """
    return _templates().get_template(template).render(**values)


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("semgjax.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _shown(value: Any) -> Any:
    """Markup as it is; of any other text also the marks that turn the reading order written out, before escaping."""
    return value if hasattr(value, "__html__") else printable(value, keep="\n\t")
