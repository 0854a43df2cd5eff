"""What a result says of a run's teachers, base or start: who they are, how good, and what they were trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from semgjax.data.corpus import Corpus
from semgjax.data.trained_on import Names, learned_from
from semgjax.model.encoder import Params, count_parameters
from semgjax.model.kind import Network
from semgjax.training.mixture import unlabelled_of
from semgjax.training.run_config import RunConfig

OF_TEACHER = ("config", "preset", "params", "data", "metric", "scores")
"""members of a teacher's result that its students' results repeat"""


@dataclass(frozen=True)
class Lineage:
    """The teachers of a run, or the base of a personalised one.

    Attributes:
        teachers: the members OF_TEACHER of each one's result.
        trained_on: what any of them has learned from; None: not known.
        warnings: lines about them that the run shows.
        base: what the result says of the base, or of the decoder that the run begins with: the members OF_TEACHER of
            its result, and its kind.
        known: whether the person was in the base's training; None: it recorded no training sessions.
    """

    teachers: tuple[dict[str, Any], ...] = ()
    trained_on: Names | None = Names()
    warnings: tuple[str, ...] = ()
    base: dict[str, Any] = field(default_factory=dict)
    known: bool | None = None


NO_TEACHERS = Lineage()


def networks_of(config: RunConfig, teachers: tuple[Network, ...]) -> tuple[Network, ...]:
    """The networks whose forward pass a step makes beside its own: those of the teachers, or the run's once more."""
    return (config.model,) if config.distill is not None and config.distill.by_itself else teachers


def oversized(student: Params, teachers: Sequence[tuple[Network, Params]]) -> tuple[str, ...]:
    """A warning for each teacher that is smaller than its student; teachers of the same size are usual."""
    own = count_parameters(student)
    sizes = (count_parameters(params) for _, params in teachers)
    return tuple(
        f"the student has {own:,} parameters, more than its teacher's {size:,}: what it learns beyond the teacher has "
        "to come from the labels"
        for size in sizes
        if size < own
    )


def lineage_members(config: RunConfig, corpus: Corpus, lineage: Lineage) -> dict[str, Any]:
    """Members of result.json: trained_on (a run's own sessions and users, and its teachers' or base's; absent where
    those are not known), of a distilled run teachers, of a personalised one base and known, and of one that began with
    a decoder's parameters init."""
    own = learned_from(corpus, unlabelled=bool(unlabelled_of(config, corpus)[0]))
    taught: dict[str, Any] = {} if config.distill is None else {"teachers": list(lineage.teachers)}
    if config.personal is not None:
        taught = {"base": lineage.base, "known": lineage.known}
    if config.init:
        taught["init"] = lineage.base
    met = {} if lineage.trained_on is None else {"trained_on": (own | lineage.trained_on).as_json()}
    return {**met, **taught}
