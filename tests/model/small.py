"""A decoder small enough to compile in a second, and parameters that need no compiling at all."""

import dataclasses
import functools

import jax
import numpy as np

from semgjax.model import encoder
from semgjax.model.config import ModelConfig

SMALL = ModelConfig(
    conv_widths=(6, 8),
    conv_kernels=(5, 3),
    conv_strides=(4, 2),
    norm_seconds=0.05,
    dim=8,
    layers=2,
    heads=2,
    position_kernel=4,
    position_groups=2,
    attention_window=3,
    emission_delay=16,
)
"""Frames of 8 samples; attention in blocks from 12 frames on, as one product below."""

quick_jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
"""jit for a function that runs once or twice: compiling takes half as long."""


def small(**options) -> ModelConfig:
    """SMALL with some members replaced."""
    return dataclasses.replace(SMALL, **options)


def abstract_params(config: ModelConfig) -> encoder.Params:
    """Shapes and types of the parameters."""
    return jax.eval_shape(functools.partial(encoder.init, config), jax.random.key(0))


def random_params(config: ModelConfig, seed: int = 0) -> encoder.Params:
    """Parameters of the right shapes, none of them zero, so that no bias or mask vector hides at its start."""
    rng = np.random.default_rng(seed)
    return jax.tree.map(lambda leaf: (rng.normal(size=leaf.shape) * 0.5).astype(np.float32), abstract_params(config))


def random_emg(rows: int, frames: int, config: ModelConfig = SMALL, seed: int = 0) -> np.ndarray:
    """float32 [rows, frames * stride, channels] with a spread like that of real signals."""
    shape = (rows, frames * config.stride, config.channels)
    return np.random.default_rng(seed).normal(0, 14, shape).astype(np.float32)


def assert_same_convolution(ours, library, x, weight, upstream) -> None:
    """Both functions of (x, weight) give the same output and, for the gradient `upstream` of it, the same gradients."""

    def value_and_gradients(convolve):
        def loss(x, weight):
            y = convolve(x, weight)
            return (y * upstream).sum(), y

        (_, y), gradients = jax.value_and_grad(loss, (0, 1), has_aux=True)(x, weight)
        return y, *gradients

    found, wanted = quick_jit(lambda: (value_and_gradients(ours), value_and_gradients(library)))()
    for mine, theirs in zip(found, wanted, strict=True):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4)
