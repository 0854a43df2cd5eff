"""Random augmentation of training windows: its settings, its recipes, and the drawing of random numbers.

`semgjax.data.batching.change` makes the changes. Time masking is the model's part (`mask_share` of its configuration).
"""

import math
from dataclasses import dataclass, fields

import numpy as np

from semgjax.data.sessions import CHANNELS
from semgjax.errors import InputError

_PLACES = CHANNELS // 2
"""electrodes of a band"""


@dataclass(frozen=True)
class AugmentConfig:
    """Augmentation of a training window; every change is drawn from (seed, step, row)."""

    roll: int = 1
    """each band's electrodes are rotated by up to this many places"""
    lag: int = 120
    """the two bands move against each other by up to this many samples"""
    jitter: bool = True
    """the core starts at a random place up to a stride after its place on the grid"""
    scale: float = 0.0
    """each band's amplitude is multiplied by e^u, u drawn from -scale to scale"""
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
        if not 0 <= self.roll < _PLACES or self.lag < 0:
            raise InputError(
                f"augment: roll {self.roll} must lie in 0 to {_PLACES - 1}, lag {self.lag} must not be negative",
                "bad-value",
            )
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


@dataclass(frozen=True)
class Draw:
    """The random numbers of one window.

    Attributes:
        shift, lag: samples; where the window is read (`semgjax.data.batching.windows.read_window`)
        rolls: places by which the left and the right ring turn
        gains: factors of the left and the right band
        silent: the window becomes rest; its labels are empty
        noise, hum: RMS and amplitude, as multiples of the window's RMS
        mains: Hz
        masked: electrodes (0-31, after the roll) that become zero
        seed: of the noise itself
    """

    shift: int
    lag: int
    rolls: tuple[int, int]
    gains: tuple[float, float] = (1.0, 1.0)
    silent: bool = False
    noise: float = 0.0
    hum: float = 0.0
    mains: float = 50.0
    masked: tuple[int, ...] = ()
    seed: int = 0


def draw(config: AugmentConfig, room: int, rng: np.random.Generator) -> Draw:
    """Draw the changes of one window.

    The numbers are drawn in a fixed order, whatever is switched on, so that the strength of one change does not alter
    the draws of another; the first three fields are drawn first.

    Args:
        room: samples by which the core's start may move to the right.
        rng: this window's own generator, on which alone the draw depends.
    """
    shift = int(rng.integers(0, room)) if config.jitter and room > 0 else 0
    lag = int(rng.integers(-config.lag, config.lag + 1))
    left, right = (int(roll) for roll in rng.integers(-config.roll, config.roll + 1, size=2))
    if config.moves_only:
        return Draw(shift, lag, (left, right))
    gains = np.exp(config.scale * (2.0 * rng.random(2) - 1.0))
    silent, noise, hum, mains, share = rng.random(5)
    dropped = rng.random(CHANNELS) < config.dropout
    dropped[rng.permutation(CHANNELS)[: int(share * (config.mask * CHANNELS + 1))]] = True
    return Draw(
        shift,
        lag,
        (left, right),
        gains=(float(gains[0]), float(gains[1])),
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
