"""A plan file (TOML) -> one run configuration per trial: what is set, times what varies; writes nothing."""

import dataclasses
import difflib
import itertools
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.config_json import from_json, to_json
from semgjax.data.augment import AugmentConfig, augment_recipe
from semgjax.data.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.model.config import ModelConfig, preset
from semgjax.train.config import OptimizerConfig, RunConfig, TrainConfig, recipe

MOST_TRIALS = 10_000
_TABLES = ("set", "vary")
_PARTS: dict[str, type] = {
    "model": ModelConfig,
    "window": WindowSpec,
    "augment": AugmentConfig,
    "optimizer": OptimizerConfig,
    "train": TrainConfig,
}
OPTIONS = (
    "preset",
    "augmentation",
    *(f"{part}.{f.name}" for part, kind in _PARTS.items() for f in dataclasses.fields(kind)),
)
"""all that a plan file can set or vary"""


@dataclass(frozen=True)
class PlanFile:
    """A sweep's name and its trials' configurations; their `data` is empty until the sessions are known."""

    name: str
    configs: tuple[RunConfig, ...]


def read_plan_file(path: Path) -> PlanFile:
    """Read and check a plan file. The last option of [vary] changes fastest.

    Raises:
        InputError: no such file, no TOML, an unknown name, a value of the wrong type or out of range.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file (expected a plan, TOML)") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: cannot be read as TOML ({error})") from None
    for key in document:
        _check_known(path, key, ("name", *_TABLES))
    name = document.get("name")
    if not isinstance(name, str) or not name.strip():
        raise InputError(f'{path}: name is {name!r}; begin the plan with name = "..."')
    fixed, varied = (_options(path, table, document.get(table, {})) for table in _TABLES)
    _check_options(path, fixed, varied)
    choices = itertools.product(*varied.values())
    trials = [fixed | dict(zip(varied, choice, strict=True)) for choice in choices]
    return PlanFile(name, tuple(_config(path, options) for options in trials))


def _options(path: Path, table: str, value: Any) -> dict[str, Any]:
    """A table as option -> value; `"train.steps" = 1` and `train.steps = 1` mean the same."""
    if not isinstance(value, dict):
        raise InputError(f"{path}: {table} is {value!r}; write a table, [{table}]")
    pairs = list(_flat(value))
    for name, _ in pairs:
        _check_known(path, name, OPTIONS, f" in [{table}]")
    if len(dict(pairs)) < len(pairs):
        raise InputError(f"{path}: an option is written twice in [{table}]; keep one")
    return dict(pairs)


def _flat(value: dict[str, Any]) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for name, item in value.items():
        inner = _flat(item) if isinstance(item, dict) else None
        pairs += [(name, item)] if inner is None else [(f"{name}.{option}", v) for option, v in inner]
    return pairs


def _check_known(path: Path, name: str, known: tuple[str, ...], where: str = "") -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose among {', '.join(known)}"
    raise InputError(f"{path}: unknown name {name!r}{where}; {hint}")


def _check_options(path: Path, fixed: dict[str, Any], varied: dict[str, Any]) -> None:
    for name, values in varied.items():
        if name in fixed:
            raise InputError(f"{path}: {name!r} is in [set] and in [vary]; keep one")
        if not isinstance(values, list) or not values:
            raise InputError(f"{path}: {name!r} in [vary] is {values!r}; write a list of values")
        twice = [value for i, value in enumerate(values) if value in values[:i]]
        if twice:
            raise InputError(f"{path}: {name!r} in [vary] holds {twice[0]!r} twice; keep one")
    if "preset" not in {*fixed, *varied}:
        raise InputError(f'{path}: no preset; add "preset" to [set] or [vary], such as "ladder-64"')
    count = math.prod(len(values) for values in varied.values())
    if count > MOST_TRIALS:
        raise InputError(f"{path}: [vary] makes {count:,} trials, more than {MOST_TRIALS:,}; vary less")


def _config(path: Path, options: dict[str, Any]) -> RunConfig:
    """One trial: its preset's recipe, its named augmentation, and the options put in."""
    name = options["preset"]
    if not isinstance(name, str):
        raise InputError(f"{path}: preset {name!r} is no text; write it in quotes")
    for option, value in options.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{path}: {option!r} is {value}; write a finite number")
    named = options.get("augmentation", "preset")
    if not isinstance(named, str):
        raise InputError(f"{path}: augmentation {named!r} is no text; write it in quotes")
    try:
        base = recipe(name)
        augment = base.augment if named == "preset" else augment_recipe(named)
        start = RunConfig(name, preset(name), "", base.window, augment, base.optimizer, base.train)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    value = to_json(start)
    for option, choice in options.items():
        if option not in ("preset", "augmentation"):
            part, _, member = option.partition(".")
            value[part][member] = choice
    try:
        return from_json(RunConfig, value, str(path))
    except InputError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise InputError(f"{path}: {message} (in a trial with preset {name!r})") from None
