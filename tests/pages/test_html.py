"""Pages and pictures: names from outside stay text, and no screen is wanted."""

import os
import subprocess
import sys

import matplotlib
import pytest
from matplotlib.figure import Figure

from semgjax.pages.html import el, names_as_text, svg_bytes
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
    text = el("p", name, title=name)
    assert all(character.isprintable() or character == "\n" for character in text) and text.encode()


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
