"""result.json: what was trained, on what data, at what cost, and its error rates."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from semgjax.config_json import to_json
from semgjax.data.batching.batches import TrainData
from semgjax.data.corpus import Corpus
from semgjax.data.measure import measure_of
from semgjax.evaluate.error_rates import Counts, score_rows
from semgjax.files import write_json
from semgjax.losses.loss import name_and_settings
from semgjax.measures import Measure
from semgjax.model.config import Network
from semgjax.model.encoder import Params, count_parameters
from semgjax.model.flops import train_flops
from semgjax.parallel.runtime import on_first
from semgjax.training.lineage import NO_TEACHERS, Lineage, lineage_members
from semgjax.training.mixture import unlabelled_of
from semgjax.training.personal_result import PersonalEnd, personal_members
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import RESULT, RESULT_SCHEMA, RESULT_VERSION


def build_result(
    config: RunConfig,
    corpus: Corpus,
    data: TrainData,
    params: Params,
    scores: dict[str, dict[str, Counts]],
    seconds: float,
    left_blank_at: int | None,
    teachers: Sequence[Network],
    lineage: Lineage = NO_TEACHERS,
    person: PersonalEnd | None = None,
) -> dict[str, Any]:
    """One run as plain JSON values.

    users, hours, epochs: of the labelled sessions; unlabelled_users (who have no labelled session), unlabelled_hours:
    of a distilled run that learned from unlabelled ones too, and only there;
    loss: its name and the options that differ from their defaults; tokens: frames with an emission (rows x frames of a
    core); flops: floating-point operations of all steps (semgjax.model.flops); seconds: wall time since the last start
    or resume; keys: counts inside the sessions' signals, outside, doubled, or of names that are in no class; metric:
    the member of a score that holds its error rate; spliced: whether scored sessions are signals in a made-up order;
    untrained: classes that occur in the val or test part only; trained_on, teachers: semgjax.training.lineage;
    left_blank_at: the step of the first line of metrics.jsonl since which the run emits symbols
    (semgjax.training.plateau), null if it never left the blank plateau;
    base, known, personal: of a personalised run (semgjax.training.lineage and personal_result).
    """
    measure = measure_of(config.band)
    windows = config.train.steps * config.train.batch
    averaged, users = _rows(scores, measure)
    return {
        "kind": config.kind,
        "loss": name_and_settings(config.loss),
        "preset": config.preset,
        "params": count_parameters(params),
        "users": corpus.train_users,
        "hours": corpus.train_hours,
        **_unlabelled(config, corpus),
        "epochs": config.train.steps * data.labelled_rows / data.windows,
        "steps": config.train.steps,
        "tokens": windows * (config.window.length // config.model.stride),
        "flops": windows * train_flops(config.model, config.window.total, teachers),
        "seed": config.train.seed,
        "teacher": config.distill.teacher if config.distill else None,
        "config": config.hash,
        "data": corpus.hash,
        **lineage_members(config, corpus, lineage),
        **({} if person is None else personal_members(config, person, _rows(person.base_scores, measure)[0])),
        "band": to_json(config.band),
        "metric": measure.name,
        "spliced": corpus.spliced,
        "untrained": list(corpus.untrained),
        "keys": {part: counts.as_json() for part, counts in corpus.keys.items()},
        "sessions_too_short": list(data.skipped),
        "seconds": seconds,
        "left_blank_at": left_blank_at,
        "scores": averaged,
        "users_scores": users,
    }


def _rows(scores: dict[str, dict[str, Counts]], measure: Measure) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of all parts: averaged over users, and one a user."""
    found = [score_rows(split, "greedy", counts, measure) for split, counts in scores.items()]
    return [row for rows, _ in found for row in rows], [row for _, rows in found for row in rows]


def _unlabelled(config: RunConfig, corpus: Corpus) -> dict[str, Any]:
    """What a run learned from without labels; nothing for one that did not."""
    if not unlabelled_of(config, corpus)[0]:
        return {}
    return {"unlabelled_users": corpus.unlabelled_users, "unlabelled_hours": corpus.unlabelled_hours}


def write_result(
    out: Path,
    config: RunConfig,
    corpus: Corpus,
    data: TrainData,
    params: Params,
    scores: dict[str, dict[str, Counts]],
    seconds: float,
    left_blank_at: int | None,
    teachers: Sequence[Network] = (),
    lineage: Lineage = NO_TEACHERS,
    person: PersonalEnd | None = None,
) -> dict[str, Any]:
    """Write RUN/result.json, which marks the run as finished; returns its body."""
    body = build_result(config, corpus, data, params, scores, seconds, left_blank_at, teachers, lineage, person)
    on_first(lambda: write_json(out / RESULT, RESULT_SCHEMA, RESULT_VERSION, body))
    return body
