"""User ids that look like spellings of one person's. Writes nothing."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable


def similar_users(users: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of ids that differ by case, blanks, hyphens, underscores or leading zeros alone, each in order.

    One person under two ids can be trained on and tested at once.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for user in sorted(set(users)):
        groups[_plain(user)].append(user)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def tell(group: tuple[str, ...]) -> str:
    """One line on such a group."""
    ids = " and ".join(map(repr, group))
    return f"users {ids} differ by case, blanks or leading zeros alone; if they are one person, give them one id"


def _plain(user: str) -> str:
    text = re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", user).casefold())
    return re.sub(r"(?<!\d)0+(?=\d)", "", text)
