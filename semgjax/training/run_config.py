"""What a training run is: frozen dataclasses whose canonical JSON (config.json) is the run's identity.

Paths, hardware and worker counts are no part of it, so a run keeps its identity when it moves.
"""

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from semgjax.config_json import identity, to_json
from semgjax.data.band import TYPING, Band
from semgjax.data.batching.augment import AugmentConfig, augment_recipe, fit_augment
from semgjax.data.batching.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.losses.loss import CTC, Loss
from semgjax.model.config import ModelConfig, Network
from semgjax.model.for_band import check_band, check_fits, fit_to_band
from semgjax.model.presets import PAPER, preset
from semgjax.training.distill_config import DistillConfig
from semgjax.training.personal_config import PersonalConfig

MOST_ROWS, MOST_STEPS = 2**20, 2**31 - 1
"""limits of a batch, which is held in memory, and of a run, whose step counter is an int32"""


@dataclass(frozen=True)
class OptimizerConfig:
    """AdamW or Muon with linear warm-up, a learning rate that decays to zero, and gradient clipping."""

    learning_rate: float = 1e-3
    """peak learning rate"""
    schedule: Literal["cosine", "wsd"] = "cosine"
    """after the warm-up: cosine decay, or constant with a linear decay at the end (wsd: warm-up, stable, decay)"""
    cooldown: float = 0.2
    """share of the steps in wsd's linear decay"""
    warmup: float = 0.05
    """share of the steps spent warming up"""
    decay: float = 0.2
    """weight decay of matrices and kernels; none on norms, gains, biases and vectors"""
    beta1: float = 0.9
    """decay of the first moment"""
    beta2: float = 0.98
    """decay of the second moment"""
    clip: float = 0.1
    """maximum gradient norm"""
    average: float = 0.0
    """decay per step of an exponential moving average of the parameters, evaluated and exported; 0: no average"""
    kind: Literal["adamw", "muon"] = "adamw"
    """muon: the matrices of the layers take orthogonal steps of AdamW's size, all other parameters AdamW's"""
    tuned_batch: int = 0
    """windows per step of the run at which learning rate, epsilon and beta2 were tuned; 0: those of this run"""
    tuned_steps: int = 0
    """steps of that run; both correct the three for this run's batch and length (semgjax.training.horizon)"""


@dataclass(frozen=True)
class TrainConfig:
    """Length of training, batches, seed and intervals."""

    steps: int = 60_000
    """optimiser steps"""
    batch: int = 640
    """windows per step, over all devices"""
    accumulate: int = 1
    """gradient accumulation: parts of a batch computed one after the other, to save memory"""
    seed: int = 0
    """seed of the parameters, of the order of windows and of their augmentation"""
    compute: Literal["float32", "bfloat16"] = "float32"
    """dtype of activations; parameters, norms and losses stay float32"""
    evaluate_every: int = 1000
    """steps between evaluations on the validation sessions"""
    checkpoint_every: int = 1000
    """steps between checkpoints"""
    log_every: int = 20
    """steps between lines of metrics.jsonl"""
    max_infeasible: float = 0.05
    """stop if more than this share of the windows has more labels than frames"""
    int8: bool = False
    """quantisation-aware: minimise the loss of the network as an int8 export computes it; evaluations stay those of
    the network itself"""

    def __post_init__(self) -> None:
        most = {"batch": MOST_ROWS, "accumulate": self.batch}
        for name in ("steps", "batch", "accumulate", "evaluate_every", "checkpoint_every", "log_every"):
            if not 1 <= getattr(self, name) <= most.get(name, MOST_STEPS):
                raise InputError(
                    f"train.{name} {getattr(self, name)} must lie in 1 to {most.get(name, MOST_STEPS)}", "bad-value"
                )
        if self.batch % self.accumulate:
            raise InputError(f"train.accumulate {self.accumulate} must divide train.batch {self.batch}", "bad-value")

    def saves(self, step: int) -> bool:
        """Whether the state after this step is saved."""
        return step % self.checkpoint_every == 0 or step == self.steps

    def validates(self, step: int) -> bool:
        """Whether the state after this step is validated; that after the last one is scored in the result."""
        return step % self.evaluate_every == 0 and step < self.steps


