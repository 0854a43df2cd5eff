"""What the demo does, as numbers: one frozen dataclass, written to OUT/demo.json as the demo's identity."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from semgjax.config_json import to_json
from semgjax.errors import InputError
from semgjax.files import read_json, write_json
from semgjax.model.config import preset
from semgjax.train.config import RunConfig, recipe


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
    ladder: tuple[str, ...] = ("ladder-32", "ladder-48", "ladder-64", "ladder-96")
    """sizes from small to large; the largest is the teacher"""
    student: str = "ladder-32"
    """the size that is distilled; a member of the ladder, so that there is one from scratch to compare with"""
    steps: int = 320
    """optimiser steps of every run, the student's too"""

    temperature: float = 1.0
    """of the distillation"""
    weight: float = 0.9
    """share of the teacher's part in the student's loss"""
    student_rate: float = 9e-3
    """the student's peak learning rate: a teacher's target in every frame bears three times the ladder's"""

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
        if body["plan"] != to_json(plan):
            raise InputError(f"{out}: holds a demo of another seed or plan; choose another --out")
    elif out.exists() and (not out.is_dir() or any(p.name != ".lock" for p in out.iterdir())):
        raise InputError(f"{out}: is not empty and holds no demo; choose another --out")
    elif write:
        write_json(path, "semgjax/demo", 1, {"plan": to_json(plan)})


def run_config(plan: DemoPlan, name: str, data: str) -> RunConfig:
    """The supervised run of one size; `data` is the corpus hash."""
    base = recipe(name)
    train = replace(base.train, steps=plan.steps, seed=plan.seed)
    return RunConfig(name, preset(name), data, base.window, base.augment, base.optimizer, train)
