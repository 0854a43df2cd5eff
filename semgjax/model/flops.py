"""What a decoder costs: multiply-adds of its matrix products, counted as two floating-point operations each."""

from semgjax.model.config import TDS_BANDS, ModelConfig, Network, TDSConfig


def forward_flops(config: Network, samples: int) -> float:
    """Floating-point operations to decode `samples` samples; element-wise work is left out (a few percent)."""
    products = _tds(config, samples) if isinstance(config, TDSConfig) else _transformer(config, samples)
    return 2.0 * products


def _transformer(config: ModelConfig, samples: int) -> int:
    """Multiply-adds."""
    time, inputs, total = samples, config.channels, 0
    for width, kernel, stride in zip(config.conv_widths, config.conv_kernels, config.conv_strides, strict=True):
        time //= stride
        total += time * kernel * inputs * width
        inputs = width
    d = config.dim
    total += time * inputs * d
    total += time * config.position_kernel * (d // config.position_groups) * d
    seen = time
    if config.attention_window is not None:
        seen = min(time, config.attention_window if config.causal else 2 * config.attention_window - 1)
    total += config.layers * time * (4 * d * d + 2 * config.feedforward * d * d + 2 * seen * d)
    total += time * d * config.classes
    return total


def _tds(config: TDSConfig, samples: int) -> int:
    """Multiply-adds; the spectrum is a product too, once for sines and once for cosines."""
    bins, width = config.points // 2 + 1, TDS_BANDS * config.features
    turns = 3  # the electrodes of a band as they are, and turned by one to either side
    total = config.channels * config.points * bins * 2 + turns * config.channels * bins * config.features
    for channels in config.conv_channels:
        total += config.kernel * channels * width + 2 * width * width
    return samples // config.hop * (total + width * config.classes)


def train_flops(config: Network, samples: int, teacher: Network | None = None) -> float:
    """Operations of one training step on one window: forward, twice that backward, and the teacher's forward."""
    extra = forward_flops(teacher, samples) if teacher is not None else 0.0
    return 3.0 * forward_flops(config, samples) + extra
