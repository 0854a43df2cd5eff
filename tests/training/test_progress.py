"""How a run shows that it moves when nobody looks at a terminal."""

import re
import sys

from semgjax.training.progress import Progress

LINE = {"step": 3, "loss": 1.5, "windows_per_s": 10.0, "spikes": 0}


def test_off_a_terminal_there_is_a_line_at_the_end_and_for_a_note_and_nothing_on_stdout(capsys):
    with Progress("ladder-16", steps=3, start=1) as progress:
        progress.advance({**LINE, "step": 2})
        progress.note("step 2: validation CER 12.0 %")
        progress.advance({**LINE, "spikes": 1})
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines() == [
        "ladder-16: step 2: validation CER 12.0 %",
        "ladder-16: up to step 3: 1 losses above twice the usual",
        "ladder-16: step 3/3, loss 1.500, 10 windows/s",
    ]


def test_on_a_terminal_a_bar_shows_the_step_and_the_loss(capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    with Progress("ladder-16", steps=4, start=2) as progress:
        progress.advance(LINE)
        progress.note("step 3: validation CER 12.0 %")
        progress.advance(LINE)
    printed = capsys.readouterr()
    assert printed.out == ""
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", printed.err)
    assert "validation CER 12.0 %" in shown and "4/4" in shown and "loss 1.500" in shown


def test_of_several_processes_only_the_first_is_heard(capsys):
    with Progress("ladder-16", steps=3, start=1, loud=False) as progress:
        progress.note("step 2: validation CER 12.0 %")
        progress.advance(LINE)
    assert capsys.readouterr() == ("", "")
