"""A teacher's part in a run's loss: the options of `semgjax distill`, checked in one place (bad-value)."""

import dataclasses
import math
from dataclasses import dataclass
from typing import Literal, get_args, get_type_hints

from semgjax.errors import InputError

SELF = "self"
"""in place of a teacher's identity: the running average of the run's own parameters"""
MOST_FRAMES = 10_000
"""limit of `around` and `delay`"""
MOST_VIEWS = 10_000


@dataclass(frozen=True)
class DistillOptions:
    """How a student learns from its teacher (semgjax.losses.distillation); what API and command line take."""

    temperature: float = 1.0
    """divides both logits before the softmax"""
    weight: float = 0.9
    """share of the KL term; the rest is CTC"""
    key_boost: float = 20.0
    """how much more a frame counts in the KL term, times the teacher's probability that it is a key"""
    divergence: Literal["forward", "reverse", "js"] = "forward"
    """forward: KL(teacher || student); reverse: KL(student || teacher); js: the Jensen-Shannon divergence"""
    frames: Literal["all", "blank", "spikes", "entropy"] = "all"
    """frames that count in the KL term: all; blank: those whose blank the teacher gives less than threshold; spikes:
    those within a few frames (around) of its keys; entropy: each by the teacher's entropy"""
    threshold: float = 0.9
    """with frames blank: a frame counts where the teacher's probability of the blank is below this"""
    around: int = 3
    """with frames spikes: frames on either side of the teacher's keys that count"""
    delay: int = 0
    """frames by which the student may emit later than the teacher: the KL of a window is the least over these shifts"""
    guide: float = 0.0
    """weight of the guiding mask: the student's probability of the teacher's keys, at the teacher's frames"""
    hard: float = 0.0
    """share of the CTC term whose targets are the teacher's keys (its best path) and not the labels"""
    intermediate: tuple[int, ...] = ()
    """layers of the student, from 1 at the input, that get an output and the loss of their own while training"""
    intermediate_weight: float = 0.3
    """share of the intermediate layers' losses in the whole"""
    features: float = 0.0
    """weight of matching the student's last hidden frames, through a linear projector, to the teacher's"""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """how the share of the KL term moves from `weight` at the first step to `final_weight` at the last one"""
    final_weight: float = 0.0
    """share of the KL term at the last step, with a linear or cosine schedule"""
    cache: Literal["", "float16", "int8"] = ""
    """number type of the teacher's outputs, computed once and kept beside the sessions; '': computed in every step"""
    views: int = 1
    """with a cache: differently augmented copies of each window, of which a step takes one"""
    unlabelled: float | None = None
    """share of a batch's windows from sessions without labels, in [0, 1); None: by their number"""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for f in dataclasses.fields(self):
            value, choices = getattr(self, f.name), get_args(hints[f.name])
            if isinstance(value, float) and not math.isfinite(value):
                self._must(f.name, False, "be a finite number")
            if f.name in ("divergence", "frames", "schedule", "cache"):
                self._must(f.name, value in choices, f"be one of {', '.join(map(repr, choices))}")
        self._must("temperature", self.temperature > 0, "be positive")
        for name in ("weight", "threshold", "intermediate_weight"):
            self._must(name, 0 < getattr(self, name) <= 1, "lie in (0, 1]")
        for name in ("key_boost", "guide", "features"):
            self._must(name, getattr(self, name) >= 0, "not be negative")
        for name in ("hard", "final_weight"):
            self._must(name, 0 <= getattr(self, name) <= 1, "lie in [0, 1]")
        for name in ("around", "delay"):
            self._must(name, 0 <= getattr(self, name) <= MOST_FRAMES, f"lie in 0 to {MOST_FRAMES}")
        rising = all(a < b for a, b in zip(self.intermediate, self.intermediate[1:], strict=False))
        self._must("intermediate", rising and min(self.intermediate, default=1) >= 1, "be rising numbers of layers")
        for name, read, where in (
            ("threshold", self.frames == "blank", "frames 'blank'"),
            ("around", self.frames == "spikes", "frames 'spikes'"),
            ("intermediate_weight", bool(self.intermediate), "intermediate layers"),
            ("final_weight", self.schedule != "constant", "schedule 'linear' or 'cosine'"),
            ("views", bool(self.cache), "cache 'float16' or 'int8'"),
        ):
            plain = getattr(self, name) == getattr(DistillOptions, name)
            self._must(name, read or plain, f"be left out: it counts only with {where}")
        self._must("views", 1 <= self.views <= MOST_VIEWS, f"lie in 1 to {MOST_VIEWS}")
        self._must("cache", not (self.cache and self.features), "be left out: features needs the teacher in every step")
        self._must("unlabelled", self.unlabelled is None or 0 <= self.unlabelled < 1, "lie in [0, 1)")

    def _must(self, name: str, holds: bool, rule: str) -> None:
        if not holds:
            raise InputError(f"distill.{name} {getattr(self, name)!r} must {rule}", "bad-value")

    @property
    def needs_hidden(self) -> bool:
        """Whether the loss reads hidden frames of the student's network."""
        return bool(self.intermediate or self.features)

    def config(self, teacher: str, feature_width: int = 0, also: tuple[str, ...] = ()) -> "DistillConfig":
        """These options with the identities of the teacher and of any further ones, as a part of a run.

        Raises:
            InputError: see DistillConfig.
        """
        options = {f.name: getattr(self, f.name) for f in dataclasses.fields(DistillOptions)}
        return DistillConfig(teacher, **options, feature_width=feature_width, also=also)


@dataclass(frozen=True)
class _Named:
    teacher: str
    """identity (config hash) of the teacher's run, or "self": the run's own running average"""


@dataclass(frozen=True)
class DistillConfig(DistillOptions, _Named):
    """The teacher's part in the loss of a run, and whose."""

    feature_width: int = 0
    """width of the teacher's hidden frames, with `features`; set when student and teacher are paired"""
    also: tuple[str, ...] = ()
    """identities of further teachers, whose probabilities are averaged with the first one's"""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._must("teacher", bool(self.teacher), "not be empty")
        self._must("feature_width", self.feature_width >= 0, "not be negative")
        everyone = (self.teacher, *self.also)
        self._must("also", all(self.also) and len(set(everyone)) == len(everyone), "name every teacher once")
        self._must("cache", not (self.cache and self.by_itself), "be left out: a run that teaches itself changes")
        self._must("also", SELF not in everyone or not self.also, "be empty where a run teaches itself")

    @property
    def teachers(self) -> tuple[str, ...]:
        """Identities of all teachers."""
        return self.teacher, *self.also

    @property
    def by_itself(self) -> bool:
        """Whether the run's own running average is the teacher."""
        return self.teacher == SELF
