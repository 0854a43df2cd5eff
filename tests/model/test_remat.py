"""What a gradient computes again: matrix products in its program, as it is lowered for each kind of device."""

import jax
import jax.numpy as jnp
import pytest

from semgjax.model import network
from semgjax.model.config import ModelConfig
from semgjax.parallel.mesh import abstract_mesh
from tests.model.small import abstract_params, small


def products(config: ModelConfig, platform: str, remat: str, frames: int = 16) -> int:
    """Matrix products in the gradient's program; the body of the scan over layers counts once."""
    emg = jax.ShapeDtypeStruct((2, frames * config.stride, config.channels), jnp.float32)
    valid = jax.ShapeDtypeStruct(emg.shape[:2], bool)

    def loss(params, emg, valid):
        return (network.apply(config, params, emg, valid, jax.random.key(0), remat) ** 2).sum()

    mesh = abstract_mesh(1, 2, platform={"cuda": "gpu"}.get(platform, platform))
    with jax.sharding.use_abstract_mesh(mesh.abstract_mesh):
        traced = jax.jit(jax.grad(loss)).trace(abstract_params(config), emg, valid)
        return traced.lower(lowering_platforms=(platform,)).as_text().count("stablehlo.dot_general")


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
@pytest.mark.parametrize("window", [3, 200, None])
def test_cheap_makes_the_scores_again_and_no_other_product(platform, window):
    """The projections, the weighted values and the products of the feed-forward layer are kept."""
    config = small(attention_window=window)
    none, cheap, layers = (products(config, platform, remat) for remat in ("none", "cheap", "layers"))
    assert (cheap - none, layers - none) == (1, 5)  # queries, keys and values; scores; values; output; expand


def test_cheap_makes_no_product_again_where_attention_has_its_own_backward_rule():
    none, cheap, layers = (products(small(), "cpu", remat) for remat in ("none", "cheap", "layers"))
    assert (cheap - none, layers - none) == (0, 5)
