"""The settings of the demo: a frozen dataclass, written to OUT/demo.json as the demo's identity."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semgjax.config_json import from_json, to_json
from semgjax.errors import InputError
from semgjax.files import read_json, write_json


@dataclass(frozen=True)
class DemoPlan:
    """Sizes for two CPU cores; what a whole run gave and cost is in docs/log.md."""

    seed: int = 0
    """seed of the simulated people, the split and every training run"""
    data: str | None = None
    """folder of sessions or shards to use in place of simulated ones"""
    users: int = 40
    """simulated users"""
    sessions: int = 2
    """sessions of each user"""
    minutes: float = 1.5
    """length of a session, minutes"""
    test_users: int = 8
    """users that no training run sees; of given sessions at most a quarter of the users"""
    val_share: float = 0.1
    """share of the other users' sessions used for validation"""
    severity: Literal["clean", "mild", "harsh"] = "mild"
    """severity of noise, hum and artefacts"""
    people: Literal["alike", "varied"] = "varied"
    """how much simulated people differ"""

    widths: tuple[int, ...] = (8, 12, 16, 24, 48)
    """widths of the sizes from small to large, all on every training user; the largest is the teacher"""
    users_width: int = 24
    """the one that is also trained on fewer users"""
    halvings: int = 3
    """how often the number of training users is halved for that"""
    steps: int = 2000
    """optimiser steps of these runs"""
    batch: int = 8
    """windows per step of every run"""

    student_width: int = 8
    """the one that is distilled, and trained from scratch with the same number of operations"""
    student_steps: int = 1000
    """optimiser steps of the student; the run from scratch has more, as its steps need no teacher"""
    student_rates: tuple[float, ...] = (1.0, 2.0)
    """multiples of the preset's peak learning rate that both are trained at; the lower validation error counts"""
    temperature: float = 1.0
    """temperature of the distillation"""
    weight: float = 0.7
    """weight of the teacher's term in the student's loss"""
    key_boost: float = 20.0
    """extra weight of frames with a key in that term"""

    def __post_init__(self) -> None:
        if self.users_width not in self.widths:
            raise InputError(f"users_width {self.users_width} is none of the widths {self.widths}", "bad-value")


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
