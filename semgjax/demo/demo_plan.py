"""The settings of the demo: a frozen dataclass, written to OUT/demo.json as the demo's identity."""

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
    """Sizes that fit two CPU cores and ten minutes and still show the effects."""

    seed: int = 0
    """seed of the simulated sessions, the split and every training run"""
    users: int = 36
    """simulated users"""
    sessions: int = 2
    """sessions of each user"""
    minutes: float = 1.5
    """length of a session, minutes"""
    test_users: int = 6
    """users that no training run sees"""
    val_share: float = 0.1
    """share of the other users' sessions used for validation"""
    severity: Literal["clean", "mild", "harsh"] = "mild"
    """severity of noise, hum and artefacts"""
    ladder: tuple[str, ...] = ("ladder-32", "ladder-40", "ladder-56", "ladder-128")
    """sizes from small to large; the largest is the teacher"""
    steps: int = 300
    """optimiser steps of the ladder's runs"""
    batch: int = 24
    """windows per step of the ladder's runs"""

    student: str = "ladder-56"
    """the size of the ladder that is distilled; it is also trained from scratch with the same steps, batch and rate"""
    student_steps: int = 135
    """optimiser steps of both: few and large, where a teacher helps most (docs/log.md)"""
    student_batch: int = 64
    """windows per step of both"""
    student_rate: float = 1.2e-2
    """peak learning rate of both"""
    temperature: float = 1.0
    """temperature of the distillation"""
    weight: float = 0.7
    """weight of the teacher's term in the student's loss"""
    key_boost: float = 20.0
    """extra weight of frames with a key in that term"""

    @property
    def teacher(self) -> str:
        """The largest size of the ladder."""
        return self.ladder[-1]


def claim(plan: DemoPlan, out: Path, write: bool) -> None:
    """Check that `out` is free or belongs to this demo; with `write`, claim it.

    Raises:
        InputError: the folder holds another demo or other files ("out-exists").
    """
    path = out / "demo.json"
    if path.exists():
        body = read_json(path, "semgjax/demo", 1)
        if from_json(DemoPlan, body["plan"], str(path)) != plan:
            raise InputError(f"{out}: holds a demo with other settings; choose another folder", "out-exists")
    elif out.exists() and (not out.is_dir() or any(p.name != ".lock" for p in out.iterdir())):
        raise InputError(f"{out}: is not empty and holds no demo; choose another folder", "out-exists")
    elif write:
        write_json(path, "semgjax/demo", 1, {"plan": to_json(plan)})


def ladder_config(plan: DemoPlan, name: str, data: str) -> RunConfig:
    """The configuration of one size of the ladder; `data` is the hash of the corpus."""
    base = recipe(name)
    train = replace(base.train, steps=plan.steps, batch=plan.batch, seed=plan.seed)
    return RunConfig(name, preset(name), data, base.window, base.augment, base.optimizer, train)


def scratch_config(plan: DemoPlan, data: str) -> RunConfig:
    """The configuration of the student without its teacher."""
    config = ladder_config(plan, plan.student, data)
    train = replace(config.train, steps=plan.student_steps, batch=plan.student_batch)
    return replace(config, optimizer=replace(config.optimizer, learning_rate=plan.student_rate), train=train)
