"""Laws from a loss to an error, of distilled students, and of a new user's calibration."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from semgjax.scaling.law import STEEPEST, Law, Parameter, Values
from semgjax.scaling.laws_sums import FLOOR, INPUTS, amplitude_of, exponent_of, power_of


def _sigmoid(p: Values, x: Values) -> Any:
    """The error that a loss leads to, between a floor and a ceiling (as in Bhagia et al. 2024)."""
    return p["E"] + (p["C0"] - p["E"]) / (1.0 + jnp.exp(-p["k"] * (x["L"] - p["L0"])))


def _gadre_error(p: Values, x: Values) -> Any:
    """The error that a loss leads to, for errors with a chance level eps (Gadre et al. 2024, eq. 5)."""
    return p["eps"] - p["k"] * jnp.exp(-p["gamma"] * x["L"])


def _distilled(p: Values, x: Values) -> Any:
    """floor_power at the size that the teacher's help is worth, never above the teacher's own."""
    gap = jnp.maximum(jnp.expm1(x["log_T"] - x["log_N"]), 0.0)
    gain = p["K"] * gap / (p["K"] + gap)
    return p["E"] + p["A"] * power_of(x["log_N"] + jnp.log1p(gain), p["alpha"])


def _busbridge(p: Values, x: Values) -> Any:
    """Distillation with a gap between the capacities of teacher and student (Busbridge et al. 2025, eq. 8)."""
    ratio = jnp.log(x["TL"]) - jnp.log(x["S"]) - jnp.log(p["d1"])
    bend = jnp.exp(-p["c1"] * p["f1"] * jnp.logaddexp(0.0, ratio / p["f1"]))
    own = p["A"] * power_of(x["log_N"], p["alpha"]) + p["B"] * power_of(x["log_D"], p["beta"])
    return x["TL"] + x["TL"] ** -p["c0"] * bend * own ** p["gamma"]


def _personal(p: Values, x: Values) -> Any:
    """From the error without calibration to the floor, as a power of the minutes beyond m0."""
    share = jnp.exp(-p["beta"] * jnp.log1p(x["M"] / p["m0"]))
    return p["E"] * (1.0 - share) + p["C0"] * share


_A = amplitude_of("A", {"N": "alpha"}, "size of the part that falls with N, at N = 1")
_ALPHA, _BETA = exponent_of("alpha", "N"), exponent_of("beta", "D")

LINKS = (
    Law(
        "sigmoid", "y = E + (C0 - E) / (1 + exp(-k * (L - L0)))", (INPUTS["L"],),
        (
            FLOOR, Parameter("C0", "ceiling", "y", "error at a very high loss", start=(1.0, 2.0)),
            Parameter(
                "k", "real", "1/L", "steepness (below 0 where y falls with the loss, as accuracies do)",
                start=lambda x, y: (-15.0 / np.ptp(x["L"]), 15.0 / np.ptp(x["L"])),
            ),
            Parameter(
                "L0", "real", "L", "loss at the middle of the rise", start=lambda x, y: (x["L"].min(), x["L"].max())
            ),
        ),
        _sigmoid, linear=("E", "C0"), ceiling="C0", rising=True,
    ),
    Law(
        "distilled", "y = E + A * N'^-alpha, N' = N * (1 + K * G / (K + G)), G = T / N - 1", (INPUTS["N"], INPUTS["T"]),
        (
            FLOOR, _A, _ALPHA,
            Parameter(
                "K", "positive", "1", "with a far larger teacher a student is worth (1 + K) times its size",
                1e-3, 1e4, (0.1, 30.0),
            ),
        ),
        _distilled, linear=("E", "A"),
    ),
    Law(
        "busbridge",
        "y = TL + TL^-c0 * (1 + (TL / (S * d1))^(1 / f1))^(-c1 * f1) * (A * N^-alpha + B * D^-beta)^gamma",
        (INPUTS["N"], INPUTS["D"], INPUTS["TL"], INPUTS["S"]),
        (
            amplitude_of("A", {"N": "alpha"}, "size of the student's part that falls with N, at N = 1", "1"), _ALPHA,
            amplitude_of("B", {"D": "beta"}, "size of the student's part that falls with D, at D = 1", "1"), _BETA,
            Parameter("gamma", "exponent", "1", "exponent of the sum", 0.05, 3.0, (0.3, 1.5)),
            Parameter("c0", "real", "1", "how a better teacher widens the gap", start=(0.0, 3.0)),
            Parameter("c1", "real", "1", "slope beyond the capacity gap", start=(-1.0, 2.0)),
            Parameter("d1", "positive", "1", "teacher's over own loss at the capacity gap", start=(0.5, 1.5)),
            Parameter("f1", "positive", "1", "width of the capacity gap", 1e-3, 10.0, (0.05, 1.0)),
        ),
        _busbridge, scaled=False, least_runs=30, least_levels={"TL": 3}, source="Busbridge et al. 2025, eq. 8",
    ),
    Law(
        "gadre_error", "y = eps - k * exp(-gamma * L)", (INPUTS["L"],),
        (
            Parameter("eps", "ceiling", "y", "error at a very high loss", start=(1.0, 2.0)),
            Parameter("k", "amplitude", "y", "eps - k: error at loss 0"),
            Parameter(
                "gamma", "positive", "1/L", "how fast the error nears eps as the loss grows", 1e-3, 1e3,
                start=lambda x, y: (0.1 / np.ptp(x["L"]), 10.0 / np.ptp(x["L"])),
            ),
        ),
        _gadre_error, linear=("eps", "k"), ceiling="eps", rising=True, source="Gadre et al. 2024, eq. 5",
    ),
    Law(
        "personal", "y = E + (C0 - E) * (1 + M / m0)^-beta", (INPUTS["M"],),
        (
            FLOOR, Parameter("C0", "ceiling", "y", "error without calibration", start=(1.0, 2.0)),
            Parameter("m0", "location", "minutes", "minutes after which calibration shows", scaling={"M": 1.0}),
            Parameter("beta", "exponent", "1", "exponent in minutes", 0.0, STEEPEST),
        ),
        _personal, linear=("E", "C0"), ceiling="C0",
    ),
)  # fmt: skip
