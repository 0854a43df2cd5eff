"""The sweep of 24 trials that really train, and the same undisturbed; for tests that take minutes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from semgjax.cli.main import main
from semgjax.sweep.plan import Sweep, read_sweep

COMMAND = [sys.executable, "-m", "semgjax", "sweep", "run"]
minutes = pytest.mark.skipif("SEMGJAX_LONG_TESTS" not in os.environ, reason="minutes; SEMGJAX_LONG_TESTS=1 runs it")
_PLAN = """
name = "trained"
[set]
preset = "ladder-16"
"train.steps" = 4
"train.batch" = 2
"train.log_every" = 1
"train.checkpoint_every" = 1
"train.evaluate_every" = 4
"window.length" = 2000
"window.stride" = 2000
"window.left" = 200
[vary]
"train.seed" = [0, 1, 2, 3, 4, 5, 6, 7]
"optimizer.learning_rate" = [1e-3, 2e-3, 3e-3]
"""


def calm_and_planned(folder: Path, sessions: Path) -> tuple[Sweep, Sweep]:
    """One sweep run here without disturbance, on two slots of a core, and the same again, only planned."""
    (folder / "plan.toml").write_text(_PLAN)
    for name in ("calm", "wild"):
        words = ["sweep", "plan", str(folder / "plan.toml"), f"--data={sessions}", f"--out={folder / name}"]
        assert main(words) == 0
    subprocess.run([*COMMAND, folder / "calm", "--slots", "2", "--cores", "1"], check=True)
    calm, planned = read_sweep(folder / "calm"), read_sweep(folder / "wild")
    assert len(planned.trials) == 24
    return calm, planned
