"""Topologies by name and what their chips can do."""

import pytest

from semgjax.parallel.hardware import peak_flops, topology
from tests.refused import refused


@pytest.mark.parametrize(
    ("name", "devices", "platform"),
    [("v4-8", 4, "tpu"), ("v5e-16", 16, "tpu"), ("v5p-8", 4, "tpu"), ("v6e-256", 256, "tpu"), ("h100-8", 8, "cuda")],
)
def test_a_preset_has_its_devices_and_platform(name, devices, platform):
    found = topology(name)
    assert (found.devices, found.platform) == (devices, platform)
    assert found.chip.flops and found.chip.memory
    assert (found.layout is not None) == (platform == "tpu")


@pytest.mark.parametrize("name", ["v5e-17", "gpu-0", "gpu-9", "gpu", "tpu", ""])
def test_an_unknown_machine_is_refused_with_the_known_ones(name):
    with refused("unknown-name", "v4-8", "gpu-N"):
        topology(name)


def test_a_device_is_known_by_the_longest_name_that_fits():
    assert peak_flops("TPU v5 lite") == 197e12
    assert peak_flops("TPU v5p") == peak_flops("TPU v5") == 459e12
    assert peak_flops("NVIDIA H100 80GB HBM3") == 989e12
    assert peak_flops("cpu") is None and peak_flops("NVIDIA T4") is None
