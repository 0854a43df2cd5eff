"""HTML from nested calls in which every plain string is escaped, and the look of our pages. Writes nothing."""

import base64
import html
import io
from collections.abc import Iterable, Sequence

import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter, ScalarFormatter

from semgjax.printable import printable

VOID = {"img", "meta"}
BLOCKS = {
    "section",
    "div",
    "p",
    "h2",
    "h3",
    "tr",
    "li",
    "ul",
    "figure",
    "figcaption",
    "table",
    "title",
    "head",
}

STYLE = """
:root { color-scheme: light; --ink: #1c2024; --soft: #4f5861; --line: #d5dade; --wash: #f4f6f8;
  --link: #0b5394; }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0; background: #fff; color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2rem; }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.3rem; line-height: 1.25; margin: 0 0 .5rem; }
h3 { font-size: 1.02rem; margin: 1.5rem 0 .35rem; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: var(--link); }
.lead, .note, figcaption, footer { color: var(--soft); }
.note, figcaption, footer { font-size: .9rem; }
section { margin: 2.6rem 0 0; padding-top: 1.4rem; border-top: 1px solid var(--line); }
.warning { margin: 1.2rem 0; padding: .8rem 1.1rem; border: 2px solid #8a5a00; border-radius: 6px;
  background: #fff6e0; }
.warning strong { display: block; font-size: 1.15rem; }
.tiles { display: grid; grid-template-columns: repeat(3, 1fr); gap: .9rem; margin: 1.2rem 0; }
.tile { padding: .8rem 1rem; border: 1px solid var(--line); border-top-width: 6px; border-radius: 6px; }
.tile h3 { margin: 0; font-size: 1rem; }
.tile .number { display: block; font-size: 2.1rem; font-weight: 650; line-height: 1.25;
  font-variant-numeric: tabular-nums; }
.tile p { margin: .15rem 0 0; font-size: .9rem; color: var(--soft); }
nav ol { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin: .8rem 0 0; padding-left: 1.2rem;
  font-size: .93rem; }
nav li { margin-right: .6rem; }
figure { margin: 1.1rem 0; }
.scroll { overflow-x: auto; }
figure img { display: block; width: 100%; height: auto; min-width: 36rem; }
figcaption { margin-top: .4rem; max-width: 46rem; }
table { border-collapse: collapse; font-size: .92rem; margin: .6rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { padding: .32rem .9rem .32rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
thead th { border-bottom: 2px solid #8d979f; vertical-align: bottom; }
th.n, td.n { text-align: right; white-space: nowrap; }
tbody th { font-weight: 600; } .data tbody th { white-space: nowrap; } .data td:not(.n) { min-width: 8rem; }
.dot { display: inline-block; width: .72em; height: .72em; border-radius: 50%; margin-right: .5em; }
.yes, .no { font-weight: 700; white-space: nowrap; }
.yes { color: #0a5c36; } .no { color: #a3190b; }
ul { padding-left: 1.2rem; margin: .4rem 0; } li { margin: .2rem 0; max-width: 52rem; }
pre { margin: .6rem 0; padding: .8rem 1rem; background: var(--wash); border: 1px solid var(--line);
  border-radius: 6px; overflow-x: auto; font: .84rem/1.55 ui-monospace, Menlo, Consolas, monospace; }
pre .note { font-size: inherit; }
code { font: .9em ui-monospace, Menlo, Consolas, monospace; }
pre code { font: inherit; }
footer { margin-top: 2.6rem; padding-top: 1rem; padding-bottom: 2rem; border-top: 1px solid var(--line); }
@media (max-width: 44rem) { .tiles { grid-template-columns: 1fr; } h1 { font-size: 1.45rem; } }
@media print {
  body { font-size: 10.5pt; } header, main, footer { max-width: none; padding-left: 0; padding-right: 0; }
  nav { display: none; } figure, table, .tile, .warning, pre { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  figure img { min-width: 0; } pre { white-space: pre-wrap; } pre, .scroll { overflow: visible; }
  .tile, .warning, .dot { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


class Html(str):
    """Markup. Every other string is text."""


def el(tag: str, *children: str, **attributes: str) -> Html:
    """One element; children that are not Html are escaped, as are attributes (class_ is written class)."""
    named = "".join(f' {name.strip("_").replace("_", "-")}="{_escape(value)}"' for name, value in attributes.items())
    if tag in VOID:
        return Html(f"<{tag}{named}>")
    end = "\n" if tag in BLOCKS else ""
    return Html(f"<{tag}{named}>{join(children)}</{tag}>{end}")


def join(children: Iterable[str]) -> Html:
    """Children one after another, text escaped."""
    return Html("".join(child if isinstance(child, Html) else _escape(child) for child in children))


def paragraph(*children: str, class_: str = "") -> Html:
    """A paragraph."""
    return el("p", *children, **({"class_": class_} if class_ else {}))


def names_as_text(figure: Figure) -> None:
    """Have every text of a figure drawn as it is: a $ in a column's name begins no formula, an ESC is written out.

    The numbers of an axis are left alone: matplotlib writes powers of ten as formulas.
    """
    numbers = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for formatter, labels in (
            (axis.get_major_formatter(), axis.get_majorticklabels()),
            (axis.get_minor_formatter(), axis.get_minorticklabels()),
        )
        if isinstance(formatter, LogFormatter | ScalarFormatter)
        for label in labels
    }
    for text in figure.findobj(Text):
        if text not in numbers:
            text.set_parse_math(False)
            text.set_text(printable(text.get_text(), keep="\n"))


def svg_bytes(figure: Figure) -> bytes:
    """The figure as SVG with its letters as outlines; same figure, same bytes."""
    content = io.BytesIO()
    names_as_text(figure)
    with matplotlib.rc_context({"svg.hashsalt": "semgjax", "svg.fonttype": "path"}):
        figure.savefig(content, format="svg", metadata={"Date": None, "Creator": None})
    return content.getvalue()


def png_bytes(figure: Figure) -> bytes:
    """The figure as PNG; same figure, same bytes."""
    content = io.BytesIO()
    names_as_text(figure)
    figure.savefig(content, format="png", metadata={"Software": None})
    return content.getvalue()


def image(picture: bytes, alt: str, caption: str, kind: str = "svg+xml") -> Html:
    """A figure: an SVG (or a "png") inside the page. As an image it keeps its styles and ids to itself."""
    source = f"data:image/{kind};base64," + base64.b64encode(picture).decode()
    return el(
        "figure",
        el(
            "div",
            el("img", src=source, alt=alt),
            class_="scroll",
            tabindex="0",
            role="group",
            aria_label="figure",
        ),
        el("figcaption", caption),
    )


def dot(colour: str) -> Html:
    """A mark in the colour that a model has in the figures."""
    return el("span", class_="dot", style=f"background: {colour}", aria_hidden="true")


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> Html:
    """A table whose first `texts` columns are text and the others numbers, which stand to the right."""
    header = join(_cell("th", i, name, texts, scope="col") for i, name in enumerate(head))
    body = [
        el(
            "tr",
            *(_cell("td" if i else "th", i, c, texts, **({} if i else {"scope": "row"})) for i, c in enumerate(row)),
        )
        for row in rows
    ]
    parts = (el("caption", caption), el("thead", el("tr", header)), el("tbody", *body))
    inner = el("table", *parts, class_="data" if texts < len(head) else "facts")
    return el("div", inner, class_="scroll")


def document(title: str, *children: str) -> str:
    """The whole page."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", title),
        el("style", Html(STYLE)),
    )
    return f"<!DOCTYPE html>\n{el('html', head, el('body', *children), lang='en')}\n"


def _escape(text: str) -> str:
    """Text for a page: no markup, and no mark that turns the reading order of what stands beside it."""
    return html.escape(printable(text, keep="\n\t"))


def _cell(tag: str, column: int, content: str, texts: int, **attributes: str) -> Html:
    return el(tag, content, **attributes, **({"class_": "n"} if column >= texts else {}))