@dataclass(frozen=True)
class RunConfig:
    """The full configuration of one training run."""

    preset: str
    """name of the model's size, for tables"""
    model: Network
    data: str
    """content hash of the sessions and their split"""
    window: WindowSpec = field(default_factory=WindowSpec)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    distill: DistillConfig | None = None
    loss: Loss = field(default_factory=CTC)
    band: Band = TYPING
    """electrodes, sample rate and classes of the sessions"""
    personal: PersonalConfig | None = None
    """the base run and the person of a personalised run"""
    init: str = ""
    """SHA-256 of the parameters that the run begins with; empty: random ones, from the seed"""

    def __post_init__(self) -> None:
        for name, kind in (("model", Network), ("loss", Loss)):
            if not isinstance(getattr(self, name), kind):
                raise InputError(
                    f"{name} {getattr(self, name)!r}: give a {kind.__name__}, as in docs/guides/extend.md", "bad-value"
                )
        check_fits(self.model, self.band)
        stride = self.model.stride
        for name in ("length", "left", "right"):
            value = getattr(self.window, name)
            if value % stride:
                raise InputError(
                    f"window.{name} {value} must be a multiple of the model's frame ({stride} samples)", "bad-value"
                )
        if self.model.emission_delay > self.window.right:
            raise InputError(
                f"window.right {self.window.right} is shorter than the model's emission_delay "
                f"{self.model.emission_delay}: the last emissions would fall outside the window; make it as long, or "
                "the delay as short",
                "bad-value",
            )
        if self.cached and self.augment.jitter:
            raise InputError(
                "augment.jitter True moves windows off the grid, which cached targets cannot follow; set it False",
                "conflict",
            )
        values = dict(_leaves(to_json(self)))

        def must(name: str, holds: bool, rule: str) -> None:
            if not holds:
                raise InputError(f"{name} {values[name]} must {rule}", "bad-value")

        for name, value in values.items():
            must(name, not isinstance(value, float) or math.isfinite(value), "be a finite number")
        must("augment.lag", self.augment.lag <= self.window.length, f"be at most window.length, {self.window.length}")
        for name in ("learning_rate", "clip"):
            must(f"optimizer.{name}", values[f"optimizer.{name}"] > 0, "be positive")
        for name in ("tuned_batch", "tuned_steps"):
            must(f"optimizer.{name}", 0 <= values[f"optimizer.{name}"] <= MOST_STEPS, f"lie in 0 to {MOST_STEPS}")
        if (self.optimizer.tuned_batch > 0) != (self.optimizer.tuned_steps > 0):
            raise InputError(
                f"optimizer.tuned_batch {self.optimizer.tuned_batch} and tuned_steps {self.optimizer.tuned_steps}: "
                "give both, or neither",
                "conflict",
            )
        for name in ("warmup", "beta1", "beta2", "average"):
            must(f"optimizer.{name}", 0 <= values[f"optimizer.{name}"] < 1, "lie in [0, 1)")
        must("optimizer.cooldown", 0 < self.optimizer.cooldown <= 1, "lie in (0, 1]")
        must("optimizer.decay", self.optimizer.decay >= 0, "not be negative")
        if self.distill is not None and self.distill.by_itself:
            must("optimizer.average", self.optimizer.average > 0, "be positive: the average is the run's teacher")
        if self.personal is not None:
            must("optimizer.average", self.optimizer.average == 0, "be 0: validation chooses the parameters")
            must("distill.teacher", self.distill is None, "be left out: a personalised run has no teacher")
            must("init", not self.init, "be left out: a personalised run begins with its base")
        must("train.max_infeasible", 0 <= self.train.max_infeasible <= 1, "lie in [0, 1]")
        must("train.seed", 0 <= self.train.seed < 2**32, "lie in [0, 2^32)")

    def check_band(self, band: Band) -> None:
        """Check that sessions are of the run's band.

        Raises:
            InputError: they have other electrodes, classes or another rate ("band-misfit").
        """
        check_band(self.band, band, "the run")

    @property
    def cached(self) -> bool:
        """Whether it learns from cached targets: no step asks a teacher."""
        return self.distill is not None and bool(self.distill.cache)

    @property
    def kind(self) -> str:
        """supervised, distilled or personalised."""
        if self.personal is not None:
            return "personalised"
        return "supervised" if self.distill is None else "distilled"

    def validates(self, step: int) -> bool:
        """Whether the state after this step is validated; a personalised run also compares its last one."""
        return self.train.validates(step) or (self.personal is not None and step == self.train.steps)

    @property
    def hash(self) -> str:
        """The run's identity, 64 hex digits: `semgjax.config_json.identity`."""
        return identity(self)


