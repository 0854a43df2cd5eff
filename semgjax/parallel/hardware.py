"""Known devices and topologies: peak rates of a chip and chips of a pod, as the makers publish them."""

import re
from dataclasses import dataclass

from semgjax.errors import InputError


@dataclass(frozen=True)
class Chip:
    """Peak figures of one device."""

    kind: str
    """JAX's name for it (device_kind)"""
    flops: float | None
    """peak bfloat16 floating-point operations per second; None: unknown"""
    memory: float | None
    """bytes on the chip"""
    bandwidth: float | None
    """bytes per second to that memory"""


# Google Cloud's pages of the TPU versions and NVIDIA's data sheets (dense bfloat16).
CHIPS = {
    "v4": Chip("TPU v4", 275e12, 32e9, 1.228e12),
    "v5e": Chip("TPU v5 lite", 197e12, 16e9, 0.819e12),
    "v5p": Chip("TPU v5", 459e12, 95e9, 2.765e12),
    "v6e": Chip("TPU v6 lite", 918e12, 32e9, 1.64e12),
    "a100": Chip("NVIDIA A100", 312e12, 80e9, 2.039e12),
    "h100": Chip("NVIDIA H100", 989e12, 80e9, 3.35e12),
    "h200": Chip("NVIDIA H200", 989e12, 141e9, 4.8e12),
    "gpu": Chip("GPU", None, None, None),
    "cpu": Chip("cpu", None, None, None),
}


@dataclass(frozen=True)
class Topology:
    """A machine by name."""

    name: str
    chip: Chip
    devices: int
    platform: str
    """tpu, cuda or cpu: what JAX lowers for"""
    layout: str | None = None
    """libtpu's name for it"""


# Cloud names count chips for v5e and v6e, cores (two a chip) for v4 and v5p; JAX sees one device a chip.
_PODS = {
    "v4-8": ("v4", 4, "v4:2x2x1"),
    "v5e-4": ("v5e", 4, "v5e:2x2"),
    "v5e-8": ("v5e", 8, "v5e:2x4"),
    "v5e-16": ("v5e", 16, "v5e:4x4"),
    "v5e-256": ("v5e", 256, "v5e:16x16"),
    "v5p-8": ("v5p", 4, "v5p:2x2x1"),
    "v5p-128": ("v5p", 64, "v5p:4x4x4"),
    "v6e-4": ("v6e", 4, "v6e:2x2"),
    "v6e-8": ("v6e", 8, "v6e:2x4"),
    "v6e-16": ("v6e", 16, "v6e:4x4"),
    "v6e-256": ("v6e", 256, "v6e:16x16"),
}


def topology(name: str) -> Topology:
    """The machine called `name`: a TPU pod, KIND-1 to KIND-8 of GPUs (gpu, a100, h100, h200), or cpu.

    Raises:
        InputError: an unknown machine ("unknown-name").
    """
    if name in _PODS:
        chip, devices, layout = _PODS[name]
        return Topology(name, CHIPS[chip], devices, "tpu", layout)
    if name == "cpu":
        return Topology(name, CHIPS["cpu"], 1, "cpu")
    match = re.fullmatch(r"(gpu|a100|h100|h200)-([1-8])", name)
    if match is None:
        known = ", ".join(_PODS)
        raise InputError(
            f"topology {name!r} is unknown; choose {known}, gpu-N, a100-N, h100-N, h200-N (N to 8) or cpu",
            "unknown-name",
        )
    return Topology(name, CHIPS[match[1]], int(match[2]), "cuda")


def peak_flops(device_kind: str) -> float | None:
    """Peak bfloat16 operations per second of a device, by JAX's name for it; None if unknown."""
    # The longest name first: "TPU v5 lite" begins as "TPU v5" does.
    for chip in sorted(CHIPS.values(), key=lambda chip: -len(chip.kind)):
        if device_kind.startswith(chip.kind):
            return chip.flops
    return None
