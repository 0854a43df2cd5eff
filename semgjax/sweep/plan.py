"""What a sweep is: a name, sessions and trials, each one run's configuration; writes SWEEP/sweep.json."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.config_json import from_json, to_json
from semgjax.errors import InputError
from semgjax.files import content_hash, folder_lock, read_json, write_json
from semgjax.model.config import ModelConfig
from semgjax.model.cost import train_flops
from semgjax.train.config import RunConfig

SCHEMA, VERSION, FILE = "semgjax/sweep", 1, "sweep.json"


@dataclass(frozen=True)
class Trial:
    """One run of a sweep; `id` names its folder."""

    id: str
    config: RunConfig

    @property
    def flops(self) -> float:
        """Floating-point operations of its training (model/cost.py)."""
        config = self.config
        return config.train.steps * config.train.batch * train_flops(config.model, config.window.total)


@dataclass(frozen=True)
class Sweep:
    """A planned sweep. Its identity is its name and its trials; where the sessions lie is no part of it."""

    folder: Path
    name: str
    data: Path
    split: Path | None
    trials: tuple[Trial, ...]

    def run_folder(self, trial: Trial) -> Path:
        """The run directory of a trial."""
        return self.folder / "trials" / trial.id

    def log(self, trial: Trial) -> Path:
        """What a trial's process printed."""
        return self.folder / "trials" / f"{trial.id}.log"

    def fault(self, trial: Trial) -> Path:
        """Why a trial ended badly (semgjax.sweep.trial)."""
        return self.folder / "trials" / f"{trial.id}.fault.json"


def plan_sweep(name: str, configs: Sequence[RunConfig], data: Path, split: Path | None, out: Path) -> Sweep:
    """Write `out`/sweep.json, one trial per configuration; planning the same again changes nothing.

    The same trials with sessions or split at another place is a moved sweep: the new places are written.

    Args:
        configs: all on the sessions in `data` (RunConfig.data is their hash).
        split: split file; None is `data`/splits.json.

    Raises:
        InputError: no or equal or unfit configurations, or `out` holds another sweep or other files.
    """
    trials = tuple(Trial(f"{i:03d}-{c.preset}-s{c.train.seed}", c) for i, c in enumerate(configs))
    sweep = Sweep(out.resolve(), name, data.resolve(), split.resolve() if split else None, trials)
    _check(sweep)
    path = sweep.folder / FILE
    if path.exists():
        before = read_sweep(sweep.folder)
        if (before.name, before.trials) != (sweep.name, sweep.trials):
            raise InputError(f"{out}: holds another sweep ({_difference(before, sweep)}); give another --out")
        if (before.data, before.split) == (sweep.data, sweep.split):
            return sweep
    else:
        _check_free(sweep.folder)
    with folder_lock(sweep.folder):
        places = {"data": str(sweep.data), "split": None if sweep.split is None else str(sweep.split)}
        content = _content(sweep)
        write_json(path, SCHEMA, VERSION, {"hash": content_hash(content), **places, **content})
    return sweep


def read_sweep(folder: Path) -> Sweep:
    """The sweep planned in a folder.

    Raises:
        InputError: there is none, or its plan was edited.
    """
    path = folder / FILE
    if not path.exists():
        raise InputError(f"{path}: no such file; plan a sweep with: semgjax sweep plan FILE --out {folder}")
    document = read_json(path, SCHEMA, VERSION)
    content: dict[str, Any] = {"name": document.get("name"), "trials": document.get("trials")}
    # The hash covers all that _content wrote: with it right, everything is as it was planned.
    if document.get("hash") != content_hash(content) or not isinstance(document.get("data"), str):
        raise InputError(f"{path}: was edited after planning; plan into another folder instead")
    trials = []
    for row in content["trials"]:
        trial = Trial(row["id"], from_json(RunConfig, row["config"], f"{path}: trial {row['id']}"))
        if trial.config.hash != row["hash"]:
            raise InputError(f"{path}: trial {trial.id} is of another version of semgjax; use that one")
        trials.append(trial)
    split = document.get("split")
    places = (Path(document["data"]), None if split is None else Path(split))
    return Sweep(folder.resolve(), document["name"], *places, tuple(trials))


def find_trial(sweep: Sweep, word: str) -> Trial:
    """The trial with this id or index.

    Raises:
        InputError: there is none.
    """
    for index, trial in enumerate(sweep.trials):
        if word in (trial.id, str(index)):
            return trial
    near = difflib.get_close_matches(word, [trial.id for trial in sweep.trials], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"give an id or 0 to {len(sweep.trials) - 1}"
    raise InputError(f"{sweep.folder / FILE}: no trial {word!r}; {hint}")


def parameters_of(model: ModelConfig) -> int:
    """How many parameters a model has; none is made for it."""
    import jax

    from semgjax.model.encoder import count_parameters, init

    return count_parameters(jax.eval_shape(lambda: init(model, jax.random.key(0))))


def _content(sweep: Sweep) -> dict[str, Any]:
    rows = [{"id": t.id, "config": to_json(t.config), "hash": t.config.hash} for t in sweep.trials]
    return {"name": sweep.name, "trials": rows}


def _check(sweep: Sweep) -> None:
    if not sweep.name.strip() or not sweep.trials:
        raise InputError(f"sweep {sweep.name!r} of {len(sweep.trials)} trials: give a name and a trial or more")
    known: dict[str, str] = {}
    for trial in sweep.trials:
        config = trial.config
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", config.preset):
            raise InputError(f"trial {trial.id!r}: preset {config.preset!r} is no name for a folder")
        if config.distill is not None:
            raise InputError(f"trial {trial.id}: a sweep has no teacher; train students with semgjax distill")
        if config.data != sweep.trials[0].config.data:
            first = sweep.trials[0].id
            raise InputError(f"trials {first} and {trial.id} are on different sessions; plan two sweeps")
        if config.hash in known:
            raise InputError(f"trials {known[config.hash]} and {trial.id} are the same run; leave one out")
        known[config.hash] = trial.id


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; choose a folder")
    ours = (".lock", f".{FILE}.")  # left by a planning that was killed
    names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    strangers = sorted(name for name in names if not name.startswith(ours))
    if strangers:
        raise InputError(f"{folder}: is not empty ({strangers[0]}) and holds no sweep; choose another folder")


def _difference(old: Sweep, new: Sweep) -> str:
    if old.name != new.name:
        return f"name {old.name!r}, now {new.name!r}"
    if len(old.trials) != len(new.trials):
        return f"{len(old.trials)} trials, now {len(new.trials)}"
    first = next(b for a, b in zip(old.trials, new.trials, strict=True) if a != b)
    return f"trial {first.id} differs"
