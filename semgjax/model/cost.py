"""What a decoder costs: multiply-adds of its matrix products, counted as two floating-point operations each."""

from semgjax.model.config import ModelConfig


def forward_flops(config: ModelConfig, samples: int) -> float:
    """Floating-point operations to decode `samples` samples; element-wise work is left out (a few percent)."""
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
    return 2.0 * total


def train_flops(config: ModelConfig, samples: int, teacher: ModelConfig | None = None) -> float:
    """Operations of one training step on one window: forward, twice that backward, and the teacher's forward."""
    extra = forward_flops(teacher, samples) if teacher is not None else 0.0
    return 3.0 * forward_flops(config, samples) + extra
