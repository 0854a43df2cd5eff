"""A run that begins with another decoder's parameters: the decoder must fit, and the result says which it was."""

import dataclasses
from typing import Any

import jax

from semgjax.config_json import to_json
from semgjax.data.corpus import Corpus
from semgjax.data.trained_on import check_unmet, held_out
from semgjax.exporting.export_folder import params_hash
from semgjax.exporting.import_tensors import check_fitting
from semgjax.model import network
from semgjax.model.for_band import check_band
from semgjax.model.kind import Network
from semgjax.model.named import by_name
from semgjax.personalising.base import Base
from semgjax.training.lineage import Lineage
from semgjax.training.run_config import RunConfig

_FREE = {"dropout", "mask_share", "mask_length"}
"""members of a network that matter in training only"""


def begun_with(base: Base, config: RunConfig, place: str) -> RunConfig:
    """The run, to begin with the base's parameters.

    Raises:
        InputError: the base is of another band ("band-misfit"), or has not the tensors of the run's network
            ("tensor-misfit").
    """
    check_band(config.band, base.band, "the run")
    expected = by_name(jax.eval_shape(lambda: network.init(config.model, jax.random.key(0))))
    check_fitting(expected, by_name(base.params), place)
    return dataclasses.replace(config, init=params_hash(base.params))


def with_start(lineage: Lineage, base: Base, config: RunConfig, corpus: Corpus, place: str) -> Lineage:
    """What the result says of the start too; it warns where scores may not be of new sessions, or the networks differ.

    Raises:
        InputError: the base was trained on what the run is scored on ("conflict").
    """
    warnings = [f"init: the network's {line}" for line in _differences(base.model, config.model)]
    trained_on = None if lineage.trained_on is None or base.trained_on is None else lineage.trained_on | base.trained_on
    if base.about.get("data") != corpus.hash:
        if base.trained_on is None:
            warnings.append(
                f"init: {place} does not record what it was trained on; scored sessions may not be new to it"
            )
        else:
            check_unmet(held_out(corpus), base.trained_on, f"init {place}")
    about: dict[str, Any] = {**base.about, "config": base.identity, "preset": base.preset}
    return dataclasses.replace(lineage, trained_on=trained_on, warnings=(*lineage.warnings, *warnings), base=about)


def _differences(old: Network, new: Network) -> list[str]:
    one, two = to_json(old), to_json(new)
    names = sorted((one.keys() | two.keys()) - _FREE)
    return [
        f"{name} is {two.get(name)!r}, of init {one.get(name)!r}" for name in names if one.get(name) != two.get(name)
    ]
