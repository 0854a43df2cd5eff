"""The horizon correction by hand, and Muon's steps."""

import dataclasses

import jax
import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.model import network
from semgjax.model.presets import preset
from semgjax.training.horizon import Horizon, horizon
from semgjax.training.optimizer import make_optimizer, schedule
from semgjax.training.run_config import OptimizerConfig


def test_a_batch_four_times_as_large_doubles_the_rate_at_equal_windows():
    config = OptimizerConfig(learning_rate=1e-3, beta2=0.98, tuned_batch=16, tuned_steps=1000)
    found = horizon(config, 64, 250)
    assert found.rate == pytest.approx(2.0)
    assert found.beta2 == pytest.approx(1 - 4 * 0.02)
    assert found.epsilon == pytest.approx(1e-8 / 2)
    assert float(schedule(config, 250, 64)(round(0.05 * 250))) == pytest.approx(2e-3)


def test_ten_times_the_windows_take_half_the_rate():
    config = OptimizerConfig(tuned_batch=16, tuned_steps=1000)
    found = horizon(config, 16, 10_000)
    assert found.rate == pytest.approx(10**-0.3) and found.beta2 == config.beta2


def test_the_tuned_run_itself_and_runs_without_a_correction_stay_as_they_are():
    config = OptimizerConfig(tuned_batch=16, tuned_steps=1000)
    same = horizon(config, 16, 1000)
    assert (same.rate, same.epsilon) == (1.0, 1e-8) and same.beta2 == pytest.approx(0.98)
    assert horizon(OptimizerConfig(), 3, 7) == Horizon()


def test_a_batch_without_a_beta2_is_refused():
    with pytest.raises(InputError) as error:
        horizon(OptimizerConfig(tuned_batch=16, tuned_steps=1000), 16 * 51, 1000)
    assert error.value.code == "bad-value"


def muon(name, **changes):
    config = dataclasses.replace(preset(name), **changes)
    params = network.init(config, jax.random.key(0))
    keys = jax.random.split(jax.random.key(1), len(jax.tree.leaves(params)))
    gradient = jax.tree.map(
        lambda x, key: 1e3 * jax.random.normal(key, x.shape),
        params,
        jax.tree.unflatten(jax.tree.structure(params), list(keys)),
    )
    optimizer = make_optimizer(OptimizerConfig(kind="muon", decay=0.0, warmup=0.0, learning_rate=1.0), 10**6, 4, config)
    _, state = optimizer.update(gradient, optimizer.init(params), params)
    return jax.jit(optimizer.update)(gradient, state, params)[0]


def test_muon_takes_orthogonal_steps_for_matrices_and_adamw_s_for_the_rest():
    updates = muon("keys-32")
    for matrix in (*updates["layers"]["expand"]["kernel"], updates["project"]["kernel"]):
        values = np.linalg.svd(np.asarray(matrix), compute_uv=False) / (0.2 * max(matrix.shape) ** 0.5)
        assert (values > 0.6).all() and (values < 1.25).all()  # the iteration stops near 1
    for leaf in (updates["head"]["kernel"], updates["position"]["direction"], updates["layers"]["expand"]["bias"]):
        assert np.median(np.abs(leaf)) == pytest.approx(1.0, rel=1e-3)  # but for what is near epsilon


def test_under_completep_muon_s_step_shrinks_with_the_root_of_the_width():
    plain = muon("keys-32")["layers"]["expand"]["kernel"]
    scaled = muon("keys-32", parametrization="completep", base_dim=8)["layers"]["expand"]["kernel"]
    np.testing.assert_allclose(scaled, np.asarray(plain) / 2, rtol=1e-5)
