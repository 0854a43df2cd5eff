"""Random changes of a training window: what may change, and the one place where it is drawn. Writes nothing.

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
    """Random changes of a training window; each is drawn from (seed, step, row)."""

    roll: int = 1
    """each band's electrodes are rotated by up to this many places"""
    lag: int = 120
    """the two bands move against each other by up to this many samples"""
    jitter: bool = True
    """the core starts anywhere up to a stride after its place on the grid"""
    scale: float = 0.0
    """each band's amplitude is multiplied by e^u, u drawn from -scale to scale"""
    silence: float = 0.0
    """this share of the windows becomes rest: noise at each electrode's own floor, and no keys"""
    noise: float = 0.0
    """white noise of up to this many times the window's RMS is added"""
    hum: float = 0.0
    """mains hum (50 or 60 Hz) of an amplitude up to this many times the window's RMS is added"""
    dropout: float = 0.0
    """chance that an electrode is zero for a window, each on its own"""
    mask: float = 0.0
    """up to this share of all electrodes is zero for a window, the share drawn anew for each"""

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
        """Whether samples only change their places, so that any type of number can stay as it is."""
        return not any(getattr(self, field.name) for field in fields(self) if field.name not in _MOVES)


_MOVES = ("roll", "lag", "jitter")
NONE = AugmentConfig(roll=0, lag=0, jitter=False)


@dataclass(frozen=True)
class Draw:
    """One window's random numbers.

    Attributes:
        shift, lag: samples; where the window is read (`semgjax.data.batching.windows.read_window`)
        rolls: places by which the left and the right ring turn
        gains: factors of the left and the right band
        silent: the window becomes rest; its labels are empty
        noise, hum: RMS and amplitude, as multiples of the window's RMS
        mains: Hz
        masked: electrodes (0-31, as they lie after the roll) that become zero
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
    """The changes of one window.

    The numbers are drawn in one order, whatever is switched on, so that one change's strength never moves
    another's draws; the first three fields draw first.

    Args:
        room: samples by which the core's start may move to the right.
        rng: this window's own generator, so that the draw depends on nothing else.
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
    # Ours, not measured on real sessions: the paper's, and what another wrist, contact and room do to a signal.
    # The mask follows SplashNet's aggressive channel masking (arXiv 2506.12356), on whole electrodes.
    "robust": AugmentConfig(
        roll=1, lag=120, jitter=True, scale=0.3, silence=0.02, noise=0.1, hum=0.1, dropout=0.02, mask=0.5
    ),
}


def augment_recipe(name: str) -> AugmentConfig:
    """The named changes: "paper", "baseline" or "robust"; the source of each stands beside it.

    Raises:
        InputError: another name.
    """
    if name not in RECIPES:
        raise InputError(f"no augmentation {name!r}; choose one of {', '.join(RECIPES)}", "bad-value")
    return RECIPES[name]
