"""What a personalised run's result says of its base and its person, and what such a run must be given."""

from dataclasses import dataclass
from typing import Any

from semgjax.config_json import to_json
from semgjax.data.corpus import Corpus
from semgjax.errors import InputError
from semgjax.evaluate.error_rates import Counts
from semgjax.model.encoder import Params
from semgjax.training.personal_params import count_trained
from semgjax.training.run_config import RunConfig
from semgjax.training.validate import Validate


@dataclass(frozen=True)
class PersonalEnd:
    """How a personalised run ended.

    Attributes:
        best_step: the step whose parameters it ends with; 0: the base's, which nothing improved on in validation.
        trained: how many numbers its method trains.
        base_scores: errors of its base on the same sessions, by part and user.
    """

    best_step: int
    trained: int
    base_scores: dict[str, dict[str, Counts]]


def check_start(config: RunConfig, corpus: Corpus, given: bool) -> None:
    """
    Raises:
        InputError: the run begins with given parameters and there are none, or the reverse ("conflict"); or it is
            personalised and has no session to validate on, which chooses its parameters ("no-sessions").
    """
    wanted = config.personal is not None or bool(config.init)
    if wanted != given:
        what = "begins with random parameters and is given others" if given else "is not given what it begins with"
        raise InputError(f"the run {what}; start it by semgjax.personalize or with init", "conflict")
    if config.personal is not None and not any(len(session.labels) for session in corpus.val):
        raise InputError(
            "the val part has no session with keys, and validation chooses the parameters of a personalised run; "
            "give a split with such a session",
            "no-sessions",
        )


def personal_end(
    config: RunConfig, corpus: Corpus, state: dict[str, Any], base: Params, validate: Validate
) -> PersonalEnd:
    """The end of a run from its last state; its base is scored on the run's own sessions."""
    assert config.personal is not None
    scores = {part: validate(base, corpus.part(part)) for part in ("val", "test") if corpus.part(part)}
    return PersonalEnd(int(state["best_at"]["step"]), count_trained(config.personal, base), scores)


def personal_members(config: RunConfig, end: PersonalEnd, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The member `personal` of result.json: what config.json has of it, and how the run ended.

    Args:
        rows: the base's scores, averaged over users (of which there is one).
    """
    return {
        "personal": {
            **to_json(config.personal),
            "trained": end.trained,
            "best_step": end.best_step,
            "base_scores": rows,
        }
    }
