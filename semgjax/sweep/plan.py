"""A sweep: a name, sessions, splits, and trials, each the configuration of one run; writes SWEEP/sweep.json.

A sweep whose learning rates are searched has rungs in place of trials (semgjax.sweep.rate_rungs); its trials are those
of the rounds that are decided. It also writes SWEEP/splits/<hash>.json, the splits that trials train on, and
SWEEP/trials/<id>/config.json, the frozen configuration of each trial.
"""

import difflib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.config_json import from_json, to_json
from semgjax.data.splitting.splits import Split, read_split, write_split
from semgjax.errors import InputError
from semgjax.files import content_hash, folder_lock, read_json, write_json
from semgjax.model.flops import train_flops
from semgjax.sweep.forecast_rule import ForecastRule, levels_of, size_of
from semgjax.sweep.rate_rungs import RateRung, Round, Stage, rates_file, read_rounds, rungs_of, write_rounds
from semgjax.sweep.rate_search import Search, next_rates
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import check_claim, claim

SCHEMA, VERSION, FILE = "semgjax/sweep", 3, "sweep.json"


@dataclass(frozen=True)
class Trial:
    """One run of a sweep; `id` names its folder. A distilled trial waits for its teacher's trial.

    Attributes:
        rung, round, stage: of a sweep whose rates are searched: where the trial belongs.
    """

    id: str
    config: RunConfig
    teacher: "Trial | None" = None
    rung: int | None = None
    round: int = 0
    stage: Stage | None = None

    @property
    def flops(self) -> float:
        """Floating-point operations of its training (semgjax.model.flops); with the teacher's, if steps ask it."""
        config = self.config
        teachers = () if self.teacher is None or config.cached else (self.teacher.config.model,)
        return config.train.steps * config.train.batch * train_flops(config.model, config.window.total, teachers)


@dataclass(frozen=True)
class Sweep:
    """A planned sweep. Its identity is its name, its trials and their splits, not the place of the sessions.

    Attributes:
        data: folder of sessions.
        splits: hash of the sessions under a split (RunConfig.data) -> hash of that split.
        trials: of a sweep with rungs, those that are decided so far.
        rungs: whose learning rates are searched.
        forecast: which trials run only after a forecast of them.
    """

    folder: Path
    name: str
    data: Path
    splits: dict[str, str]
    trials: tuple[Trial, ...]
    rungs: tuple[RateRung, ...] = ()
    forecast: ForecastRule | None = None

    def run_folder(self, trial: Trial) -> Path:
        """The run directory of a trial."""
        return self.folder / "trials" / trial.id

    def split_file(self, trial: Trial) -> Path:
        """The split that a trial trains on."""
        return _split_file(self.folder, self.splits[trial.config.data])

    def log(self, trial: Trial) -> Path:
        """The output of a trial's process."""
        return self.folder / "trials" / f"{trial.id}.log"

    def fault(self, trial: Trial) -> Path:
        """Why a trial failed or diverged (semgjax.sweep.trial)."""
        return self.folder / "trials" / f"{trial.id}.fault.json"

    def starts(self, trial: Trial) -> Path:
        """When and where a trial was started (semgjax.sweep.trial)."""
        return self.folder / "trials" / f"{trial.id}.starts.jsonl"


def plan_sweep(
    name: str, configs: Sequence[RunConfig], data: Path, splits: Mapping[str, Split], out: Path,
    search: Search | None = None, forecast: ForecastRule | None = None,
) -> Sweep:  # fmt: skip
    """Write a sweep's plan, one trial per configuration; planning the same again changes nothing.

    The same trials with the sessions at another place are a moved sweep: the new place is written.

    Args:
        configs: teachers come before their students, which refer to them by hash (RunConfig.distill).
        data: folder of the sessions.
        splits: hash of the sessions under a split (RunConfig.data) -> that split.
        search: of the learning rate of each configuration, which is where the search starts.
        forecast: which trials run only after a forecast of them.

    Raises:
        InputError: no configurations, equal ones or ones that do not fit together, or `out` holds something else.
    """
    used = {config.data: splits[config.data].hash for config in configs}
    if search is None:
        sweep = Sweep(out.resolve(), name, data.resolve(), used, trials_of(configs), (), forecast)
    else:
        rungs = rungs_of(configs, search)
        begun = tuple(trial for rung in rungs for trial in trials_of_rung(rung, (first_round(rung),)))
        sweep = Sweep(out.resolve(), name, data.resolve(), used, begun, rungs, forecast)
    _check(sweep)
    path = sweep.folder / FILE
    if path.exists():
        before = read_sweep(sweep.folder)
        if _identity(before) != _identity(sweep):
            raise InputError(
                f"{out}: holds another sweep ({_difference(before, sweep)}); choose another folder", "out-exists"
            )
    else:
        _check_free(sweep.folder)
    for trial in sweep.trials:
        check_claim(sweep.run_folder(trial), trial.config)
    with folder_lock(sweep.folder):
        for hashed in used:
            place = _split_file(sweep.folder, splits[hashed].hash)
            if not (place.exists() and read_split(place).hash == splits[hashed].hash):
                write_split(place, splits[hashed])
        content = _content(sweep)
        document = {"hash": content_hash(content), "data": str(sweep.data), **content}
        if not path.exists() or read_sweep(sweep.folder).data != sweep.data:
            write_json(path, SCHEMA, VERSION, document)
        for rung in sweep.rungs:
            if not rates_file(sweep.folder, rung).exists():
                write_rounds(sweep.folder, rung, (first_round(rung),))
        for trial in sweep.trials:
            claim(sweep.run_folder(trial), trial.config)
    return read_sweep(sweep.folder) if search is not None else sweep


