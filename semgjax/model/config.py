"""Configurations of the decoders: the paper's presets, the ladder of small sizes, and the baseline."""

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from semgjax.config_json import one_from_json
from semgjax.errors import InputError
from semgjax.model.kind import Network as Network
from semgjax.model.kind import register_network

if TYPE_CHECKING:
    import jax

    from semgjax.model.encoder import Operations, Params

WIDEST, DEEPEST = 65_536, 1024
"""upper limits of widths and depth, so that a typing error does not allocate all memory"""


@dataclass(frozen=True)
class ModelConfig(Network):
    """A transformer CTC decoder on raw sEMG: strided convolutions, then transformer layers, then a linear head.

    Lengths are in samples or frames (one frame is `stride` samples). The defaults are those of two wrists at 2 kHz
    with keys; `semgjax.model.for_band.fit_to_band` gives those of another band.
    """

    ATTENDS: ClassVar[bool] = True
    SHARDING: ClassVar[tuple[tuple[str, tuple[str | None, ...]], ...]] = (
        (r"frontend/", ()),  # small, and its widths suit no mesh
        (r"position/", ()),  # its groups cut across any split
        (r"head/kernel$", ("fsdp", None)),  # 99 classes are divisible by no mesh
    )

    channels: int = 32
    """electrodes: 16 left then 16 right, or those of another band"""
    classes: int = 99
    """98 keys, or another band's classes, and the CTC blank"""
    rate: float = 2000.0
    """samples a second of the input"""
    conv_widths: tuple[int, ...] = (128, 64, 64)
    """channels after each convolution of the front end"""
    conv_kernels: tuple[int, ...] = (11, 3, 3)
    """taps of each convolution"""
    conv_strides: tuple[int, ...] = (5, 2, 2)
    """stride of each convolution; their product is the length of a frame in samples"""
    norm: Literal["rolling", "window"] = "rolling"
    """normalisation over time after the first convolution: causal running statistics, or those of the whole window"""
    norm_seconds: float = 1.0
    """time constant of the running statistics, seconds"""
    dim: int = 128
    """width of the transformer"""
    layers: int = 10
    """transformer layers"""
    heads: int = 16
    """attention heads"""
    feedforward: int = 4
    """width of the feed-forward layer, as a multiple of dim"""
    position_kernel: int = 128
    """taps of the convolutional position embedding, frames"""
    position_groups: int = 16
    """groups of that convolution"""
    causal: bool = True
    """attend to the past only; otherwise attention and position embedding also look ahead"""
    attention_window: int | None = 128
    """frames that a query attends to on each allowed side, itself included; none: the whole input"""
    emission_delay: int = 200
    """samples between a key press and its target frame, so that a causal decoder can see the movement"""
    dropout: float = 0.2
    """dropout rate of the transformer in training"""
    mask_share: float = 0.3
    """share of frames hidden by time masks in training, before overlaps"""
    mask_length: int = 15
    """length of a time mask, frames"""

    def __post_init__(self) -> None:
        counts = {len(self.conv_widths), len(self.conv_kernels), len(self.conv_strides)}
        if len(counts) != 1 or 0 in counts:
            raise InputError(
                "model: conv_widths, conv_kernels and conv_strides must have one entry per layer", "bad-value"
            )
        for kernel, stride in zip(self.conv_kernels, self.conv_strides, strict=True):
            if not 1 <= stride <= kernel:
                raise InputError(
                    f"model: convolution of {kernel} taps and stride {stride} skips samples; use more taps", "bad-value"
                )
        for name in (
            "channels",
            "classes",
            "dim",
            "layers",
            "heads",
            "feedforward",
            "position_kernel",
            "position_groups",
            "attention_window",
        ):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= WIDEST:
                raise InputError(f"model: {name} {value} must lie in 1 to {WIDEST}", "bad-value")
        if min(self.conv_widths) < 1 or max(*self.conv_widths, *self.conv_kernels) > WIDEST or self.layers > DEEPEST:
            raise InputError(
                f"model: conv_widths {self.conv_widths}, conv_kernels {self.conv_kernels} and layers {self.layers} "
                f"must be at least 1, and no more than {WIDEST} and {DEEPEST}",
                "bad-value",
            )
        if self.dim % self.heads or self.dim % self.position_groups:
            raise InputError(
                f"model: dim {self.dim} must be a multiple of heads {self.heads} and position_groups "
                f"{self.position_groups}",
                "bad-value",
            )
        check_rate(self.rate)
        if not self.norm_seconds * self.rate >= self.stride:
            raise InputError(
                f"model: norm_seconds {self.norm_seconds} must be at least a frame ({self.stride} samples at "
                f"{self.rate:g} Hz)",
                "bad-value",
            )
        if not 0 <= self.dropout < 1 or not 0 <= self.mask_share < 1 or self.mask_length < 1:
            raise InputError(
                "model: dropout and mask_share must lie in [0, 1), mask_length must be at least 1", "bad-value"
            )
        if self.emission_delay < 0 or self.emission_delay % self.stride:
            raise InputError(
                f"model: emission_delay {self.emission_delay} must be a multiple of a frame ({self.stride} samples)",
                "bad-value",
            )

    @property
    def stride(self) -> int:
        """Samples per frame."""
        return math.prod(self.conv_strides)

    @property
    def look_ahead(self) -> int | None:
        """Samples after a frame's own last sample that its output may depend on; None means the whole input."""
        if self.norm == "window":
            return None
        if self.causal:
            return 0
        if self.attention_window is None:
            return None
        per_layer = (self.attention_window - 1) * self.layers
        return (per_layer + (self.position_kernel - 1) // 2) * self.stride

    def init(self, key: "jax.Array") -> "Params":
        """See `semgjax.model.encoder.init`."""
        from semgjax.model import encoder  # not at the top: reading a configuration needs no JAX

        return encoder.init(self, key)

    def apply(
        self,
        params: "Params",
        emg_BxTxC: "jax.Array",
        valid_BxT: "jax.Array",
        train_key: "jax.Array | None",
        remat: str,
        rows_B: "jax.Array | None",
        ops: "Operations",
    ) -> "jax.Array":
        """See `semgjax.model.encoder.apply`."""
        from semgjax.model import encoder

        return encoder.apply(self, params, emg_BxTxC, valid_BxT, train_key, remat, rows_B, ops)

    def flops(self, samples: int) -> float:
        """Twice the multiply-adds of a forward pass's matrix products; element-wise work is a few percent more."""
        time, inputs, total = samples, self.channels, 0
        for width, kernel, stride in zip(self.conv_widths, self.conv_kernels, self.conv_strides, strict=True):
            time //= stride
            total += time * kernel * inputs * width
            inputs = width
        d = self.dim
        total += time * inputs * d
        total += time * self.position_kernel * (d // self.position_groups) * d
        seen = time
        if self.attention_window is not None:
            seen = min(time, self.attention_window if self.causal else 2 * self.attention_window - 1)
        total += self.layers * time * (4 * d * d + 2 * self.feedforward * d * d + 2 * seen * d)
        total += time * d * self.classes
        return 2.0 * total


@dataclass(frozen=True)
class TDSConfig(Network):
    """The shape of the baseline (semgjax.model.tds); the defaults are the published one (5,293,315 parameters)."""

    NETWORK: ClassVar[str | None] = "tds"
    SHARDING: ClassVar[tuple[tuple[str, tuple[str | None, ...]], ...]] = (
        (r"conv/kernel$", ()),
        (r"head/kernel$", ("fsdp", None)),
    )

    channels: int = 32
    """electrodes: 16 left then 16 right, or those of another band"""
    classes: int = 99
    """98 keys, or another band's classes, and the CTC blank"""
    rate: float = 2000.0
    """samples a second of the input"""
    bands: int = 2
    """rings of equally many electrodes, each with a rotation-invariant layer of its own"""
    points: int = 64
    """samples of one spectrum"""
    hop: int = 16
    """samples between spectra: the length of a frame"""
    features: int = 384
    """width of each band's rotation-invariant layer"""
    conv_channels: tuple[int, ...] = (24, 24, 24, 24)
    """channels of each block's convolution; they divide the features of all bands"""
    kernel: int = 32
    """taps of each block's convolution, frames"""
    emission_delay: int = 208
    """samples between a key press and its target frame"""
    time_masks: int = 3
    """time masks of a window in training"""
    time_mask_length: int = 25
    """longest time mask, frames"""
    frequency_masks: int = 2
    """frequency masks of a window in training"""
    frequency_mask_length: int = 4
    """widest frequency mask, bins of the spectrum"""

    def __post_init__(self) -> None:
        check_rate(self.rate)
        for name in ("channels", "classes", "bands", "points", "hop", "features", "kernel"):
            if getattr(self, name) < 1:
                raise InputError(f"model: {name} {getattr(self, name)} must be at least 1", "bad-value")
        for name in ("time_masks", "time_mask_length", "frequency_masks", "frequency_mask_length"):
            if getattr(self, name) < 0:
                raise InputError(f"model: {name} {getattr(self, name)} must not be negative", "bad-value")
        if self.channels % self.bands or self.points % self.hop:
            raise InputError(
                f"model: channels {self.channels} must be a multiple of bands {self.bands}, and points {self.points} "
                f"of hop {self.hop}",
                "bad-value",
            )
        for channels in self.conv_channels:
            if channels < 1 or (self.bands * self.features) % channels:
                raise InputError(
                    f"model: conv_channels {channels} do not divide {self.bands} x {self.features} features",
                    "bad-value",
                )
        if self.emission_delay < 0 or self.emission_delay % self.hop:
            raise InputError(
                f"model: emission_delay {self.emission_delay} must be a multiple of a frame ({self.hop} samples)",
                "bad-value",
            )

    @property
    def stride(self) -> int:
        """Samples per frame."""
        return self.hop

    @property
    def look_ahead(self) -> None:
        """None: the norm takes its statistics over the whole window."""
        return None

    def init(self, key: "jax.Array") -> "Params":
        """See `semgjax.model.tds.init`."""
        from semgjax.model import tds  # not at the top: reading a configuration needs no JAX

        return tds.init(self, key)

    def apply(
        self,
        params: "Params",
        emg_BxTxC: "jax.Array",
        valid_BxT: "jax.Array",
        train_key: "jax.Array | None",
        remat: str,
        rows_B: "jax.Array | None",
        ops: "Operations",
    ) -> "jax.Array":
        """See `semgjax.model.tds.apply`."""
        from semgjax.model import tds

        return tds.apply(self, params, emg_BxTxC, valid_BxT, train_key, remat, rows_B, ops)

    def flops(self, samples: int) -> float:
        """As of `ModelConfig`; the spectrum is a product too, once for sines and once for cosines."""
        bins, width = self.points // 2 + 1, self.bands * self.features
        turns = 3  # the electrodes of a band as they are, and turned by one to either side
        total = self.channels * self.points * bins * 2 + turns * self.channels * bins * self.features
        for channels in self.conv_channels:
            total += self.kernel * channels * width + 2 * width * width
        return 2.0 * (samples // self.hop * (total + width * self.classes))


# One line per network.
register_network(ModelConfig)
register_network(TDSConfig)


def check_rate(rate: float) -> None:
    """Raises InputError: the sample rate is not a positive number."""
    if not 0 < rate < math.inf:
        raise InputError(f"model: rate {rate} must be a positive number of samples a second", "bad-value")


def network_from_json(value: dict[str, Any], where: str) -> Network:
    """The shape that `to_json` wrote, of any registered network.

    Raises:
        InputError: it is of none ("wrong-schema"), or does not fit.
    """
    return one_from_json(Network.kinds(), value, where)


PAPER = {
    # Sizes of "Scaling and Distilling Transformer Models for sEMG" (TMLR 2025), Table 1.
    "tiny": ModelConfig(dim=128, layers=10),
    "small": ModelConfig(dim=256, layers=6),
    "large": ModelConfig(dim=1024, layers=8),
}


def ladder(width: int) -> ModelConfig:
    """The ladder of small models: the width of the transformer determines depth, heads and front end.

    A frame is 20 ms, short enough for about 10 keys/s and long enough that a laptop trains a model in a minute.
    """
    if width < 16 or width % 8 or width > WIDEST:
        raise InputError(f"preset ladder-{width}: the width must be a multiple of 8 from 16 to {WIDEST}", "bad-value")
    front = max(32, 16 + width // 2)  # at least one filter per electrode
    head = next(size for size in (32, 16, 8) if width % size == 0)
    return ModelConfig(
        conv_widths=(front, front, width),
        conv_kernels=(10, 8, 4),
        conv_strides=(5, 4, 2),
        dim=width,
        layers=2 + width // 64,
        heads=width // head,
        position_kernel=16,
        position_groups=width // (16 if width % 16 == 0 else 8),
        attention_window=50,
        dropout=0.0,
        mask_share=0.0,
    )


def preset(name: str) -> Network:
    """The configuration named tiny, small, large (the paper's), ladder-WIDTH, or as a registered network such as tds.

    A registered network (semgjax.model.kind) has its defaults; tds is emg2qwerty's baseline.

    Raises:
        InputError: no such preset ("unknown-name"), or a network with fields that have no default ("bad-value").
    """
    if name in PAPER:
        return PAPER[name]
    match = re.fullmatch(r"ladder-(\d{1,6})", name, re.ASCII)
    if match is not None:
        return ladder(int(match.group(1)))
    registered: dict[str, type[Network]] = {kind.NETWORK: kind for kind in Network.kinds() if kind.NETWORK is not None}
    if name not in registered:
        raise InputError(
            f"preset {name!r} is unknown; choose {', '.join((*PAPER, *registered))} or ladder-WIDTH (such as "
            "ladder-64), or import the module that registers it",
            "unknown-name",
        )
    try:
        return registered[name]()
    except TypeError as error:
        raise InputError(f"preset {name!r}: give every field of the network a default ({error})", "bad-value") from None
