"""Pages and pictures: names from outside stay text, and no screen is wanted."""

import importlib.resources
import os
import subprocess
import sys
from html.parser import HTMLParser
from types import SimpleNamespace

import matplotlib
import pytest
from jinja2 import UndefinedError
from matplotlib.figure import Figure

from semgjax.pages.figure_bytes import names_as_text, svg_bytes
from semgjax.pages.html import image, render_template
from tests.data.fixtures import typed, write_session
from tests.test_house import MODULES, imports_of

NAMES = [
    "a_b",
    "$",
    "$$",
    "$x$",
    "cost ($) per $",
    r"\frac{1}{2}",
    r"$\frac{1}{2}$",
    r"\$5",
    r"$\nosuch{",
    "{x}^2_3",
    "a\\",
]


def page_of(name: str) -> str:
    """A law report in which everything that comes from a file is `name`."""
    return render_template(
        "law_report.html",
        title=name,
        lead=name,
        blocked=False,
        question=name,
        answer="1",
        quoted="[0, 2]",
        meaning="-",
        steps=[name],
        layers=[(name, "1", "2")],
        verdict="-",
        reached=[],
        users_or_hours="",
        laws=[],
        refused=[],
        seeds_note="-",
        law=None,
        law_title="-",
        level="95%",
        parameters=[],
        runs=SimpleNamespace(caption="-", head=(name, "b"), rows=[("1", name)], texts=0),
        rungs=[(name, "-", "-", "-", name)],
        findings=[(name, "note", "-")],
        pictures=[image(b"", name, name)],
    )


class Seen(HTMLParser):
    """The elements of a page with their attributes' names, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self.alts: list[str | None] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, tuple(name for name, _ in attributes)))
        self.alts += [value for name, value in attributes if name == "alt"]

    def handle_data(self, data):
        self.texts.append(data.strip())


def drawn(text: str, mathematics: bool) -> bytes:
    """The picture's outlines of a text; the comment that names it left out."""
    with matplotlib.rc_context({"text.parse_math": mathematics}):
        figure = Figure(figsize=(4, 1))
        figure.text(0.1, 0.5, text)
    lines = svg_bytes(figure).splitlines()
    return b"\n".join(line for line in lines if not line.strip().startswith(b"<!--"))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_picture_is_never_mathematics(name):
    assert drawn(name, True) == drawn(name, False)
    figure = Figure()
    shown = [figure.text(0.1, 0.5, name), figure.subplots().set_title(name), figure.axes[0].set_xlabel(name)]
    figure.axes[0].set_yticks([0.5], [name])
    names_as_text(figure)
    assert [text.get_text() for text in (*shown, figure.axes[0].get_yticklabels()[0])] == [name] * 4
    assert not any(text.get_parse_math() for text in (*shown, figure.axes[0].get_yticklabels()[0]))


def test_powers_of_ten_on_an_axis_stay_formulas():
    figure = Figure()
    axes = figure.subplots()
    axes.set_xscale("log")
    names_as_text(figure)
    assert all(label.get_parse_math() for label in axes.get_xticklabels())


@pytest.mark.parametrize("name", ["a\x1b[31m", "a\x00b", "two\nlines", "turned \u202e", "lone \udcff"])
def test_a_control_character_in_a_name_breaks_neither_picture_nor_page(name):
    assert b"<svg" in drawn(name, True)
    figure = Figure(figsize=(4, 1))
    figure.subplots().set_yticks([0.5], [name])
    assert b"<svg" in svg_bytes(figure)
    (label,) = figure.axes[0].get_yticklabels()
    assert label.get_text().replace("\n", "").isprintable()
    text = page_of(name)
    assert all(character.isprintable() or character == "\n" for character in text) and text.encode()


@pytest.mark.parametrize("name", ["<b>x</b>", '" onload="x', "' onload='x", "a & b", "{{ 7 * 7 }}", "</style><script>"])
def test_a_name_is_text_wherever_a_page_shows_it(name):
    seen = Seen(page_of(name))
    assert seen.tags == Seen(page_of("plain")).tags
    assert seen.texts.count(name) == 12 and seen.alts == [name]


def test_a_name_that_a_template_uses_and_nobody_gave_is_an_error():
    with pytest.raises(UndefinedError):
        render_template("page.html")


def test_every_template_and_the_style_sheet_are_part_of_the_package():
    folder = importlib.resources.files("semgjax.pages") / "templates"
    assert {"page.html", "parts.html", "style.css"} <= {entry.name for entry in folder.iterdir()}


@pytest.mark.parametrize(
    "backend", ["module://matplotlib_inline.backend_inline", "module://no.such", "junk", "tkagg", ""]
)
def test_a_picture_is_written_whatever_the_notebook_says(backend, tmp_path):
    folder = tmp_path / "sessions"
    folder.mkdir()
    write_session(folder / "s.hdf5", keystrokes=typed("a b", interval=0.2))
    words = [sys.executable, "-m", "semgjax", "data", "show", str(folder / "s.hdf5"), "--out", str(tmp_path / "p.png")]
    environment = {**os.environ, "MPLBACKEND": backend, "DISPLAY": ""}
    done = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_asks_for_a_screen():
    assert [name for name, path in MODULES.items() if "matplotlib.pyplot" in imports_of(path)] == []
