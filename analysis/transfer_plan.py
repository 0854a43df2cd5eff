"""What the study of transfer trains: sizes by rates, and a ladder whose two largest sizes are forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from semgjax.model.config import ModelConfig
from semgjax.transfer.members import Parametrization

Question = Literal["rates", "ladder", "held"]
BASE = ModelConfig()


@dataclass(frozen=True)
class Design:
    """How much is trained. Every network is a `keys` one of the base's depth."""

    seeds: tuple[int, ...] = (0, 1, 2)
    """of parameters and of the order of windows; the people are the same"""
    widths: tuple[int, ...] = (8, 32, 128)
    """at which rates are tried: 16 times from the first to the last"""
    rates: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
    """as shares of the base's recipe"""
    highest: float = 32.0
    """up to which further rates are tried, a factor of 2 apart, where the highest one is the best"""
    parametrizations: tuple[Parametrization, ...] = ("standard", "completep")
    ladder: tuple[int, ...] = (6, 8, 12, 16, 24, 32, 48)
    """widths behind the forecast, at the rate that is best at `tuned` under completep"""
    held: tuple[int, ...] = (96, 160)
    """widths that are forecast"""
    tuned: int = 32
    steps: int = 400
    batch: int = 8
    crowd: int = 64
    """training people"""
    minutes: float = 1.5
    """of a session"""
    people_seed: int = 0


@dataclass(frozen=True)
class Piece:
    """One training; rate: as a share of the base's."""

    parametrization: Parametrization
    width: int
    rate: float
    seed: int

    @property
    def name(self) -> str:
        """Of the piece, in the table and on disk."""
        return f"{self.parametrization}-width{self.width}-rate{self.rate:g}-seed{self.seed}"


def rate_pieces(design: Design) -> list[Piece]:
    """Every rate at every width, without and with completep; the narrow ones first."""
    return [
        Piece(one, width, rate, seed)
        for width in design.widths
        for one in design.parametrizations
        for seed in design.seeds
        for rate in design.rates
    ]


def further_pieces(design: Design, parametrization: Parametrization, width: int, rates: Sequence[float]) -> list[Piece]:
    """Further rates at one width."""
    return [Piece(parametrization, width, rate, seed) for rate in rates for seed in design.seeds]


def ladder_pieces(design: Design, widths: Sequence[int], rate: float) -> list[Piece]:
    """Sizes at one transferred rate."""
    return [Piece("completep", width, rate, seed) for width in widths for seed in design.seeds]
