"""Text from outside, written so that a terminal shows it and does not obey it."""

import pytest

from semgjax.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain name", "plain name"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("bell\a", "bell\\x07"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("turned \u202eright", "turned \\u202eright"),
        ("para\u2028graph", "para\\u2028graph"),
        ("lone \udcff", "lone \\udcff"),
        ("c1 \x9b31m", "c1 \\x9b31m"),
        ("Jürgen 用户 ½", "Jürgen 用户 ½"),
    ],
)
def test_what_a_terminal_would_obey_is_written_out(text, shown):
    assert printable(text) == shown
    assert printable(text).encode()


def test_kept_characters_stay():
    assert printable("a\nb\t", keep="\n") == "a\nb\\t"
