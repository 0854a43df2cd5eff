"""The points of a plan file -> run configurations: recipe, learning-rate rule, FLOP budget, subset of sessions."""

import dataclasses
import math
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.config_json import from_json, to_json
from semgjax.data.band import TYPING, Band
from semgjax.data.batching.augment import augment_recipe, fit_augment, on_grid
from semgjax.data.corpus import Corpus, load_corpus
from semgjax.data.splitting.splits import Split, read_split, write_split
from semgjax.data.trained_on import Names, held_out, learned_from
from semgjax.distilling.pairs import check_pair
from semgjax.distilling.teachers import Teacher, student_config
from semgjax.errors import InputError
from semgjax.model.config import ModelConfig
from semgjax.model.flops import train_flops
from semgjax.model.for_band import fit_to_band
from semgjax.model.presets import preset
from semgjax.sweep.forecast_rule import ForecastRule
from semgjax.sweep.planfile import FLOPS, PARTS, RATE, Options, PlanFile
from semgjax.sweep.rate_search import Search
from semgjax.sweep.subset import Subset, subset_split
from semgjax.sweep.trial_cost import parameters_of
from semgjax.training.distill_config import DistillOptions
from semgjax.training.run_config import RunConfig, recipe

_SOURCE = "plan: "  # the prefix of from_json's messages, replaced by the file's name


@dataclass(frozen=True)
class Resolved:
    """The arguments of `plan_sweep`: configurations, and the split behind each hash of sessions."""

    configs: tuple[RunConfig, ...]
    subsets: tuple[Subset, ...]
    """the training subset of each configuration, for display"""
    splits: dict[str, Split]
    search: Search | None = None
    """of the learning rate, from that of each configuration"""
    forecast: ForecastRule | None = None
    """which trials run only after a forecast of them"""


@dataclass(frozen=True)
class _Data:
    """Sessions under one split: their hash, what a supervised run and any run learn from, what their teachers must not
    know."""

    hash: str
    split: Split
    learned: Names
    all: Names
    held: Names


def resolve(plan: PlanFile, data: Path, split_file: Path | None) -> Resolved:
    """Make run configurations of a plan's points.

    Args:
        data: folder of sessions.
        split_file: their split (None: splits.json in that folder); subsets are taken from its training part.

    Raises:
        InputError: a value of the wrong type or out of range, a subset that the sessions cannot give, or a student
            that does not fit its teacher (all name the plan file); or damaged sessions.
    """
    whole = load_corpus(data, split_file)
    split = read_split(split_file or data / "splits.json")
    corpora: dict[Subset, _Data] = {Subset(): _data_of(whole, split)}
    configs: list[RunConfig] = []
    subsets: list[Subset] = []
    splits: dict[str, Split] = {}
    met: list[Names] = []
    for point in plan.points:
        teacher, known = (None, None) if point.teacher is None else (configs[point.teacher], met[point.teacher])
        try:
            subset = _subset(point.options)
            if subset not in corpora:
                smaller = subset_split(split, whole, subset)
                corpora[subset] = _under(data, smaller)
            own = corpora[subset]
            config = run_config(point.options, own.hash, teacher, whole.band, known, own.held)
        except InputError as error:
            where = f"in a trial with preset {point.options['preset']!r}"
            raise InputError(f"{plan.path}: {str(error).removeprefix(_SOURCE)} ({where})", error.code) from None
        configs.append(config)
        met.append((known or Names()) | (own.learned if config.distill is None else own.all))
        subsets.append(subset)
        splits[own.hash] = own.split
    return Resolved(tuple(configs), tuple(subsets), splits, plan.search, plan.forecast)


