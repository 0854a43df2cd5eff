"""A plan file (TOML) -> the points of a sweep: set and varied options, a star, students, and rates to search."""

import dataclasses
import difflib
import importlib.resources
import itertools
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from semgjax.config_json import from_json
from semgjax.data.batching.augment import AugmentConfig
from semgjax.data.batching.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.files import read_text
from semgjax.model.kind import Network
from semgjax.sweep.forecast_rule import ForecastRule
from semgjax.sweep.rate_search import Search
from semgjax.sweep.subset import Subset
from semgjax.training.distill_config import DistillOptions
from semgjax.training.run_config import OptimizerConfig, TrainConfig

MOST_TRIALS = 10_000
_MOST_BYTES = 4_000_000
PARTS: dict[str, type] = {
    "model": Network,
    "window": WindowSpec,
    "augment": AugmentConfig,
    "optimizer": OptimizerConfig,
    "train": TrainConfig,
}
FLOPS, RATE = "train.flops", "optimizer.learning_rate"
BRACKET, FORECAST = "bracket", "forecast"
"""in [vary], in place of a list of learning rates: they are searched (semgjax.sweep.rate_search)"""
DATA = tuple(f"data.{f.name}" for f in dataclasses.fields(Subset))
_STUDENT = tuple(f"distill.{f.name}" for f in dataclasses.fields(DistillOptions))
_RULE = ("at", "width", "parameters", "power")

Options = dict[str, Any]
T = TypeVar("T")


def known_options() -> tuple[str, ...]:
    """The options that a plan file can set or vary; those of the model are of all registered networks."""
    names: dict[str, None] = {}
    for part, base in PARTS.items():
        for kind in Network.kinds() if base is Network else (base,):
            names |= dict.fromkeys(f"{part}.{f.name}" for f in dataclasses.fields(kind))
    return ("preset", "augmentation", *DATA, *names, FLOPS)


@dataclass(frozen=True)
class Point:
    """The options of one trial; `teacher` is the index of its teacher's point, which comes earlier."""

    options: Options
    teacher: int | None = None


@dataclass(frozen=True)
class PlanFile:
    """A sweep's name and its points, teachers before students.

    Attributes:
        search: of the learning rate, which each point starts from; None where the plan gives the rates.
        forecast: which trials run only after a forecast of them.
    """

    path: Path
    name: str
    points: tuple[Point, ...]
    search: Search | None = None
    forecast: ForecastRule | None = None


