"""Random augmentation of training windows: its settings, its recipes, and the drawing of random numbers.

`semgjax.data.batching.change` makes the changes. Time masking is the model's part (`mask_share` of its configuration).
"""

import math
from dataclasses import dataclass, fields, replace

import numpy as np

from semgjax.data.band import TYPING, Band
from semgjax.errors import InputError


@dataclass(frozen=True)
class AugmentConfig:
    """Augmentation of a training window; every change is drawn from (seed, step, row)."""

    roll: int = 1
    """each ring's electrodes are rotated by up to this many places"""
    lag: int = 120
    """every further ring moves against the first by up to this many samples; without effect on one ring"""
    jitter: bool = True
    """the core starts at a random place up to a stride after its place on the grid"""
    scale: float = 0.0
    """each ring's amplitude is multiplied by e^u, u drawn from -scale to scale"""
    silence: float = 0.0
    """this share of the windows becomes rest: noise at each electrode's own floor, and no keys"""
    noise: float = 0.0
    """white noise of up to this many times the window's RMS is added"""
    hum: float = 0.0
    """mains hum (50 or 60 Hz) of an amplitude up to this many times the window's RMS is added"""
    dropout: float = 0.0
    """probability that an electrode is zero for a window, independently for each electrode"""
    mask: float = 0.0
    """up to this share of all electrodes is zero for a window; the share is drawn for each window"""

    def __post_init__(self) -> None:
        if self.roll < 0 or self.lag < 0:
            raise InputError(f"augment: roll {self.roll} and lag {self.lag} must not be negative", "bad-value")
        for name in ("scale", "noise", "hum"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"augment: {name} {getattr(self, name)} must be 0 or more", "bad-value")
        for name in ("silence", "dropout", "mask"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"augment: {name} {getattr(self, name)} must lie in [0, 1]", "bad-value")

    @property
    def moves_only(self) -> bool:
        """Whether samples are only moved, so that any number type can be kept."""
        return not any(getattr(self, field.name) for field in fields(self) if field.name not in _MOVES)


_MOVES = ("roll", "lag", "jitter")
NONE = AugmentConfig(roll=0, lag=0, jitter=False)


def fit_augment(config: AugmentConfig, band: Band) -> AugmentConfig:
    """A recipe for two rings of 16 electrodes at 2 kHz, made to fit another band.

    The lag keeps its seconds and is 0 for one ring; the roll is at most an eighth of the smallest ring's turn.
    """
    lag = round(config.lag * band.rate / TYPING.rate) if len(band.rings) > 1 else 0
    return replace(config, lag=lag, roll=min(config.roll, min(band.rings) // 8))


def on_grid(config: AugmentConfig) -> AugmentConfig:
    """A recipe for windows that stay at their places, as cached targets ask for."""
    return replace(config, jitter=False)


def check_augment(config: AugmentConfig, band: Band) -> None:
    """Check the changes against the band that they are applied to.

    Raises:
        InputError: the roll is a whole turn of the smallest ring ("bad-value").
    """
    if config.roll >= min(band.rings):
        raise InputError(
            f"augment: roll {config.roll} must lie in 0 to {min(band.rings) - 1}, for rings of {min(band.rings)} "
            "electrodes",
            "bad-value",
        )


@dataclass(frozen=True)
class Draw:
    """The random numbers of one window.

    Attributes:
        shift: samples by which the core's start moves
        lags: samples by which each ring after the first is read later than the first
            (`semgjax.data.batching.windows.fill_window`)
        rolls: places by which each ring turns
        gains: factors of the rings; () for none
        silent: the window becomes rest; its labels are empty
        noise, hum: RMS and amplitude, as multiples of the window's RMS
        mains: Hz
        masked: channels (after the roll) that become zero
        seed: of the noise itself
    """

    shift: int
    lags: tuple[int, ...]
    rolls: tuple[int, ...]
    gains: tuple[float, ...] = ()
    silent: bool = False
    noise: float = 0.0
    hum: float = 0.0
    mains: float = 50.0
    masked: tuple[int, ...] = ()
    seed: int = 0


def draw(config: AugmentConfig, room: int, rng: np.random.Generator, band: Band = TYPING) -> Draw:
    """Draw the changes of one window.

    The numbers are drawn in a fixed order, whatever is switched on, so that the strength of one change does not alter
    the draws of another; the first three fields are drawn first.

    Args:
        room: samples by which the core's start may move to the right.
        rng: this window's own generator, on which alone the draw depends.
        band: its rings say how many lags, rolls and gains there are, and how many electrodes may be masked.
    """
    rings, channels = len(band.rings), band.channels
    shift = int(rng.integers(0, room)) if config.jitter and room > 0 else 0
    lags = tuple(int(lag) for lag in rng.integers(-config.lag, config.lag + 1, size=rings - 1))
    rolls = tuple(int(roll) for roll in rng.integers(-config.roll, config.roll + 1, size=rings))
    if config.moves_only:
        return Draw(shift, lags, rolls)
    gains = np.exp(config.scale * (2.0 * rng.random(rings) - 1.0))
    silent, noise, hum, mains, share = rng.random(5)
    dropped = rng.random(channels) < config.dropout
    dropped[rng.permutation(channels)[: int(share * (config.mask * channels + 1))]] = True
    return Draw(
        shift,
        lags,
        rolls,
        gains=tuple(float(gain) for gain in gains),
        silent=bool(silent < config.silence),
        noise=float(config.noise * noise),
        hum=float(config.hum * hum),
        mains=50.0 if mains < 0.5 else 60.0,
        masked=tuple(int(electrode) for electrode in np.flatnonzero(dropped)),
        seed=int(rng.integers(2**63)),
    )


RECIPES: dict[str, AugmentConfig] = {
    # Scaling and Distilling Transformer Models for sEMG (arXiv 2507.22094), training: electrode roll of -1, 0 or 1
    # per band, bands up to 120 samples apart; its time masks are the model's.
    "paper": AugmentConfig(roll=1, lag=120, jitter=True),
    # emg2qwerty (arXiv 2410.20081), TDS baseline: the same on the raw signal; its SpecAugment works on the
    # spectrogram inside the model.
    "baseline": AugmentConfig(roll=1, lag=120, jitter=True),
    # Ours, not measured on real sessions: the paper's, and effects of another wrist, electrode contact and room.
    # The mask follows SplashNet's aggressive channel masking (arXiv 2506.12356), on whole electrodes.
    "robust": AugmentConfig(
        roll=1, lag=120, jitter=True, scale=0.3, silence=0.02, noise=0.1, hum=0.1, dropout=0.02, mask=0.5
    ),
}


def augment_recipe(name: str) -> AugmentConfig:
    """A recipe by name: "paper", "baseline" or "robust"; RECIPES names the source of each.

    Raises:
        InputError: another name.
    """
    if name not in RECIPES:
        raise InputError(f"no augmentation {name!r}; choose one of {', '.join(RECIPES)}", "bad-value")
    return RECIPES[name]
