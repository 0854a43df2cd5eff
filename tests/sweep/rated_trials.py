"""Made-up trials whose error follows a parabola of the log learning rate, without processes or training."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semgjax.sweep.grow import grow
from semgjax.sweep.plan import Sweep, Trial, plan_sweep, read_sweep
from semgjax.sweep.rate_search import Search
from semgjax.sweep.runner import supervise
from semgjax.sweep.trial import result_of, write_fault
from tests.sweep.plans import SPLIT, at_rate, config_of, finish, result_body

PRESETS = ("ladder-16", "ladder-32")
BEST = {"ladder-16": 3e-3, "ladder-32": 8e-3}


def searched(folder: Path, search: Search | None = None, seeds: Sequence[int] = (0,), start: float = 2e-3) -> Sweep:
    """A sweep of two sizes whose rates are searched."""
    configs = [at_rate(config_of(name, seed, steps=40), start) for name in PRESETS for seed in seeds]
    splits = {configs[0].data: SPLIT}
    return plan_sweep("rates", configs, folder / "sessions", splits, folder / "sweep", search or Search())


def error(preset: str, rate: float, best: Mapping[str, float] = BEST) -> float:
    return 10.0 + 2.0 * math.log(rate / best[preset]) ** 2


@dataclass(frozen=True)
class Ended:
    """A job that ended as it started (a Job)."""

    code: int
    log: Path
    where: str = "here"
    log_start: int = 0

    def poll(self) -> int:
        return self.code

    def stop(self) -> None:
        raise AssertionError

    def kill(self) -> None:
        raise AssertionError


class Trained:
    """Ends every trial at once (a Launcher): with its error, or diverged above a rate; `crash` trials fail."""

    def __init__(self, sweep: Sweep, size: int, diverges: float = math.inf, crash: Sequence[str] = ()) -> None:
        self.size, self._sweep, self._diverges, self._crash = size, sweep, diverges, crash
        self.started: list[str] = []
        self.packs: list[int] = []

    def start(self, pack: Sequence[Trial]) -> Ended:
        code = 0
        self.packs.append(len(pack))
        for trial in pack:
            if result_of(self._sweep, trial) is not None:
                continue
            self.started.append(trial.id)
            rate = trial.config.optimizer.learning_rate
            if trial.id in self._crash:
                code = 1
            elif rate > self._diverges:
                write_fault(self._sweep, trial, "diverged", "step 5: loss nan")
                code = 70
            else:
                val = error(trial.config.preset, rate)
                finish(self._sweep, trial, scores=scores(trial, val))
        return Ended(code, self._sweep.log(pack[0]))


def scores(trial: Trial, val: float) -> list[dict]:
    """The scores of a run, whose test error would choose another rate."""
    rows = result_body(trial)["scores"]
    return [{**row, "split": split, "cer": cer} for split, cer in (("val", val), ("test", 30.0 - val)) for row in rows]


def run(sweep: Sweep, launcher: Trained, pack: int = 1, retries: int = 0):
    """Run a sweep as the local engine does; its outcome."""
    return supervise(
        sweep, read_sweep(sweep.folder).trials, launcher, "cheapest", retries, lambda line: None, lambda: None, pack,
        lambda: grow(sweep, sweep.rungs),
    )  # fmt: skip


def rates_of(folder: Path, preset: str) -> list[float]:
    """The rates that were tried with the first seed, as decided, one after another."""
    trials = [t for t in read_sweep(folder).trials if t.config.preset == preset and t.stage != "seeds"]
    return [trial.config.optimizer.learning_rate for trial in trials]
