"""Splits with unlabelled sessions: labels withheld from training users, and sessions that have none."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from semgjax.data.splitting.inventory import KnownSession
from semgjax.data.splitting.splits import Split, draw_key
from semgjax.errors import InputError


def keep_labels(split: Split, sessions: Sequence[KnownSession], labelled_users: int, seed: int = 0) -> Split:
    """The same split in which only `labelled_users` of the training users keep their labels.

    The training sessions of the others become unlabelled. The users are drawn as those of a nested subset: with one
    seed, they are the users of `nested_subset` of so many users, and those of a smaller number are among them.

    Args:
        sessions: all sessions of the split's train part, and any others.

    Raises:
        InputError: not 1 <= labelled_users <= number of training users, or a training session that is not among
            `sessions`.
    """
    user_of = {row.session: row.user for row in sessions}
    missing = [name for name in split.train if name not in user_of]
    if missing:
        raise InputError(f"session {missing[0]!r} is in the split's train part but not in the folder", "bad-value")
    users = sorted({user_of[name] for name in split.train}, key=lambda user: draw_key(seed, "subset user", user))
    if not 1 <= labelled_users <= len(users):
        raise InputError(
            f"{labelled_users} labelled users of {len(users)} in the train part; give a number from 1 to {len(users)}",
            "bad-value",
        )
    kept = set(users[:labelled_users])
    train = tuple(name for name in split.train if user_of[name] in kept)
    others = tuple(name for name in split.train if user_of[name] not in kept)
    rule = split.rule | {"labelled_users": labelled_users, "labelled_seed": seed}
    return replace(split, train=train, unlabelled=tuple(sorted((*split.unlabelled, *others))), rule=rule)


def add_unlabelled(split: Split, sessions: Sequence[KnownSession]) -> tuple[Split, Collection[str]]:
    """The split with all sessions that have no labels, and the names of those that were left out.

    A session without labels of a test user who is not in training is left out: the student would meet the people that
    it is tested on.

    Args:
        sessions: all sessions of the folder.
    """
    user_of = {row.session: row.user for row in sessions}
    trained = {user_of[name] for name in split.train if name in user_of}
    tested = {user_of[name] for name in split.test if name in user_of} - trained
    without = [row for row in sessions if not row.labelled and row.session not in set(split.names)]
    added = tuple(row.session for row in without if row.user not in tested)
    left_out = tuple(row.session for row in without if row.user in tested)
    return replace(split, unlabelled=tuple(sorted((*split.unlabelled, *added)))), left_out
