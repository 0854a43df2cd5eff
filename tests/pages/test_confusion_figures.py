"""Figures of confusions hold every count, name what they have room for, and say what was never typed."""

import numpy as np
import pytest

from semgjax.data.keys import NUM_KEYS, labels_to_text
from semgjax.evaluate.keyboard import place_of_glyph
from semgjax.pages.confusion_figures import MOST, confused_figure, confusion_figure, has_confusions, table_of
from semgjax.pages.style import DOUBLE, SINGLE
from tests.pages.printed import cut_off, overlapping, shown_texts, unnamed_axes

GESTURES = [
    ("fist", "open hand wide", 3),
    ("fist", "fist", 6),
    ("fist", None, 1),
    ("open hand wide", "open hand wide", 9),
    (None, "pinch of thumb and index finger", 2),
]


def all_keys() -> list[tuple[str | None, str | None, int]]:
    """Every key typed 10 times: read 7 times as itself, twice as the next one, and missed once."""
    names = [labels_to_text(np.array([label])) for label in range(NUM_KEYS)]
    rows: list[tuple[str | None, str | None, int]] = []
    for name, after in zip(names, [*names[1:], names[0]], strict=True):
        rows += [(name, name, 7), (name, after, 2), (name, None, 1)]
    return rows


def test_the_table_holds_every_count_in_the_order_of_the_keyboard():
    names, counts = table_of(all_keys(), keys=True)
    assert len(names) == NUM_KEYS and counts.shape == (NUM_KEYS, NUM_KEYS + 1)
    assert names[:4] == ["`", "~", "1", "!"] and names[-2:] == [" ", "\u21e7"]
    assert (np.diag(counts) == 7).all() and (counts[:, -1] == 1).all() and (counts.sum(axis=1) == 10).all()
    assert counts[names.index("a"), names.index("b")] == 2
    assert place_of_glyph("\u21e7") is None and place_of_glyph("Q") == ("top", 0, 1)


def test_classes_keep_their_order_and_what_was_never_typed_has_no_percent():
    names, counts = table_of(GESTURES, keys=False)
    assert names == ["fist", "open hand wide", "pinch of thumb and index finger"]
    assert counts.tolist() == [[6, 3, 0, 1], [0, 9, 0, 0], [0, 0, 0, 0]]
    drawn = confusion_figure(GESTURES, keys=False).axes[0].images[0].get_array()
    assert drawn[:2].tolist() == [[60.0, 30.0, 0.0, 10.0], [0.0, 100.0, 0.0, 0.0]] and drawn.mask[2].all()


@pytest.mark.parametrize("width", [SINGLE, DOUBLE])
@pytest.mark.parametrize("matrix", ["keys", "gestures"])
def test_no_text_covers_another_or_leaves_the_page(width, matrix):
    for draw in (confusion_figure, confused_figure):
        figure = draw(all_keys() if matrix == "keys" else GESTURES, matrix == "keys", width)
        shown = shown_texts(figure)
        assert not overlapping(shown) and not cut_off(figure, shown) and not unnamed_axes(figure)


def test_the_most_confused_are_named_and_what_is_left_is_other_or_missed():
    rows = [("a", "a", 50), ("a", "s", 30), ("a", "z", 1), ("a", None, 19), ("s", "s", 10), *(
        (name, name, 5) for name in "dfghjklqwertyuiop"
    ), ("z", "x", 1), ("x", "x", 1)]  # fmt: skip
    figure = confused_figure(rows, keys=True)
    labels = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert labels == ["a", "s", "z", "x"]
    drawn = figure.axes[0].images[0].get_array()
    assert drawn[0].tolist() == [50.0, 30.0, 1.0, 0.0, 0.0, 19.0]
    assert len(confused_figure(all_keys(), keys=True).axes[0].get_yticklabels()) == MOST


def test_a_decoder_without_a_confusion_has_no_figure_of_them():
    assert not has_confusions([("a", "a", 3), ("b", None, 2), (None, "c", 1)])
    assert has_confusions([("a", "b", 1)])
