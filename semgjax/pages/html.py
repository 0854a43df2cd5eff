"""HTML pages from the templates in templates/: each is one file without scripts or links to other files."""

import base64
import html
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from semgjax.pages.figure_bytes import svg_bytes
from semgjax.pages.style import DOUBLE, SINGLE, Picture
from semgjax.printable import printable


@dataclass(frozen=True)
class Image:
    """A figure for the macro `figure` of parts.html.

    Attributes:
        source: the picture as a data address. As an image an SVG keeps its styles and ids to itself.
        alt: what it shows, for readers who do not see it.
        caption: the text below it.
        narrow: the same at the width of one column, for narrow screens; "" where there is none.
    """

    source: str
    alt: str
    caption: str
    narrow: str = ""


def both_widths(draw: Callable[[float], Picture], alt: str, caption: str = "") -> Image:
    """A figure at the widths of two columns and of one, of which a page shows the one that its screen has room for.

    draw: makes the figure at a width in mm. caption: before the figure's own.
    """
    wide, narrow = draw(DOUBLE), draw(SINGLE)
    words = f"{caption} {wide.caption}".strip()
    return Image(image(svg_bytes(wide), alt, "").source, alt, words, image(svg_bytes(narrow), alt, "").source)


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
    made = Environment(
        loader=PackageLoader("semgjax.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(labelled=labelled, label_text=label_text)
    return made


def label_text(name: Any) -> str:
    """A column's name as plain text: markup without its tags, any other text as it is."""
    return str(name.striptags()) if hasattr(name, "__html__") else printable(name)


def labelled(cells: Any, head: Sequence[Any]) -> Any:
    """The cells of a row (markup), each with its column's name: on a narrow screen a row is a list of them."""
    names = iter(head)

    def named(match: re.Match[str]) -> str:
        return f'{match[0]} data-label="{html.escape(label_text(next(names, "")))}"'

    return type(cells)(re.sub(r"<t[dh](?=[ >])", named, str(cells)))


def _shown(value: Any) -> Any:
    """Markup as it is; of any other text also the marks that turn the reading order written out, before escaping."""
    return value if hasattr(value, "__html__") else printable(value, keep="\n\t")