def shipped_plans() -> dict[str, Path]:
    """The plans that come with semgjax, by name."""
    folder = Path(str(importlib.resources.files("semgjax.sweep"))) / "plans"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_plan(word: str) -> Path:
    """The plan file at this path, or else the shipped plan of this name.

    Raises:
        InputError: neither exists ("no-file").
    """
    shipped = shipped_plans()
    if Path(word).exists() or word not in shipped:
        if not Path(word).exists() and Path(word).suffix != ".toml":
            near = difflib.get_close_matches(word, shipped, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"shipped plans are {', '.join(shipped)}"
            raise InputError(f"{word}: is neither a file nor a shipped plan; {hint}", "no-file")
        return Path(word)
    return shipped[word]


def read_plan_file(path: Path) -> PlanFile:
    """Read and check a plan file: [set], [vary], [star], [bracket], [forecast], [[distill]] (docs/guides/sweeps.md).

    The points are the product of the lists in [vary], with the last option changing fastest; a star replaces its base
    by its points; students come last.

    Raises:
        InputError: no such file, invalid TOML, an unknown name, or tables that do not fit together.
    """
    if path.is_file() and path.stat().st_size > _MOST_BYTES:
        raise InputError(f"{path}: {path.stat().st_size:,} bytes; a plan has at most {_MOST_BYTES:,}", "bad-toml")
    try:
        document = tomllib.loads(read_text(path, "a plan, TOML"))
    except RecursionError:
        raise InputError(f"{path}: is nested too deeply for a plan", "bad-toml") from None
    except ValueError as error:  # invalid TOML, or a number of thousands of digits
        raise InputError(f"{path}: cannot be read as TOML ({error})", "bad-toml") from None
    for key in document:
        _check_known(path, key, ("name", "set", "vary", "star", BRACKET, FORECAST, "distill"))
    name = document.get("name")
    if not isinstance(name, str) or not name.strip():
        raise InputError(f'{path}: name is {name!r}; begin the plan with name = "..."', "bad-field")
    fixed, varied, star = (_options(path, table, document.get(table, {})) for table in ("set", "vary", "star"))
    search = _search(path, document, fixed, varied, star)
    for table, lists in (("vary", varied), ("star", star)):
        _check_lists(path, table, lists)
    _check_places(path, fixed, varied, star)
    points = [Point(options) for options in _product(path, _star(fixed, star), varied)]
    students = document.get("distill", [])
    if not isinstance(students, list):
        raise InputError(
            f"{path}: distill is {students!r}; write [[distill]], a table for each kind of student", "bad-field"
        )
    if search is not None and students:
        raise InputError(
            f"{path}: [[distill]] beside a searched learning rate: which trial would be the teacher? Search the rates "
            "first, then plan the students with them",
            "conflict",
        )
    for table in students:
        points += _students(path, table, points)
    return PlanFile(path, name, tuple(points), search, _forecast(path, document))


def _forecast(path: Path, document: Options) -> ForecastRule | None:
    """The rule for forecasts, if the plan has one."""
    if FORECAST not in document:
        return None
    options = document[FORECAST]
    if not isinstance(options, dict):
        raise InputError(f"{path}: {FORECAST} is {options!r}; write a table, [{FORECAST}]", "bad-field")
    for key in options:
        _check_known(path, key, tuple(f.name for f in dataclasses.fields(ForecastRule)), f" in [{FORECAST}]")
    return _table(ForecastRule, options, path, FORECAST)


def _search(path: Path, document: Options, fixed: Options, varied: Options, star: Options) -> Search | None:
    """How learning rates are searched; its axis leaves `varied`, and its start goes to `fixed`."""
    options = document.get(BRACKET, {})
    wanted = varied.get(RATE) == BRACKET
    if not wanted:
        if BRACKET in document:
            raise InputError(
                f'{path}: [{BRACKET}] is for a search of learning rates; add "{RATE}" = "{BRACKET}" to [vary]',
                "conflict",
            )
        return None
    if not isinstance(options, dict):
        raise InputError(f"{path}: {BRACKET} is {options!r}; write a table, [{BRACKET}]", "bad-field")
    names = tuple(f.name for f in dataclasses.fields(Search))
    for key in options:
        _check_known(path, key, ("start", *names), f" in [{BRACKET}]")
    for table, other in (("set", fixed), ("star", star)):
        if RATE in other:
            raise InputError(
                f"{path}: {RATE!r} is in [{table}] and searched; give the first rate as start in [{BRACKET}]",
                "conflict",
            )
    del varied[RATE]
    if "start" in options:
        fixed[RATE] = options["start"]
    return _table(Search, {name: value for name, value in options.items() if name != "start"}, path, BRACKET)


def _table(kind: type[T], options: Options, path: Path, table: str) -> T:
    """A table of the plan as the dataclass that it fills; errors name the file."""
    try:
        return from_json(kind, options, f"{path}: {table}")
    except InputError as error:
        text = str(error)
        raise InputError(text if text.startswith(str(path)) else f"{path}: {text}", error.code) from None


def _star(fixed: Options, star: Options) -> list[Options]:
    """The base, and then each axis varied separately."""
    return [fixed] + [
        {**fixed, name: value} for name, values in star.items() for value in values if value != fixed[name]
    ]


def _product(path: Path, bases: list[Options], varied: Options) -> list[Options]:
    _check_count(path, len(bases) * math.prod(len(values) for values in varied.values()))
    choices = list(itertools.product(*varied.values()))
    return [{**base, **dict(zip(varied, choice, strict=True))} for base in bases for choice in choices]


def _check_count(path: Path, count: int) -> None:
    if count > MOST_TRIALS:
        raise InputError(f"{path}: makes {count:,} trials, more than {MOST_TRIALS:,}; vary less", "bad-value")


def _students(path: Path, table: Any, points: list[Point]) -> list[Point]:
    """One student per teacher and choice; it inherits the teacher's options that it does not set."""
    if not isinstance(table, dict):
        raise InputError(
            f"{path}: distill holds {table!r}; write [[distill]], a table for each kind of student", "bad-field"
        )
    for key in table:
        _check_known(path, key, ("teacher", "set", "vary"), " in [[distill]]")
    wanted = _options(path, "distill.teacher", table.get("teacher", {}))
    known = (*known_options(), *_STUDENT)
    fixed, varied = (_options(path, f"distill.{name}", table.get(name, {}), known) for name in ("set", "vary"))
    _check_lists(path, "distill.vary", varied)
    teachers = [index for index, p in enumerate(points) if all(p.options.get(k) == v for k, v in wanted.items())]
    if not wanted or not teachers:
        raise InputError(
            f"{path}: teacher {wanted!r} in [[distill]] matches no trial of this plan; correct it",
            "bad-field",
        )
    if "preset" not in {*fixed, *varied}:
        raise InputError(
            f'{path}: no preset for the students; add "preset" to [distill.set] or [distill.vary]', "bad-field"
        )
    _check_count(path, len(points) + len(teachers) * math.prod(len(values) for values in varied.values()))
    found = []
    for index in teachers:
        for own in _product(path, [fixed], varied):
            taken = {k: v for k, v in points[index].options.items() if not (_length(own) and k in _LENGTHS)}
            found.append(Point({**taken, **own}, index))
    return found


_LENGTHS = ("train.steps", FLOPS)  # two ways to set the length


def _length(options: Options) -> bool:
    return any(name in options for name in _LENGTHS)


def _options(path: Path, table: str, value: Any, known: tuple[str, ...] | None = None) -> Options:
    """A table as option -> value; `"train.steps" = 1` and `train.steps = 1` are equal."""
    if not isinstance(value, dict):
        raise InputError(f"{path}: {table} is {value!r}; write a table, [{table}]", "bad-field")
    pairs, known = list(_flat(value)), known or known_options()
    for name, _ in pairs:
        _check_known(path, name, known, f" in [{table}]")
    if len(dict(pairs)) < len(pairs):
        raise InputError(f"{path}: an option is written twice in [{table}]; keep one", "conflict")
    return dict(pairs)


def _flat(value: dict[str, Any], before: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, item in value.items():
        name = f"{before}{key}"
        # A learning rate may be a rule, which is itself a table.
        nested = isinstance(item, dict) and name != RATE
        pairs += _flat(item, f"{name}.") if nested else [(name, item)]
    return pairs


def _check_known(path: Path, name: str, known: tuple[str, ...], where: str = "") -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose among {', '.join(known)}"
    raise InputError(f"{path}: unknown name {name!r}{where}; {hint}", "unknown-name")


def _check_lists(path: Path, table: str, lists: Options) -> None:
    for name, values in lists.items():
        if not isinstance(values, list) or not values:
            raise InputError(f"{path}: {name!r} in [{table}] is {values!r}; write a list of values", "bad-field")
        _check_count(path, len(values))
        seen: set[Any] = set()
        for value in values:
            # Equal numbers are one value, also 1 and 1.0; a table is compared by its text.
            key = value if isinstance(value, str | int | float) else repr(value)
            if key in seen:
                raise InputError(f"{path}: {name!r} in [{table}] holds {value!r} twice; keep one", "conflict")
            seen.add(key)


def _check_places(path: Path, fixed: Options, varied: Options, star: Options) -> None:
    for name in varied:
        if name in fixed or name in star:
            raise InputError(
                f"{path}: {name!r} is in [{'set' if name in fixed else 'star'}] and in [vary]; keep one", "conflict"
            )
    for name in star:
        if name not in fixed:
            raise InputError(
                f"{path}: {name!r} is in [star] but not in [set], which gives the star's middle; add it", "conflict"
            )
    if "preset" not in {*fixed, *varied}:
        raise InputError(f'{path}: no preset; add "preset" to [set] or [vary], such as "ladder-64"', "bad-field")
