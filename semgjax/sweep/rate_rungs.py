"""Rungs whose learning rate is searched: their trials, which grow with the results; writes SWEEP/rates/<rung>.json.

A rung is one configuration but for its rate and its seeds. The search runs with the first seed; the other seeds follow
at the best rate. The decisions, a list of rounds, are on disk, so that a sweep that was killed resumes with the same
trials; each follows from the results of the rounds before it alone.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from semgjax.errors import InputError
from semgjax.files import content_hash, read_json, write_json
from semgjax.sweep.rate_search import Search, shown
from semgjax.training.run_config import RunConfig

FOLDER = "rates"
_SCHEMA, _VERSION = "semgjax/rates", 1

Stage = Literal["short", "full", "seeds"]


@dataclass(frozen=True)
class RateRung:
    """A rung of a plan.

    Attributes:
        number: its place in the plan, from 0 on.
        config: its configuration with the first seed and the rate that the search starts from.
        seeds: the other seeds.
    """

    number: int
    config: RunConfig
    seeds: tuple[int, ...]
    search: Search

    @property
    def start(self) -> float:
        """The first rate."""
        return self.config.optimizer.learning_rate

    @property
    def short_steps(self) -> int:
        """Steps of a run of the search at part of the length."""
        return max(1, round(self.config.train.steps / self.search.shorten))

    def at(self, rate: float, seed: int, stage: Stage) -> RunConfig:
        """A run of the rung."""
        steps = self.short_steps if stage == "short" else self.config.train.steps
        train = dataclasses.replace(self.config.train, seed=seed, steps=steps)
        optimizer = dataclasses.replace(self.config.optimizer, learning_rate=rate)
        return dataclasses.replace(self.config, optimizer=optimizer, train=train)

    def name(self, rate: float, seed: int, stage: Stage) -> str:
        """The id of a run's trial."""
        short = f"-n{self.short_steps}" if stage == "short" else ""
        return f"{self.number:03d}-{self.config.preset}-s{seed}-r{shown(rate):g}{short}"


@dataclass(frozen=True)
class Round:
    """Runs that are decided together: rates of the first seed, or ("seeds") the other seeds at the best rate."""

    stage: Stage
    rates: tuple[float, ...]
    seeds: tuple[int, ...]

    @property
    def runs(self) -> tuple[tuple[float, int], ...]:
        """(rate, seed) of each run."""
        return tuple((rate, seed) for seed in self.seeds for rate in sorted(self.rates))


def rungs_of(configs: Sequence[RunConfig], search: Search) -> tuple[RateRung, ...]:
    """The rungs of configurations at their start rates: those that differ in the seed alone are one."""
    seeds: dict[RunConfig, list[int]] = {}
    for config in configs:
        alike = dataclasses.replace(config, train=dataclasses.replace(config.train, seed=0))
        seeds.setdefault(alike, []).append(config.train.seed)
    found = []
    for number, (config, own) in enumerate(seeds.items()):
        if len(set(own)) < len(own):
            raise InputError(
                f"two trials of preset {config.preset} with one seed are the same run; remove one", "conflict"
            )
        optimizer = dataclasses.replace(config.optimizer, learning_rate=shown(config.optimizer.learning_rate))
        first = dataclasses.replace(config, optimizer=optimizer, train=dataclasses.replace(config.train, seed=own[0]))
        if search.shorten > 1 and round(config.train.steps / search.shorten) < 1:
            raise InputError(f"bracket.shorten {search.shorten}: leaves no step of {config.train.steps}", "bad-value")
        found.append(RateRung(number, first, tuple(own[1:]), search))
    return tuple(found)


def rates_file(folder: Path, rung: RateRung) -> Path:
    """The decisions on a rung."""
    return folder / FOLDER / f"{rung.number:03d}.json"


def read_rounds(folder: Path, rung: RateRung) -> tuple[Round, ...]:
    """The rounds that are decided; none of a rung that has not begun.

    Raises:
        InputError: the file is damaged, was edited, or belongs to another plan.
    """
    path = rates_file(folder, rung)
    if not path.exists():
        return ()
    document = read_json(path, _SCHEMA, _VERSION)
    rows: list[dict[str, Any]] = document.get("rounds") or []
    if document.get("hash") != content_hash(rows) or document.get("rung") != rung.config.hash:
        raise InputError(f"{path}: was edited, or belongs to another plan; plan into another folder instead", "changed")
    return tuple(Round(row["stage"], tuple(row["rates"]), tuple(row["seeds"])) for row in rows)


def write_rounds(folder: Path, rung: RateRung, rounds: Sequence[Round]) -> None:
    """Write the rounds of a rung, atomically."""
    rows: list[dict[str, Any]] = [
        {"stage": one.stage, "rates": list(one.rates), "seeds": list(one.seeds)} for one in rounds
    ]
    path = rates_file(folder, rung)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, _SCHEMA, _VERSION, {"rung": rung.config.hash, "hash": content_hash(rows), "rounds": rows})