def first_round(rung: RateRung) -> Round:
    """What a rung's search begins with."""
    stage: Stage = "full" if rung.search.shorten == 1 else "short"
    return Round(stage, next_rates({}, rung.search, rung.start), (rung.config.train.seed,))


def flops_of(rung: RateRung) -> tuple[float, float]:
    """Operations of training (one run at full length, the longest search with the other seeds)."""
    one = Trial("", rung.config).flops
    short = rung.search.most * one * rung.short_steps / rung.config.train.steps if rung.search.shorten > 1 else 0.0
    return one, one * (rung.search.most + len(rung.seeds)) + short


def trials_of_rung(rung: RateRung, rounds: Sequence[Round]) -> tuple[Trial, ...]:
    """The trials of a rung's rounds."""
    return tuple(
        Trial(
            rung.name(rate, seed, one.stage), rung.at(rate, seed, one.stage),
            rung=rung.number, round=number, stage=one.stage,
        )
        for number, one in enumerate(rounds)
        for rate, seed in one.runs
    )  # fmt: skip


def read_sweep(folder: Path) -> Sweep:
    """The sweep of a folder.

    Raises:
        InputError: the folder has none, or its plan was edited.
    """
    path = folder / FILE
    if not path.exists():
        raise InputError(
            f"{path}: no such file; plan a sweep with: semgjax sweep plan FILE --out {shlex.quote(str(folder))}",
            "no-file",
        )
    document = read_json(path, SCHEMA, VERSION, oldest=2)
    names = ("name", "splits", "trials", *(name for name in ("rungs", "forecast") if name in document))
    content: dict[str, Any] = {name: document.get(name) for name in names}
    # The hash covers everything that _content wrote.
    if document.get("hash") != content_hash(content) or not isinstance(document.get("data"), str):
        raise InputError(f"{path}: was edited after planning; plan into another folder instead", "changed")
    rows = content["trials"]
    trials = trials_of([from_json(RunConfig, row["config"], f"{path}: trial {row['id']}") for row in rows])
    for trial, row in zip(trials, rows, strict=True):
        if (trial.id, trial.config.hash) != (row["id"], row["hash"]):
            raise InputError(
                f"{path}: trial {row['id']} belongs to another version of semgjax; use that version", "wrong-version"
            )
    rungs = tuple(_rung(path, number, row) for number, row in enumerate(content.get("rungs", ())))
    trials += tuple(trial for rung in rungs for trial in trials_of_rung(rung, read_rounds(folder, rung)))
    rule = None if "forecast" not in content else from_json(ForecastRule, content["forecast"], f"{path}: forecast")
    return Sweep(folder.resolve(), document["name"], Path(document["data"]), document["splits"], trials, rungs, rule)


def check_fixed(sweep: Sweep, engine: str) -> None:
    """
    Raises:
        InputError: the sweep searches learning rates, and so adds trials while it runs, which `engine` cannot.
    """
    if sweep.rungs:
        raise InputError(
            f"{sweep.folder}: adds trials while its learning rates are searched, which {engine} cannot run; use the "
            "local or the Ray engine",
            "conflict",
        )


def _rung(path: Path, number: int, row: dict[str, Any]) -> RateRung:
    config = from_json(RunConfig, row["config"], f"{path}: rung {number}")
    if config.hash != row["hash"]:
        raise InputError(
            f"{path}: rung {number} belongs to another version of semgjax; use that version", "wrong-version"
        )
    return RateRung(number, config, tuple(row["seeds"]), from_json(Search, row["search"], f"{path}: rung {number}"))


