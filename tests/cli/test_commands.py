"""The word that picks a command."""

import pytest

from semgjax.cli.commands import choose
from semgjax.errors import InputError

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
    ("words", "message"),
    [
        ([], "name a command: simulate, check (semgjax data --help tells what they do)"),
        (["simulat"], "no command 'simulat'; did you mean 'simulate'? (semgjax data --help)"),
        (["xyz"], "no command 'xyz'; choose one of simulate, check (semgjax data --help)"),
        (["--sed"], "no command '--sed'; choose one of simulate, check (semgjax data --help)"),
    ],
)
def test_a_missing_or_wrong_word_is_refused_with_the_mend(words, message):
    with pytest.raises(InputError) as caught:
        choose("semgjax data", CHOICES, words)
    assert str(caught.value) == message
