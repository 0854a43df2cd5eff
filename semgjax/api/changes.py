"""Options of a run given by name: a preset's recipe with changes, checked like a configuration read from a file."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from semgjax.config_json import from_json, to_json
from semgjax.data.band import TYPING, Band
from semgjax.data.batching.augment import AugmentConfig, augment_recipe, fit_augment, on_grid
from semgjax.data.batching.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.model.config import Network
from semgjax.model.for_band import fit_to_band
from semgjax.model.presets import preset
from semgjax.training.distill_config import DistillOptions
from semgjax.training.engine import Engine
from semgjax.training.run_config import OptimizerConfig, Recipe, TrainConfig, recipe

Options = Mapping[str, Any]
"""changes of a preset's recipe by name, such as {"steps": 300}"""
T = TypeVar("T")


def members_of(
    given: str | Network,
    model: Network | Options | None,
    augment: AugmentConfig | Options | str | None,
    optimizer: OptimizerConfig | Options | None,
    train: TrainConfig | Options | None,
    window: WindowSpec | Options | None = None,
    band: Band = TYPING,
    cache: bool = False,
) -> dict[str, Any]:
    """The members of a `RunConfig` except its data: a preset's recipe, or a network's configuration, with the changes.

    Args:
        band: of the sessions. Presets and recipes named are made to fit it before the changes; whole configurations
            are taken as they are.
        cache: the run learns from cached targets: recipes leave their jitter out.

    Raises:
        InputError: an unknown name ("unknown-name"), or a value of another type or out of range.
    """
    if isinstance(given, str):
        name, shape, base = given, fit_to_band(preset(given), band), recipe(given, band)
    else:
        name, shape, base = str(given.NETWORK), given, Recipe()
    if isinstance(augment, str):
        found = fit_augment(augment_recipe(augment), band)
        augment = on_grid(found) if cache else found
    changes = on_grid(base.augment) if cache else base.augment
    return {
        "preset": name,
        "model": changed("model", shape, model),
        "window": changed("window", base.window, window),
        "augment": changed("augment", changes, augment),
        "optimizer": changed("optimizer", base.optimizer, optimizer),
        "train": changed("train", base.train, train),
        "band": band,
    }


def distill_options(given: DistillOptions | Options | None, named: Options) -> DistillOptions:
    """The options of distillation with changes by name, and then those that have arguments of their own.

    Raises:
        InputError: an unknown name ("unknown-name"), or a value of another type or out of range.
    """
    return changed("distill", changed("distill", DistillOptions(), given), named)


def changed(part: str, value: T, given: Any) -> T:
    """The configuration with changes by name, checked like one read from a file; or a whole one in its place."""
    if given is None:
        return value
    if isinstance(given, type(value)):
        return given
    if not isinstance(given, Mapping):
        raise InputError(f"{part}: give changes by name or a {type(value).__name__}, not {given!r}", "bad-value")
    _check_names(part, value, given)
    plain = {name: _plain(item) for name, item in given.items()}
    changed = from_json(type(value), {**to_json(value), **plain}, part)
    return dataclasses.replace(value, **{name: getattr(changed, name) for name in given})  # type: ignore[type-var]


def _plain(value: Any) -> Any:
    """The value as plain JSON."""
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, tuple) else value


def _check_names(part: str, value: Any, given: Options) -> None:
    known = {f.name for f in dataclasses.fields(value)}
    for name in given:
        if name not in known:
            raise InputError(f"{part}: no option {name!r}; choose among {', '.join(sorted(known))}", "unknown-name")


def chosen_engine(given: Engine | Options | None) -> Engine:
    """The engine with changes by name.

    Raises:
        InputError: an unknown name, or a value of another type.
    """
    if isinstance(given, Engine):
        return given
    _check_names("engine", Engine(), given or {})
    try:
        return Engine(**(given or {}))
    except TypeError as error:
        raise InputError(f"engine: a value is of another type ({error})", "bad-value") from None
