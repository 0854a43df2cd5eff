"""Small sweeps and made-up results for tests; nothing is trained."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from semgjax.data.splitting.splits import Split
from semgjax.files import write_json
from semgjax.model.presets import preset
from semgjax.sweep.collect import collect
from semgjax.sweep.plan import Sweep, Trial, plan_sweep
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import RunConfig, recipe


def config_of(name: str, seed: int = 0, steps: int = 10, data: str = "hash of the sessions") -> RunConfig:
    """The recipe of a preset with another seed and number of steps."""
    base = recipe(name)
    train = replace(base.train, seed=seed, steps=steps)
    return RunConfig(name, preset(name), data, base.window, base.augment, base.optimizer, train)


def at_rate(config: RunConfig, rate: float) -> RunConfig:
    """The same at another peak learning rate."""
    return replace(config, optimizer=replace(config.optimizer, learning_rate=rate))


SPLIT = Split(("a",), (), ("b",), {})


def planned(folder: Path, *configs: RunConfig) -> Sweep:
    """A sweep planned in folder / "sweep", by default of three sizes, the middle one first."""
    chosen = configs or tuple(config_of(name) for name in ("ladder-32", "ladder-16", "ladder-48"))
    splits = {config.data: SPLIT for config in chosen}
    return plan_sweep("sizes", chosen, folder / "sessions", splits, folder / "sweep")


def sweep_of(folder: Path) -> Sweep:
    """Twenty-four trials, eight sizes of three seeds each, for the stand-in."""
    folder.mkdir()
    (folder / "acts.json").write_text("{}")
    return planned(folder, *(config_of(f"ladder-{16 + 8 * size}", seed) for size in range(8) for seed in range(3)))


def students_of(teacher: str, name: str) -> list[RunConfig]:
    """Two students of the trial `config_of(teacher)`, which differ in their seed."""
    distill = DistillConfig(config_of(teacher).hash)
    return [replace(config_of(name, seed=seed), distill=distill) for seed in (0, 1)]


def result_body(trial: Trial, cer: float | None = 12.5) -> dict[str, Any]:
    """A result.json's body as training writes it, with two test users."""
    head = {"split": "test", "decoder": "greedy"}
    counts = {"characters": 16, "substitutions": 1, "deletions": 1, "insertions": 0}
    return {
        "kind": "supervised" if trial.teacher is None else "distilled",
        "loss": {"loss": "ctc"},
        "preset": trial.config.preset,
        "params": 1000,
        "users": 7,
        "hours": 0.1,
        "epochs": 3.0,
        "steps": trial.config.train.steps,
        "tokens": 800,
        "flops": trial.flops,
        "seed": trial.config.train.seed,
        "teacher": None if trial.teacher is None else trial.teacher.config.hash,
        "config": trial.config.hash,
        "seconds": 1.5,
        "left_blank_at": 40,
        "scores": [
            {**head, "averaging": "macro", "users": 2, **counts, "cer": cer, "cer_std": 1.0},
            {**head, "averaging": "pooled", "users": 2, **counts, "cer": cer, "cer_std": None},
        ],
        "users_scores": [{**head, "user": user, **counts, "cer": cer} for user in ("u1", "u2")],
    }


def finish(sweep: Sweep, trial: Trial, **changes: Any) -> Path:
    """Write a trial's result.json, with some members changed; its path."""
    path = sweep.run_folder(trial) / "result.json"
    write_json(path, "semgjax/result", 4, {**result_body(trial), **changes})
    return path


def same_table(calm: Sweep, other: Sweep) -> bool:
    """Whether both sweeps collect the same bytes."""
    collect(calm.folder), collect(other.folder)
    names = ("results.csv", "results.jsonl")
    return all((other.folder / name).read_bytes() == (calm.folder / name).read_bytes() for name in names)


def finished(sweep: Sweep) -> Sweep:
    """The sweep, with the result of every trial written."""
    for trial in sweep.trials:
        finish(sweep, trial)
    return sweep


def files_in(folder: Path) -> dict[Path, bytes]:
    """Every file's content."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
