"""A step that stands still ends the process with 75 and shows where it stands; a moving one is left alone."""

import time

import pytest

from semgjax.training.watchdog import watchdog
from tests.runs import start_python

STUCK = """
import time
from semgjax.training.watchdog import watchdog
def a_step_that_hangs():
    time.sleep(60)
with watchdog(0.5) as beat:
    beat()
    a_step_that_hangs()
"""


def test_a_step_that_hangs_is_shown_and_ended():
    process = start_python(["-c", STUCK])
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (75, "")
    assert "no step within 0.5 s (engine.watchdog)" in err and "a_step_that_hangs" in err


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_steps_that_move_and_the_end_of_the_block_are_no_hang(seconds):
    with watchdog(seconds) as beat:
        for _ in range(3):
            time.sleep(0.01)
            beat()
