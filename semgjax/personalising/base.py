"""The decoder that personalisation begins with, a run or an export, and the personalised run made from it."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.data.band import Band
from semgjax.data.batching.augment import AugmentConfig
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.corpus import Corpus, corpus_of, split_path
from semgjax.data.splitting.inventory import list_folder
from semgjax.data.splitting.own_sessions import person_split
from semgjax.data.splitting.splits import read_split
from semgjax.data.trained_on import Names, names_from_json
from semgjax.errors import InputError
from semgjax.exporting.export_folder import load_export
from semgjax.losses.loss import CTC, Loss
from semgjax.model.config import Network
from semgjax.model.encoder import Params
from semgjax.model.for_band import check_band
from semgjax.personalising.defaults import BATCH, PARTS, STEPS
from semgjax.runtime.about import MODEL
from semgjax.training.lineage import OF_TEACHER, Lineage
from semgjax.training.personal_config import PEAKS, PersonalConfig
from semgjax.training.run_config import OptimizerConfig, RunConfig, TrainConfig, recipe
from semgjax.training.run_folder import load_finished, read_result


@dataclass(frozen=True)
class Base:
    """A finished decoder.

    Attributes:
        identity: its run's (config hash).
        trained_on: what it has learned from; None: not recorded, as in an export of an earlier version.
        about: what results of runs made from it say of it (semgjax.training.lineage).
    """

    identity: str
    preset: str
    model: Network
    window: WindowSpec
    band: Band
    params: Params
    augment: AugmentConfig
    optimizer: OptimizerConfig
    loss: Loss
    compute: Any
    trained_on: Names | None
    about: dict[str, Any]


def load_base(folder: Path) -> Base:
    """A finished run of any kind, or an export, whose augmentation and optimiser are those of its preset's recipe.

    Raises:
        InputError: neither is there, the run is not finished, or something is damaged.
    """
    if (folder / MODEL).is_file():
        found = load_export(folder)
        source = found.about["source"]
        plain = recipe(source["preset"], found.band)
        about = {name: source[name] for name in ("kind", *OF_TEACHER) if name in source}
        met = names_from_json(source["trained_on"], str(folder / MODEL)) if "trained_on" in source else None
        return Base(
            source["config"], source["preset"], found.config, found.window, found.band, found.params, plain.augment,
            plain.optimizer, CTC(), plain.train.compute, met, {**about, "params": found.about["params"]},
        )  # fmt: skip
    config, params = load_finished(folder)
    result = read_result(folder) or {}
    met = names_from_json(result["trained_on"], str(folder)) if "trained_on" in result else None
    about = {name: result[name] for name in ("kind", *OF_TEACHER) if name in result}
    return Base(
        config.hash, config.preset, config.model, config.window, config.band, params, config.augment,
        config.optimizer, config.loss, config.train.compute, met, about,
    )  # fmt: skip


def person_corpus(folder: Path, split_file: Path | None, user: str, minutes: float) -> Corpus:
    """A person's sessions: the first minutes to train on, others to validate and test on (`person_split`).

    Raises:
        InputError: as `person_split` and `load_corpus`.
    """
    given = split_file is not None or (folder / "splits.json").is_file()
    path = split_path(folder, split_file) if given else folder
    split = person_split(read_split(path) if given else None, list_folder(folder), user, minutes)
    return corpus_of(folder, split, path)


def personal_config(
    base: Base,
    corpus: Corpus,
    personal: PersonalConfig,
    train: TrainConfig,
    learning_rate: float | None = None,
    augment: AugmentConfig | None = None,
) -> RunConfig:
    """The personalised run: the base's network, windows and loss, without a teacher; no weight decay.

    Args:
        learning_rate: its peak; None: the base's times PEAKS of the method.
        augment: None: the base's.

    Raises:
        InputError: the sessions are of another band than the base ("band-misfit"), or a value out of range.
    """
    check_band(base.band, corpus.band, "the base")
    peak = base.optimizer.learning_rate * PEAKS[personal.method] if learning_rate is None else learning_rate
    optimizer = dataclasses.replace(
        base.optimizer, learning_rate=peak, schedule="cosine", warmup=0.1, decay=0.0, average=0.0
    )
    return RunConfig(
        preset=base.preset, model=base.model, data=corpus.hash, window=base.window, augment=augment or base.augment,
        optimizer=optimizer, train=train, loss=base.loss, band=base.band, personal=personal,
    )  # fmt: skip


def train_options(base: Base, steps: int = STEPS, batch: int = BATCH, seed: int = 0) -> TrainConfig:
    """Steps, batch and seed of a personalised run; it is validated and saved PARTS times, at the last step too."""
    often = max(1, steps // PARTS)
    return TrainConfig(
        steps=steps, batch=batch, seed=seed, compute=base.compute, evaluate_every=often, checkpoint_every=often,
        log_every=max(1, often // 2),
    )  # fmt: skip


def base_lineage(base: Base, corpus: Corpus, user: str) -> Lineage:
    """What the result says of the base, and a warning where the person is not new to it.

    Raises:
        InputError: the base was trained on a session that the personalised run is scored on ("conflict").
    """
    if base.trained_on is None:
        line = f"the base does not record what it was trained on: whether user {user!r} is new to it is not known"
        return Lineage(trained_on=None, warnings=(line,), base=base.about)
    scored = {name for s in (*corpus.val, *corpus.test) for name in (s.name, s.origin) if name}
    both = Names(frozenset(scored), frozenset({user})) & base.trained_on
    if both.sessions:
        raise InputError(
            f"the base was trained on session {min(both.sessions)!r} of the val or test part; give a split without "
            "such sessions",
            "conflict",
        )
    known = user in both.users
    lines = (f"user {user!r} was in the base's training: the scores are not those of a new person",) if known else ()
    return Lineage((), base.trained_on, lines, base.about, known)