def run_config(
    options: Options,
    data: str,
    teacher: RunConfig | None = None,
    band: Band = TYPING,
    met: Names | None = None,
    held: Names | None = None,
) -> RunConfig:
    """The configuration of one trial: its preset's recipe with the options; a student has its teacher's windows.

    Args:
        data: hash of the sessions under the trial's split.
        band: of the sessions, which the preset and its recipe are made to fit.
        met: what the teacher is trained on; None: the student's sessions.
        held: see `student_config`.

    Raises:
        InputError: a value of the wrong type or out of range.
    """
    name = options["preset"]
    if not isinstance(name, str):
        raise InputError(f"preset {name!r} is not text; write it in quotes", "bad-field")
    for option, value in options.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{option!r} is {value}; write a finite number", "not-finite")
    named = options.get("augmentation", "preset")
    if not isinstance(named, str):
        raise InputError(f"augmentation {named!r} is not text; write it in quotes", "bad-field")
    base = recipe(name, band)
    augment = base.augment if named == "preset" else fit_augment(augment_recipe(named), band)
    if teacher is not None and options.get("distill.cache"):
        augment = on_grid(augment)
    shape = fit_to_band(preset(name), band)
    start = RunConfig(name, shape, data, base.window, augment, base.optimizer, base.train, band=band)
    rule, budget = options.get(RATE), options.get(FLOPS)
    plain = _from_options(start, {k: v for k, v in options.items() if not (k == RATE and isinstance(rule, dict))})
    config = _from_options(plain, {RATE: learning_rate(rule, plain)}) if isinstance(rule, dict) else plain
    if teacher is not None:
        distill = from_json(DistillOptions, _part(options, "distill"), "plan").config(teacher.hash)
        check_pair(config.model, config.band, teacher)  # before the check of its windows, for a clearer message
        config = dataclasses.replace(config, window=teacher.window)
        # Whether the two fit does not depend on the teacher's parameters.
        config = student_config(config, Teacher(teacher, {}, met), distill, held)
    if budget is None:
        return config
    if "train.steps" in options:
        raise InputError("train.steps and train.flops both set the length; keep one", "conflict")
    return _from_options(config, {"train.steps": steps_for(budget, config, teacher)})


def learning_rate(rule: dict[str, Any], config: RunConfig) -> float:
    """The learning rate of a model by a rule: at * (size / reference) ** power.

    `rule` is {at = 3e-3, width = 64, power = -0.5}: 3e-3 at width 64 (model.dim), and half of it at width 256; or
    the same with `parameters` in place of `width`.

    Raises:
        InputError: a member is unknown, missing, or not a number.
    """
    sizes = {"parameters": parameters_of(config.model)}
    if isinstance(config.model, ModelConfig):
        sizes["width"] = config.model.dim
    elif "width" in rule:
        raise InputError(f"{RATE}: preset {config.preset!r} has no width; write the rule with parameters", "conflict")
    given = [name for name in sizes if name in rule]
    if len(given) != 1 or set(rule) != {"at", "power", *given}:
        raise InputError(
            f"{RATE} {rule!r} is not a rule; write {{at = 3e-3, width = 64, power = -0.5}}, or parameters", "bad-field"
        )
    for name, value in rule.items():
        good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not good or (name != "power" and value <= 0):
            raise InputError(
                f"{RATE}: {name} is {value!r}; write a {'' if name == 'power' else 'positive '}number", "bad-field"
            )
    return float(rule["at"] * (sizes[given[0]] / rule[given[0]]) ** rule["power"])


def steps_for(flops: Any, config: RunConfig, teacher: RunConfig | None = None) -> int:
    """The number of steps that a budget of floating-point operations allows (semgjax.model.flops), rounded.

    Raises:
        InputError: the budget is not a positive number, or less than one step.
    """
    if isinstance(flops, bool) or not isinstance(flops, int | float) or flops <= 0:
        raise InputError(f"{FLOPS} {flops!r} must be a positive number", "bad-value")
    teachers = () if teacher is None or config.cached else (teacher.model,)
    step = config.train.batch * train_flops(config.model, config.window.total, teachers)
    steps = round(flops / step)
    if steps < 1:
        raise InputError(f"{FLOPS} {flops:g} is less than one step, which takes {step:.3g}", "bad-value")
    return steps


def _from_options(config: RunConfig, options: Options) -> RunConfig:
    value = to_json(config)
    for option, choice in options.items():
        part, _, member = option.partition(".")
        if part in PARTS and option != FLOPS:
            if member not in value[part]:
                raise InputError(
                    f"preset {config.preset!r} has no {option!r}; plan the presets that have it separately", "bad-field"
                )
            value[part][member] = choice
    return from_json(RunConfig, value, "plan")


def _subset(options: Options) -> Subset:
    found = from_json(Subset, to_json(Subset()) | _part(options, "data"), "plan")
    # Without a limit the seed has no effect: one corpus, not one per seed.
    return Subset() if found.whole else found


def _part(options: Options, part: str) -> dict[str, Any]:
    return {name.partition(".")[2]: value for name, value in options.items() if name.startswith(f"{part}.")}


def _under(data: Path, split: Split) -> _Data:
    """The sessions under a split."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "splits.json"
        write_split(path, split)
        return _data_of(load_corpus(data, path), split)


def _data_of(corpus: Corpus, split: Split) -> _Data:
    return _Data(corpus.hash, split, learned_from(corpus, unlabelled=False), learned_from(corpus), held_out(corpus))
