"""The command line of the studies on simulated sweeps."""

import pytest

from analysis.simulated import count_of, options_of, put_out
from tests.refused import refused

KNOWN = ("--simulations", "--out")


def test_words_become_options_and_the_count_has_a_default():
    options = options_of(["--simulations", "20"], KNOWN)
    assert options == {"--simulations": "20"} and count_of(options, 200) == 20
    assert count_of({}, 200) == 200


@pytest.mark.parametrize("words", [["--other", "1"], ["--simulations"], ["--out", "a.md", "--simulations"]])
def test_an_unknown_option_and_one_without_a_value_are_refused(words):
    with refused("bad-option"):
        options_of(words, KNOWN)


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "many", ""])
def test_what_is_no_count_is_refused(text):
    with refused("bad-value"):
        count_of({"--simulations": text}, 200)


def test_a_table_is_printed_and_written_where_asked(tmp_path, capsys):
    put_out("| a |\n", {"--out": str(tmp_path / "t.md")})
    assert capsys.readouterr().out == "| a |\n\n" and (tmp_path / "t.md").read_text() == "| a |\n"
