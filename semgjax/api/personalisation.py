"""`semgjax.personalize`: a decoder of one person, from a finished run or export and the person's first minutes."""

from pathlib import Path

from semgjax.api.changes import Options, changed, chosen_engine
from semgjax.api.models import place_of, show_warnings
from semgjax.api.runs import Export, Run, body_of
from semgjax.data.batching.augment import AugmentConfig
from semgjax.parallel.cores import use_cores
from semgjax.parallel.runtime import start_processes
from semgjax.personalising.base import base_lineage, load_base, person_corpus, personal_config, train_options
from semgjax.personalising.defaults import BATCH, STEPS
from semgjax.training.engine import Engine
from semgjax.training.loop import train as run_training
from semgjax.training.mirror import finished_folder
from semgjax.training.personal_config import RANK, Method, PersonalConfig


def personalize(
    base: str | Path | Run | Export,
    /,
    data: str | Path,
    user: str,
    minutes: float,
    out: str | Path,
    *,
    splits: str | Path | None = None,
    method: Method = "full",
    rank: int = RANK,
    learning_rate: float | None = None,
    steps: int = STEPS,
    batch: int = BATCH,
    seed: int = 0,
    augment: AugmentConfig | Options | None = None,
    engine: Engine | Options | None = None,
) -> Run:
    """Make a decoder one person's; after a stop, the same call resumes.

    The parameters with the lowest validation error are kept, those of the base among them, and scored on the person's
    test sessions; the result has the base's scores on the same sessions too.

    Args:
        base: a finished run of any kind, or an export: folder, address, or what `train` or `export` returned.
        data: folder of sessions or shards with the person's.
        user: the person.
        minutes: how much of the person's training sessions is used, from the first one on.
        out: run directory or address, new or of this same run.
        splits: split file (default: splits.json in the folder). docs/guides/personalisation.md says which of the
            person's sessions train, validate and test.
        method: what is trained: "full", "head" (last layer), "norms" (norms and biases), "lora" (additions of low rank
            to the matrices of the transformer layers) or "front" (front end and projection).
        rank: of the additions, with method "lora".
        learning_rate: peak (default: the base's times `semgjax.training.personal_config.PEAKS` of the method).
        steps, batch, seed: of training.
        augment: changes by name of the base's augmentation, or a whole one.
        engine: see `train`.

    Raises:
        InputError: no such user; fewer minutes than asked for, or too few for a window; no session to validate or test
            on; sessions of another band than the base's; a session that the base was trained on is scored; or see
            `train`.

    Example:
        >>> own = semgjax.personalize("runs/small", data="shards", user="user2", minutes=0.1, out="runs/own", steps=2)
        >>> own.result["kind"]
        'personalised'
    """
    chosen = chosen_engine(engine)
    use_cores(batch)
    start_processes(chosen.start, chosen.wait)
    with finished_folder(place_of(base)) as folder:
        found = load_base(folder)
    corpus = person_corpus(Path(data), None if splits is None else Path(splits), user, minutes)
    show_warnings(corpus)
    personal = PersonalConfig(found.identity, user, float(minutes), method, rank)
    augmentation = changed("augment", found.augment, augment)
    config = personal_config(
        found, corpus, personal, train_options(found, steps, batch, seed), learning_rate, augmentation
    )
    lineage = base_lineage(found, corpus, user)
    end = run_training(config, corpus, str(out), engine=chosen, lineage=lineage, base=found.params)
    return Run(str(out), body_of(end))
