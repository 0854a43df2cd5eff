"""What the demo does, as numbers: one frozen dataclass, written to OUT/demo.json as the demo's identity."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from semgjax.config_json import from_json, to_json
from semgjax.errors import InputError
from semgjax.files import read_json, write_json
from semgjax.model.config import preset
from semgjax.training.run_config import RunConfig, recipe


@dataclass(frozen=True)
class DemoPlan:
    """Sizes that fit two CPU cores and ten minutes, and are still large enough to learn from."""

    seed: int = 0
    """of the simulated sessions, the split and every training run"""
    users: int = 36
    """simulated users"""
    sessions: int = 2
    """sessions of each user"""
    minutes: float = 1.5
    """length of a session"""
    test_users: int = 6
    """users that no training run sees"""
    val_share: float = 0.1
    """share of the other users' sessions that validation takes"""
    severity: Literal["clean", "mild", "harsh"] = "mild"
    """of noise, hum and artefacts"""
    ladder: tuple[str, ...] = ("ladder-32", "ladder-40", "ladder-56", "ladder-128")
    """sizes from small to large; the largest is the teacher"""
    steps: int = 300
    """optimiser steps of the ladder's runs"""
    batch: int = 24
    """windows a step of the ladder's runs"""

    student: str = "ladder-56"
    """the size of the ladder that is distilled; it is also trained from scratch with the same steps, batch and rate"""
    student_steps: int = 135
    """optimiser steps of both: few and large, which is where a teacher pays (docs/log.md)"""
    student_batch: int = 64
    """windows a step of both"""
    student_rate: float = 1.2e-2
    """peak learning rate of both"""
    temperature: float = 1.0
    """of the distillation"""
    weight: float = 0.7
    """share of the teacher's part in the student's loss"""
    key_boost: float = 20.0
    """how much more frames with a key count in it"""

    @property
    def teacher(self) -> str:
        """The largest size of the ladder."""
        return self.ladder[-1]


def claim(plan: DemoPlan, out: Path, write: bool) -> None:
    """See that `out` is free for this demo or is this demo's, and with `write` make it so.

    Raises:
        InputError: the folder holds another demo or anything else.
    """
    path = out / "demo.json"
    if path.exists():
        body = read_json(path, "semgjax/demo", 1)
        if from_json(DemoPlan, body["plan"], str(path)) != plan:
            raise InputError(f"{out}: holds a demo of another seed or plan; choose another --out", "out-exists")
    elif out.exists() and (not out.is_dir() or any(p.name != ".lock" for p in out.iterdir())):
        raise InputError(f"{out}: is not empty and holds no demo; choose another --out", "out-exists")
    elif write:
        write_json(path, "semgjax/demo", 1, {"plan": to_json(plan)})


def ladder_config(plan: DemoPlan, name: str, data: str) -> RunConfig:
    """The run of one size of the ladder; `data` is the corpus hash."""
    base = recipe(name)
    train = replace(base.train, steps=plan.steps, batch=plan.batch, seed=plan.seed)
    return RunConfig(name, preset(name), data, base.window, base.augment, base.optimizer, train)


def scratch_config(plan: DemoPlan, data: str) -> RunConfig:
    """The student's run without its teacher."""
    config = ladder_config(plan, plan.student, data)
    train = replace(config.train, steps=plan.student_steps, batch=plan.student_batch)
    return replace(config, optimizer=replace(config.optimizer, learning_rate=plan.student_rate), train=train)
