"""Members of a ladder of one depth or of one width, with the parametrization and the base of a transfer check."""

import dataclasses
from typing import Literal, get_args

from semgjax.data.corpus import Corpus
from semgjax.errors import InputError
from semgjax.model.config import ModelConfig
from semgjax.model.for_band import fit_to_band
from semgjax.model.presets import preset
from semgjax.training.run_config import RunConfig, recipe

Family = Literal["keys", "ladder", "gesture"]
Parametrization = Literal["standard", "completep", "completep-fixed-gains"]
BASE = ModelConfig()
"""whose base_dim and base_layers are the defaults"""


def member(
    family: Family, width: int, layers: int, parametrization: Parametrization, corpus: Corpus, seed: int = 0
) -> RunConfig:
    """A member's run: its preset's network and windows, and the learning rate of the base's recipe for all members.

    Raises:
        InputError: an unknown family ("unknown-name"), or a width or depth out of range.
    """
    if family not in get_args(Family):
        raise InputError(f"family {family!r} is unknown; choose {', '.join(get_args(Family))}", "unknown-name")
    shape = fit_to_band(preset(f"{family}-{width}"), corpus.band)
    assert isinstance(shape, ModelConfig)
    changes = {"layers": layers} if parametrization == "standard" else {
        "layers": layers,
        "parametrization": "completep",
        "gains": "fixed" if parametrization == "completep-fixed-gains" else "trained",
    }  # fmt: skip
    own, base = recipe(f"{family}-{width}", corpus.band), recipe(f"{family}-{BASE.base_dim}", corpus.band)
    return RunConfig(
        f"{family}-{width}",
        dataclasses.replace(shape, **changes),
        corpus.hash,
        own.window,
        own.augment,
        base.optimizer,
        dataclasses.replace(own.train, seed=seed),
        band=corpus.band,
    )
