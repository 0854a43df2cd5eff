"""Fits of made sweeps that several tests share."""

import functools

import numpy as np

from semgjax.scaling.decide.evidence import Evidence, gather
from semgjax.scaling.fit import Fit, fit_law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.table import table_of

SIZES = np.repeat(np.geomspace(1e4, 2e6, 6), 3)


def error(size):
    return 8.0 + 20.0 * (np.asarray(size) / 1e5) ** -0.45


@functools.cache
def size_fit(seed: int = 0, factor: float = 1.0) -> Fit:
    noise = np.exp(0.02 * np.random.default_rng(seed).standard_normal(len(SIZES)))
    return fit_law(table_of(SIZES, factor * error(SIZES) * noise, "%"))


@functools.cache
def size_evidence() -> Evidence:
    return gather(size_fit())


@functools.cache
def joint_fit() -> Fit:
    sizes, data = np.geomspace(1e4, 1e6, 5), np.geomspace(0.1, 10.0, 5)
    x = {"N": np.concatenate([sizes, np.full(4, 1e5)]), "D": np.concatenate([np.ones(5), data[[0, 1, 3, 4]]])}
    y = 1.0 + 5.0 * (x["N"] / 1e5) ** -0.3 + 3.0 * x["D"] ** -0.4
    noise = np.exp(0.005 * np.random.default_rng(1).standard_normal(9))
    return fit_law(table_of(x, y * noise), LAWS["chinchilla"])


@functools.cache
def joint_evidence() -> Evidence:
    return gather(joint_fit())
