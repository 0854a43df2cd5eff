"""A run's part that makes it one person's: the base run, the person's minutes, and which parameters may move."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from semgjax.errors import InputError

Method = Literal["full", "head", "norms", "lora", "front"]
RANK, MOST_RANK = 4, 4096
"""default and limit of `rank`"""
PEAKS: dict[Method, float] = {"full": 0.3, "head": 1.0, "norms": 1.0, "lora": 1.0, "front": 1.0}
"""peak learning rate of each method, as a share of the base's: within a point of the best of a search (docs/log.md)"""


@dataclass(frozen=True)
class PersonalConfig:
    """Whose decoder a run becomes, from which base and by what method."""

    base: str
    """identity (config hash) of the run that gives the initial parameters"""
    user: str
    """the person, as in the sessions"""
    minutes: float
    """minutes of the person's training sessions that are used, from the first one on"""
    method: Method = "full"
    """what is trained: full: everything; head: the last layer; norms: norms and biases; lora: additions of low rank to
    the matrices of the transformer layers; front: the front end and its projection"""
    rank: int = RANK
    """rank of the additions, with method lora"""

    def __post_init__(self) -> None:
        self._must("base", bool(self.base), "not be empty")
        self._must("user", bool(self.user), "not be empty")
        self._must("minutes", 0 < self.minutes < math.inf, "be above 0: without minutes it is the base itself")
        self._must("method", self.method in get_args(Method), f"be one of {', '.join(get_args(Method))}")
        self._must("rank", 1 <= self.rank <= MOST_RANK, f"lie in 1 to {MOST_RANK}")
        self._must("rank", self.method == "lora" or self.rank == RANK, "be left out: it counts only with method lora")

    def _must(self, name: str, holds: bool, rule: str) -> None:
        if not holds:
            raise InputError(f"personal.{name} {getattr(self, name)!r} must {rule}", "bad-value")
