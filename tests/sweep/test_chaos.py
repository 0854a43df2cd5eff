"""Twenty-four trials on two slots: the engine and single trials are killed at random, and the table stays the same."""

import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semgjax.sweep.local import run_local
from tests.sweep.plans import finished, same_table, sweep_of
from tests.sweep.test_local import ENGINE, stand_in, starts
from tests.sweep.trained import COMMAND, calm_and_planned, minutes

KILLS = 5


def kill_something(engine: subprocess.Popen, sweep: Path, draw: random.Random) -> None:
    """kill -9 of a running trial, of the engine, or of both."""
    what = draw.choice(["engine", "trial", "both"])
    if what != "engine":
        locks = sorted(sweep.glob("trials/*/.lock"))
        owners = [re.match(r"process (\d+) on", lock.read_text()) for lock in locks]
        for owner in owners[::-1][:1] if draw.random() < 0.5 else owners:
            with contextlib.suppress(ProcessLookupError):
                if owner is not None and (b"stand_in" in command_of(owner[1]) or b"--trial" in command_of(owner[1])):
                    os.kill(int(owner[1]), signal.SIGKILL)
                    break
    if what != "trial":
        engine.kill()


def command_of(process: str) -> bytes:
    path = Path(f"/proc/{process}/cmdline")
    with contextlib.suppress(OSError):
        return path.read_bytes()
    return b""


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks processes up in /proc")
@pytest.mark.slow
def test_every_trial_is_done_once_and_the_table_is_that_of_an_undisturbed_sweep(tmp_path):
    calm, wild = finished(sweep_of(tmp_path / "calm")), sweep_of(tmp_path / "wild")
    draw = random.Random(5)
    for _ in range(KILLS):
        engine = subprocess.Popen([sys.executable, "-c", ENGINE, str(wild.folder)], stdout=subprocess.DEVNULL)
        before = len(list(wild.folder.glob("trials/*/result.json")))
        while len(list(wild.folder.glob("trials/*/result.json"))) < before + 2 + draw.randrange(3):
            assert engine.poll() is None
            time.sleep(0.05)
        kill_something(engine, wild.folder, draw)
        engine.kill()  # the next one starts again in any case
        engine.wait()
    outcome = run_local(wild.folder, 2, report=lambda line: None, command=stand_in)
    assert outcome.done == tuple(trial.id for trial in wild.trials) and outcome.exit_code == 0
    ends = [line.split()[1] for line in (tmp_path / "wild" / "events").read_text().splitlines() if line[:3] == "end"]
    # A kill between a trial's result and its note of it loses the note; a second end would be a second result.
    assert len(ends) == len(set(ends)) and len(ends) >= len(wild.trials) - KILLS, "none is finished twice"
    assert set(starts(wild)) == {trial.id for trial in wild.trials}
    assert same_table(calm, wild)


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks processes up in /proc")
@pytest.mark.slow
@minutes
def test_the_same_with_trials_that_train(tmp_path, sessions):
    calm, wild = calm_and_planned(tmp_path, sessions)
    draw = random.Random(6)
    command = [*COMMAND, wild.folder, "--slots", "2", "--cores", "1"]
    for _ in range(KILLS):
        engine = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(10 + 15 * draw.random())
        kill_something(engine, wild.folder, draw)
        engine.kill()
        engine.wait()
    subprocess.run(command, check=True)
    assert same_table(calm, wild)
