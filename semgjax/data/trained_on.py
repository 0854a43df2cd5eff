"""Which sessions and people a run has learned from, and which must be new to whatever teaches it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from semgjax.data.corpus import Corpus
from semgjax.data.hidden_names import hidden_name
from semgjax.data.sessions import Session
from semgjax.errors import InputError


@dataclass(frozen=True)
class Names:
    """Names of sessions, of the recordings that spliced ones were made from, and of users.

    A name may be hidden (`hidden`): then it is found again by who knows it, and not read by who does not.
    """

    sessions: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()

    def __or__(self, other: "Names") -> "Names":
        return Names(self.sessions | other.sessions, self.users | other.users)

    def __and__(self, other: "Names") -> "Names":
        """The names of `self` that `other` has too, there as they are or hidden."""
        return Names(_among(self.sessions, other.sessions), _among(self.users, other.users))

    def hidden(self) -> "Names":
        """The same, each name hidden."""
        return Names(frozenset(map(hidden_name, self.sessions)), frozenset(map(hidden_name, self.users)))

    def as_json(self) -> dict[str, list[str]]:
        """Sorted lists, as trained_on in result.json."""
        return {"sessions": sorted(self.sessions), "users": sorted(self.users)}


def names_from_json(value: Any, where: str) -> Names:
    """The names that `as_json` gave.

    Raises:
        InputError: the value is something else ("bad-field").
    """
    lists = [value.get(name) for name in ("sessions", "users")] if isinstance(value, dict) else []
    if not lists or not all(isinstance(one, list) and all(isinstance(name, str) for name in one) for one in lists):
        raise InputError(f"{where}: trained_on is not lists of sessions and users; restore the file", "bad-field")
    return Names(frozenset(value["sessions"]), frozenset(value["users"]))


def learned_from(corpus: Corpus, unlabelled: bool = True) -> Names:
    """What a run learns from: the train part and, if `unlabelled`, the sessions without labels."""
    return _names((*corpus.train, *(corpus.unlabelled if unlabelled else ())))


def held_out(corpus: Corpus) -> Names:
    """What must be new to a decoder, so that scores mean what they say.

    The sessions of the val and test parts, and the users of the test part who are not in the train part.
    """
    users = {session.user for session in corpus.test} - {session.user for session in corpus.train}
    return Names(_names((*corpus.val, *corpus.test)).sessions, frozenset(users))


def check_unmet(held: Names, met: Names, who: str) -> None:
    """Check that a teacher's training met nothing of what its student is scored on.

    Sessions and users are known by their names: under other names the same ones are not recognised.

    Args:
        held: of the student (`held_out`).
        met: what the teacher was trained on.
        who: the teacher, for the message.

    Raises:
        InputError: it met some ("conflict").
    """
    both = held & met
    for words, found in (("test user", both.users), ("session of the val or test part", both.sessions)):
        if found:
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            raise InputError(
                f"{who} was trained on {words} {min(found)!r}{more}, so that the student's scores would not be of "
                "something new; use a teacher or a split without them",
                "conflict",
            )


def _among(names: Iterable[str], others: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in names if name in others or hidden_name(name) in others)


def _names(sessions: Iterable[Session]) -> Names:
    known = tuple(sessions)
    recordings = {session.origin for session in known if session.origin}
    return Names(frozenset({session.name for session in known} | recordings), frozenset(s.user for s in known))
