"""The word that picks a command."""

import pytest

from semgjax.cli.commands import choose
from tests.refused import refused

CHOICES = {"simulate": "write sessions", "check": "look at sessions"}


def test_a_known_word_is_the_choice_and_later_words_do_not_matter():
    assert choose("semgjax data", CHOICES, ["check", "--help"]) == "check"


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_lists_every_choice_with_what_it_does(word, capsys):
    assert choose("semgjax data", CHOICES, [word]) is None
    printed = capsys.readouterr().out
    assert printed.startswith("usage: semgjax data {simulate,check} ...")
    assert "  simulate  write sessions\n  check     look at sessions\n" in printed


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "simulate, check"),
        (["simulat"], "did you mean 'simulate'?"),
        (["xyz"], "simulate, check"),
        (["--sed"], "simulate, check"),
    ],
)
def test_a_missing_or_wrong_word_is_refused_with_the_known_ones(words, named):
    with refused("unknown-name" if words else "bad-option", named, "semgjax data --help"):
        choose("semgjax data", CHOICES, words)
