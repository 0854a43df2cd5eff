"""Subsets of the training data and of its labels, for curves over users and hours."""

from dataclasses import dataclass

from semgjax.data.corpus import Corpus
from semgjax.data.splitting.inventory import KnownSession
from semgjax.data.splitting.splits import Split
from semgjax.data.splitting.subsets import nested_subset
from semgjax.data.splitting.unlabelled import keep_labels
from semgjax.errors import InputError


@dataclass(frozen=True)
class Subset:
    """The part of the training data that a trial uses; validation and test stay whole, so scores are comparable."""

    users: int | None = None
    """number of users; None: all"""
    hours_per_user: float | None = None
    """hours of signal of each user; None: all"""
    seed: int = 0
    """seed of the order in which users and sessions are added"""
    labelled_users: int | None = None
    """users of them that keep their labels, the others' sessions become unlabelled (for students); None: all"""

    @property
    def whole(self) -> bool:
        """Whether it is all of the training data, with all labels."""
        return self.users is None and self.hours_per_user is None and self.labelled_users is None


def subset_split(split: Split, corpus: Corpus, subset: Subset) -> Split:
    """The split with a subset of its training sessions (semgjax.data.splitting.subsets).

    Args:
        corpus: the sessions under `split`.

    Raises:
        InputError: the split has fewer users or hours.
    """
    if subset.whole:
        return split
    sessions = [
        KnownSession(one.name, one.user, one.samples, (), one.rate, one.origin, one.origin_samples)
        for one in corpus.train
    ]
    found = split
    if subset.users is not None or subset.hours_per_user is not None:
        found = nested_subset(
            split, sessions, users=subset.users, hours_per_user=subset.hours_per_user, seed=subset.seed
        )
    if found is not split and found.rule["short_users"]:
        raise InputError(
            f"data.hours_per_user {subset.hours_per_user}: {found.rule['short_users']} users have less; give fewer",
            "bad-value",
        )
    return found if subset.labelled_users is None else keep_labels(found, sessions, subset.labelled_users, subset.seed)
