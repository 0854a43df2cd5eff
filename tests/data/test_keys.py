import string

import numpy as np
import pytest

from semgjax.data.keys import (
    BLANK,
    KEY_NAMES,
    NUM_CLASSES,
    NUM_KEYS,
    label_of_key,
    labels_to_text,
    text_to_labels,
)


def test_key_set_has_98_keys_a_blank_and_the_published_order():
    assert (NUM_KEYS, BLANK, NUM_CLASSES) == (98, 98, 99)
    named = ["Key.backspace", "Key.enter", "Key.space", "Key.shift"]
    assert list(KEY_NAMES) == [*string.ascii_letters, *string.digits, *string.punctuation, *named]
    places = {"a": 0, "z": 25, "A": 26, "Z": 51, "0": 52, "9": 61, "!": 62, '"': 63, "~": 93}
    places |= {name: 94 + i for i, name in enumerate(named)}
    assert {name: label_of_key(name) for name in places} == places


def test_every_class_comes_back_from_its_name_and_its_glyph():
    assert [label_of_key(name) for name in KEY_NAMES] == list(range(98))
    text = labels_to_text(np.arange(98))
    assert len(text) == 98
    assert text[94:] == "\u232b\u23ce \u21e7"
    labels = text_to_labels(text)
    assert labels.dtype == np.int32
    assert labels.tolist() == list(range(98))


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("\n\r\b\x08", [95, 95, 94, 94]),
        ("\u2019\u201c\u201d\u2014", [68, 63, 63, 74]),
        ("\u2018\u2013", [68, 74]),
        ("\u00e9\u00c5\u00a0", [4, 26, 96]),
        ("a\u2026b", [0, 1]),
        ("\ufb01\u00df\u20ac\u4f60\t\x00\x7f", []),
        ("\u00a7\u2248\u222b", []),
        ("\u00b7\u00d7\u02da\u201a", [71, 23, 83, 73]),
        ("", []),
    ],
    ids=[
        "controls",
        "curly",
        "single quote and en dash",
        "accents",
        "ellipsis",
        "no key",
        "marks",
        "other",
        "empty",
    ],
)
def test_text_is_normalised_and_the_rest_dropped(text, labels):
    found = text_to_labels(text)
    assert found.tolist() == labels
    assert found.dtype == np.int32
    assert [label for label in map(label_of_key, text) if label is not None] == labels


@pytest.mark.parametrize("name", ["Key.shift_r", "Key.ctrl", "Key.tab", "Key.left", "ab", "key.tab", "", "<65>"])
def test_a_key_outside_the_set_has_no_label(name):
    assert label_of_key(name) is None


@pytest.mark.parametrize("label", [-1, BLANK])
def test_a_label_without_a_glyph_is_refused(label):
    with pytest.raises(ValueError, match=r"\b97\b"):
        labels_to_text(np.array([3, label]))
