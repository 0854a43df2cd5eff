"""Parts of the training data, for curves over users and hours. Writes nothing."""

from dataclasses import dataclass

from semgjax.data.corpus import Corpus
from semgjax.data.splitting.inventory import KnownSession
from semgjax.data.splitting.splits import Split
from semgjax.data.splitting.subsets import nested_subset
from semgjax.errors import InputError


@dataclass(frozen=True)
class Subset:
    """What of the training part a trial learns from; validation and test stay whole, so that scores compare."""

    users: int | None = None
    """how many users; all without it"""
    hours_per_user: float | None = None
    """hours of signal of each user; all without it"""
    seed: int = 0
    """of the order in which users and sessions join"""


def subset_split(split: Split, corpus: Corpus, subset: Subset) -> Split:
    """The split with a part of its training sessions (semgjax.data.splitting.subsets).

    Args:
        corpus: the sessions under `split`.

    Raises:
        InputError: there are not as many users or hours.
    """
    if subset.users is None and subset.hours_per_user is None:
        return split
    sessions = [KnownSession(session.name, session.user, session.samples) for session in corpus.train]
    found = nested_subset(split, sessions, users=subset.users, hours_per_user=subset.hours_per_user, seed=subset.seed)
    if found.rule["short_users"]:
        raise InputError(
            f"data.hours_per_user {subset.hours_per_user}: {found.rule['short_users']} users have less than that for "
            "training; give fewer hours",
            "bad-value",
        )
    return found