def program_of(config: RunConfig) -> RunConfig:
    """A configuration without the fields that a compiled step can take as inputs: runs equal in the rest can be packed.

    Seed, peak learning rate, weight decay and data get fixed values; no shape depends on them.
    """
    return dataclasses.replace(
        config,
        data="",
        optimizer=dataclasses.replace(config.optimizer, learning_rate=1.0, decay=0.0),
        train=dataclasses.replace(config.train, seed=0),
    )


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values of a configuration as JSON."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}" if name else key)
    else:
        yield name, value


@dataclass(frozen=True)
class Recipe:
    """A run's configuration without network, loss and data."""

    window: WindowSpec = field(default_factory=WindowSpec)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


_BASELINE = Recipe(
    # The published context is 1800 and 200 samples; here windows are whole frames of 16.
    window=WindowSpec(length=8000, stride=8000, left=1792, right=208),
    augment=augment_recipe("baseline"),
    # emg2qwerty's: Adam at 1e-3, 10 of 150 epochs of warm-up, a cosine; no decay, no clipping (a norm never reached).
    optimizer=OptimizerConfig(warmup=10 / 150, decay=0.0, beta2=0.999, clip=1e6),
    # 150 epochs of the generic training part: 255 h in windows of 4 s.
    train=TrainConfig(steps=135_000, batch=256),
)

_GESTURES = Recipe(
    # Windows of one or two gestures, and before them enough for the running means of the power front end.
    window=WindowSpec(length=8000, stride=8000, left=10_000, right=1600),
    # Bands lie turned in half of all sessions. Only the floor of the power front end sees a gain.
    augment=AugmentConfig(roll=1, lag=0, scale=0.3, dropout=0.1),
    optimizer=OptimizerConfig(learning_rate=6e-3, warmup=0.1, decay=0.05, clip=1.0),
    train=TrainConfig(steps=1200, batch=32, evaluate_every=400, checkpoint_every=400, log_every=20),
)


def recipe(name: str, band: Band = TYPING) -> Recipe:
    """The defaults that go with a preset: the paper's (section 4), the baseline's, or those of a ladder for a laptop.

    A network from outside the package has the paper's.

    Args:
        band: what the recipe is for; the windows keep the seconds that they last at 2 kHz, rounded to frames, and the
            augmentation is made to fit its rings (`fit_augment`).
    """
    found = _recipe(name)
    window = _window_at(found.window, band, fit_to_band(preset(name), band).stride)
    return dataclasses.replace(found, window=window, augment=fit_augment(found.augment, band))


def _window_at(window: WindowSpec, band: Band, frame: int) -> WindowSpec:
    """A window of 2 kHz at another rate: whole frames of the same seconds, at least one in the core."""

    def samples(at_2kHz: int) -> int:
        return round(at_2kHz * band.rate / TYPING.rate / frame) * frame

    return WindowSpec(
        length=max(frame, samples(window.length)),
        stride=max(frame, samples(window.stride)),
        left=samples(window.left),
        right=samples(window.right),
    )


def _recipe(name: str) -> Recipe:
    if name == "tds":
        return _BASELINE
    if name.startswith("gesture-"):
        return _GESTURES
    if name in PAPER or (shape := preset(name)).NETWORK is not None:
        return Recipe()
    small = Recipe(
        window=WindowSpec(length=4000, stride=4000, left=800, right=200),
        # No roll: muscles lie about an electrode apart, and to a model of this size a roll is another finger.
        augment=AugmentConfig(roll=0, lag=40),
        optimizer=OptimizerConfig(learning_rate=3e-3, warmup=0.1, decay=0.05, clip=1.0),
        train=TrainConfig(steps=300, batch=16, evaluate_every=100, checkpoint_every=100, log_every=20),
    )
    if not name.startswith("keys-"):
        return small
    assert isinstance(shape, ModelConfig)
    return dataclasses.replace(
        small,
        optimizer=dataclasses.replace(small.optimizer, learning_rate=8e-3 * math.sqrt(40 / shape.dim)),
        train=TrainConfig(steps=1500, batch=16, evaluate_every=250, checkpoint_every=250, log_every=50),
    )
