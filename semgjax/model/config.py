"""Configurations of the decoders: the transformer and emg2qwerty's baseline."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from semgjax.config_json import one_from_json
from semgjax.errors import InputError
from semgjax.model.front import WIDEST as WIDEST
from semgjax.model.front import check_front, frame_samples, front_width, multiply_adds
from semgjax.model.kind import Network as Network
from semgjax.model.kind import register_network

if TYPE_CHECKING:
    import jax

    from semgjax.model.encoder import Operations, Params

DEEPEST = 1024
"""upper limit of the depth, as WIDEST of widths"""


@dataclass(frozen=True)
class ModelConfig(Network):
    """A transformer CTC decoder on raw sEMG: a front end, then transformer layers, then a linear head.

    Lengths are in samples or frames (one frame is `stride` samples). The defaults are those of two wrists at 2 kHz
    with keys; `semgjax.model.for_band.fit_to_band` gives those of another band.
    """

    ATTENDS: ClassVar[bool] = True
    STREAMS: ClassVar[bool] = True
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
    frontend: Literal["conv", "power"] = "conv"
    """strided convolutions of the raw signal, or the log power of each electrode per frame (semgjax.model.power)"""
    rings: tuple[int, ...] = (16, 16)
    """electrodes of each ring, in the order of the channels; the power front end reads each ring by itself"""
    power_frame: int = 200
    """samples of a frame of the power front end"""
    power_width: int = 64
    """features of each ring in the power front end"""
    power_turns: int = 1
    """the power front end reads each ring as it lies and turned by up to this many places to either side"""
    parametrization: Literal["standard", "completep"] = "standard"
    """completep: branches, rates and epsilons are scaled from the base, so that its learning rate suits other widths
    and depths (semgjax.model.complete_p)"""
    base_dim: int = 64
    """width at which completep is the standard parametrization"""
    base_layers: int = 3
    """depth at which it is"""
    gains: Literal["trained", "fixed"] = "trained"
    """gains of the norms under completep"""

    def __post_init__(self) -> None:
        check_front(self)
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
            "base_dim",
            "base_layers",
        ):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= WIDEST:
                raise InputError(f"model: {name} {value} must lie in 1 to {WIDEST}", "bad-value")
        if self.layers > DEEPEST:
            raise InputError(f"model: layers {self.layers} must be no more than {DEEPEST}", "bad-value")
        if self.dim % self.heads or self.dim % self.position_groups:
            raise InputError(
                f"model: dim {self.dim} must be a multiple of heads {self.heads} and position_groups "
                f"{self.position_groups}",
                "bad-value",
            )
        if not self.complete_p and (self.base_dim, self.base_layers, self.gains) != (64, 3, "trained"):
            raise InputError(
                f"model: base_dim {self.base_dim}, base_layers {self.base_layers} and gains {self.gains} belong to "
                "parametrization completep; set it, or leave them out",
                "conflict",
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
        return frame_samples(self)

    @property
    def complete_p(self) -> bool:
        """Whether branches, rates and epsilons are scaled (semgjax.model.complete_p)."""
        return self.parametrization == "completep"

    @property
    def norm_decay(self) -> float:
        """Factor per frame of the running statistics of the norm."""
        return 1.0 - self.stride / (self.rate * self.norm_seconds)

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

    def hidden(self, *inputs: Any, **named: Any) -> "tuple[jax.Array, jax.Array]":
        """See `semgjax.model.encoder.hidden`."""
        from semgjax.model import encoder

        return encoder.hidden(self, *inputs, **named)

    def flops(self, samples: int) -> float:
        """Twice the multiply-adds of a forward pass's matrix products; element-wise work is a few percent more."""
        time, d = samples // self.stride, self.dim
        total = multiply_adds(self, samples) + time * front_width(self) * d
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

    def apply(self, *inputs: Any, **named: Any) -> "jax.Array":
        """See `semgjax.model.tds.apply`."""
        from semgjax.model import tds

        return tds.apply(self, *inputs, **named)

    def hidden(self, *inputs: Any, **named: Any) -> "tuple[jax.Array, jax.Array]":
        """See `semgjax.model.tds.hidden`."""
        from semgjax.model import tds

        return tds.hidden(self, *inputs, **named)

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
