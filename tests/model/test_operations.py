"""Which form a device gets, what it refuses, and that every form gives the plain definition's logits and gradients."""

import jax
import numpy as np
import pytest

from semgjax.errors import InputError
from semgjax.model import network
from semgjax.model.config import ModelConfig, TDSConfig
from semgjax.model.operations import REFERENCE, Kernels, check_kernels, choose_attention
from semgjax.training.engine import Engine
from tests.model.small import SMALL, quick_jit, random_emg, random_params, small


@pytest.mark.parametrize(
    ("kind", "time", "window", "wanted"),
    [
        ("cpu", 500, 128, "tiles"),
        ("cpu", 500, None, "tiles"),
        ("gpu", 500, 128, "reference"),
        ("gpu", 512, 128, "blocks"),
        ("tpu", 500, 128, "reference"),
        ("tpu", 512, 128, "blocks"),
        ("tpu", 512, None, "reference"),
    ],
)
def test_a_device_and_a_length_get_the_form_that_suits_them(kind, time, window, wanted):
    assert choose_attention("auto", kind, time, window) == wanted
    assert choose_attention("tiles", kind, time, window) == "tiles"


@pytest.mark.parametrize(
    ("config", "asked", "kind", "dtype"),
    [
        (SMALL, "cudnn", "cpu", "bfloat16"),
        (SMALL, "cudnn", "tpu", "bfloat16"),
        (SMALL, "cudnn", "gpu", "float32"),
        (small(attention_window=None), "blocks", "cpu", "float32"),
        (TDSConfig(), "tiles", "cpu", "float32"),
    ],
)
def test_a_form_that_a_device_or_a_network_cannot_do_is_refused(config, asked, kind, dtype):
    with pytest.raises(InputError) as caught:
        check_kernels(Kernels(asked), config, kind, dtype)
    assert caught.value.code == "conflict"


@pytest.mark.parametrize("kind", ["cpu", "tpu"])
def test_the_fused_ctc_is_refused_without_a_gpu_and_chosen_by_nothing(kind):
    with pytest.raises(InputError) as caught:
        check_kernels(Kernels(ctc="fused"), SMALL, kind, "float32")
    assert caught.value.code == "conflict"
    check_kernels(Kernels(ctc="fused"), TDSConfig(), "gpu", "float32")
    assert (Kernels().ctc, Engine().ctc) == ("scan", "scan")


def test_forms_that_fit_are_not_refused():
    check_kernels(Kernels("cudnn"), SMALL, "gpu", "float16")
    check_kernels(Kernels("blocks", "products"), SMALL, "tpu", "float32")
    check_kernels(Kernels(), TDSConfig(), "cpu", "float32")


def value_and_gradients(config: ModelConfig, kernels: Kernels):
    emg = random_emg(2, 14)
    valid = np.arange(emg.shape[1])[None] >= np.array([[0], [33]])

    def loss(params):
        logits = network.apply(config, params, emg, valid, jax.random.key(1), kernels=kernels)[:, 5:]
        return (logits**2).mean(), logits

    (_, logits), gradients = quick_jit(jax.value_and_grad(loss, has_aux=True))(random_params(config))
    return logits, gradients


@pytest.mark.parametrize("causal", [True, False])
def test_every_form_gives_the_plain_logits_and_gradients(causal):
    config = small(causal=causal)
    wanted = value_and_gradients(config, REFERENCE)
    for kernels in (Kernels(), Kernels("tiles", "products"), Kernels("blocks", "reference")):
        found = value_and_gradients(config, kernels)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-3), found, wanted)
