"""User ids that may be different spellings of one person's id."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable


def similar_users(users: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of ids that differ only by case, blanks, hyphens, underscores or leading zeros, each sorted.

    One person with two ids could be in the training and the test part at once.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for user in sorted(set(users)):
        groups[_plain(user)].append(user)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def one_person_warning(group: tuple[str, ...]) -> str:
    """A warning about such a group, one line."""
    ids = " and ".join(map(repr, group))
    return f"users {ids} differ only by case, blanks or leading zeros; if they are one person, give them one id"


def _plain(user: str) -> str:
    text = re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", user).casefold())
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)