def find_trial(sweep: Sweep, word: str) -> Trial:
    """The trial with this id or index.

    Raises:
        InputError: it does not exist ("unknown-name").
    """
    for index, trial in enumerate(sweep.trials):
        if word in (trial.id, str(index)):
            return trial
    near = difflib.get_close_matches(word, [trial.id for trial in sweep.trials], n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"give an id or 0 to {len(sweep.trials) - 1}"
    raise InputError(f"{sweep.folder / FILE}: no trial {word!r}; {hint}", "unknown-name")


def share_of(sweep: Sweep, part: int, parts: int) -> tuple[Trial, ...]:
    """The trials of worker `part` of `parts`: every parts-th teacher or supervised trial, with its students.

    Raises:
        InputError: not 0 <= part < parts.
    """
    if not 0 <= part < parts:
        raise InputError(f"share {part}/{parts}: number the workers from 0 to {parts - 1}", "bad-value")
    if sweep.rungs:
        return tuple(trial for trial in sweep.trials if trial.rung is not None and trial.rung % parts == part)
    roots = [trial for trial in sweep.trials if trial.teacher is None]
    place = {trial.id: index for index, trial in enumerate(roots)}
    return tuple(trial for trial in sweep.trials if place[_root(trial).id] % parts == part)


def _root(trial: Trial) -> Trial:
    return trial if trial.teacher is None else _root(trial.teacher)


def _split_file(folder: Path, split: str) -> Path:
    return folder / "splits" / f"{split[:16]}.json"


def trials_of(configs: Sequence[RunConfig]) -> tuple[Trial, ...]:
    """Configurations as trials, each with its id and its teacher.

    Raises:
        InputError: a student's teacher does not come before it.
    """
    known: dict[str, Trial] = {}
    trials = []
    for index, config in enumerate(configs):
        name = f"{index:03d}-{config.preset}-s{config.train.seed}"
        teacher = None
        if config.distill is not None:
            if config.distill.also:
                raise InputError(
                    f"trial {name}: has several teachers, which a sweep cannot give; use semgjax.distill", "conflict"
                )
            teacher = known.get(config.distill.teacher)
            if teacher is None:
                raise InputError(
                    f"trial {name}: its teacher ({config.distill.teacher[:16]}) is not an earlier trial; "
                    "plan the teacher in the same sweep",
                    "conflict",
                )
        trials.append(Trial(name, config, teacher))
        known[config.hash] = trials[-1]
    return tuple(trials)


def _content(sweep: Sweep) -> dict[str, Any]:
    rows = [{"id": t.id, "config": to_json(t.config), "hash": t.config.hash} for t in sweep.trials if t.rung is None]
    content = {"name": sweep.name, "splits": sweep.splits, "trials": rows}
    if sweep.rungs:
        content["rungs"] = [
            {
                "config": to_json(rung.config),
                "hash": rung.config.hash,
                "seeds": list(rung.seeds),
                "search": to_json(rung.search),
            }
            for rung in sweep.rungs
        ]
    if sweep.forecast is not None:
        content["forecast"] = to_json(sweep.forecast)
    return content


def _identity(sweep: Sweep) -> tuple[Any, ...]:
    """What makes two plans the same; trials that a search added are no part of it."""
    trials = tuple(trial for trial in sweep.trials if trial.rung is None)
    return sweep.name, trials, sweep.rungs, sweep.splits, sweep.forecast


def _check(sweep: Sweep) -> None:
    if not sweep.name.strip() or not sweep.trials:
        raise InputError(
            f"sweep {sweep.name!r} of {len(sweep.trials)} trials: give a name and at least one trial", "bad-value"
        )
    known: dict[str, str] = {}
    for trial in sweep.trials:
        config = trial.config
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", config.preset):
            raise InputError(f"trial {trial.id!r}: preset {config.preset!r} cannot name a folder", "bad-name")
        if config.hash in known:
            raise InputError(f"trials {known[config.hash]} and {trial.id} are the same run; remove one", "conflict")
        known[config.hash] = trial.id
    if sweep.forecast is not None:
        sizes = len(levels_of(size_of(sweep, trial) for trial in sweep.trials))
        if sweep.forecast.largest > sizes:
            raise InputError(
                f"forecast.largest {sweep.forecast.largest}: the plan has {sizes} sizes by {sweep.forecast.by}; give "
                "no more",
                "bad-value",
            )


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; choose a folder", "not-a-file")
    ours = (".lock", f".{FILE}.", "splits")  # left by a plan command that was killed
    names = [p.name for p in folder.iterdir()] if folder.is_dir() else []
    strangers = sorted(name for name in names if not name.startswith(ours))
    if strangers:
        raise InputError(
            f"{folder}: is not empty ({strangers[0]}) and holds no sweep; choose another folder", "out-exists"
        )


def _difference(old: Sweep, new: Sweep) -> str:
    if old.name != new.name:
        return f"name {old.name!r}, now {new.name!r}"
    if len(old.trials) != len(new.trials) and not (old.rungs or new.rungs):
        return f"{len(old.trials)} trials, now {len(new.trials)}"
    if old.forecast != new.forecast:
        return "its rule for forecasts differs"
    if old.rungs != new.rungs:
        return "its rungs differ, or how their learning rates are searched"
    if old.rungs:
        return "the split differs"
    changed = (b for a, b in zip(old.trials, new.trials, strict=True) if a != b)
    return next((f"trial {trial.id} differs" for trial in changed), "the split differs")
