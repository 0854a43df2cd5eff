"""The table on a terminal: what it shows, when it ends, and that other outputs get plain lines."""

import io
import sys

from rich.console import Console

from semgjax.cli.sweep_live import live_report, watch
from semgjax.sweep.status import rows_of
from semgjax.sweep.trial import write_fault
from tests.sweep.plans import config_of, finish, planned


class Terminal(io.StringIO):
    """Text that says of itself that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_elsewhere_than_on_a_terminal_there_are_plain_lines_and_no_table(tmp_path, capsys):
    with live_report(planned(tmp_path).folder) as (report, tick):
        report("one line [0/3]")
        tick()
    assert capsys.readouterr() == ("", "one line [0/3]\n")


def test_on_a_terminal_lines_stand_above_a_table_of_all_trials(tmp_path, monkeypatch):
    sweep = planned(tmp_path)
    finish(sweep, sweep.trials[0])
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with live_report(sweep.folder) as (report, tick):
        report("one line [0/3]")
        tick()
    text = terminal.getvalue()
    assert "one line [0/3]" in text and "sizes: 1 done, 2 waiting" in text
    assert all(trial.id in text for trial in sweep.trials)


def test_watching_ends_when_no_trial_runs_or_waits(tmp_path, capsys):
    sweep = planned(tmp_path, config_of("ladder-16"), config_of("ladder-32"))
    finish(sweep, sweep.trials[0])
    write_fault(sweep, sweep.trials[1], "failed", "no memory [128 GB]")
    watch(str(sweep.folder))
    assert "no memory [128 GB]" in capsys.readouterr().out


def test_of_many_trials_those_that_matter_are_shown(tmp_path):
    from semgjax.cli.sweep_live import _table

    sweep = planned(tmp_path, *(config_of("ladder-16", seed) for seed in range(40)))
    for trial in sweep.trials[:35]:
        finish(sweep, trial)
    text = io.StringIO()
    Console(file=text, width=120).print(_table(sweep, rows_of(sweep)))
    shown = [trial.id for trial in sweep.trials if trial.id in text.getvalue()]
    assert len(shown) == 30 and {trial.id for trial in sweep.trials[35:]} <= set(shown)
    assert "35 done, 5 waiting" in text.getvalue()
