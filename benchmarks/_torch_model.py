"""The paper's decoder in idiomatic eager PyTorch: the peer of `semgjax bench train`.

The same shapes, the same float32, dropout and time masks at the same rates as `semgjax.model.encoder`, with PyTorch's
own convolutions, norms, attention (scaled_dot_product_attention), CTC and AdamW.
"""

import torch
from torch import nn
from torch.nn import functional

from semgjax.data.keys import BLANK
from semgjax.model.config import ModelConfig


class FrontEnd(nn.Module):
    """Strided convolutions on raw signals, the first with group norm of a group per channel: the paper's."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        inputs = (config.channels, *config.conv_widths)
        shapes = zip(inputs, config.conv_widths, config.conv_kernels, config.conv_strides, strict=False)
        self.padding = [k - s for k, s in zip(config.conv_kernels, config.conv_strides, strict=True)]
        self.convolutions = nn.ModuleList(nn.Conv1d(a, b, k, s, bias=False) for a, b, k, s in shapes)
        self.norm = nn.GroupNorm(config.conv_widths[0], config.conv_widths[0])

    def forward(self, emg: torch.Tensor) -> torch.Tensor:
        x = emg.transpose(1, 2)
        for index, (convolution, padding) in enumerate(zip(self.convolutions, self.padding, strict=True)):
            x = convolution(functional.pad(x, (padding, 0)))
            x = functional.gelu(self.norm(x) if index == 0 else x)
        return x.transpose(1, 2)


class Layer(nn.Module):
    """A transformer layer, normalised before each branch."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, hidden = config.dim, config.feedforward * config.dim
        self.heads = config.heads
        self.norm_attention, self.norm_feedforward = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.expand, self.contract = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: torch.Tensor, band: torch.Tensor | None) -> torch.Tensor:
        batch, time, width = x.shape
        qkv = self.qkv(self.norm_attention(x)).view(batch, time, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        y = functional.scaled_dot_product_attention(q, k, v, attn_mask=band, is_causal=band is None)
        x = x + self.drop(self.out(y.transpose(1, 2).reshape(batch, time, width)))
        y = functional.gelu(self.expand(self.norm_feedforward(x)))
        return x + self.drop(self.contract(self.drop(y)))


class Decoder(nn.Module):
    """Raw sEMG [B, T, C] -> logits [B, T / stride, classes]; causal, with or without a sliding window."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width, taps = config.dim, config.position_kernel
        self.front = FrontEnd(config)
        self.norm_front, self.norm_out = nn.LayerNorm(config.conv_widths[-1]), nn.LayerNorm(width)
        self.project, self.head = nn.Linear(config.conv_widths[-1], width), nn.Linear(width, config.classes)
        self.mask_vector = nn.Parameter(torch.rand(width))
        position = nn.Conv1d(width, width, taps, groups=config.position_groups)
        self.position = nn.utils.parametrizations.weight_norm(position, dim=2)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.drop = nn.Dropout(config.dropout)

    def forward(self, emg: torch.Tensor) -> torch.Tensor:
        config = self.config
        x = self.drop(self.project(self.norm_front(self.front(emg))))
        batch, time, _ = x.shape
        if config.mask_share > 0:
            starts = (torch.rand(batch, 1, time) < config.mask_share / config.mask_length).float()
            hidden = functional.max_pool1d(functional.pad(starts, (config.mask_length - 1, 0)), config.mask_length, 1)
            x = torch.where(hidden[:, 0, :, None] > 0, self.mask_vector, x)
        padded = functional.pad(x.transpose(1, 2), (config.position_kernel - 1, 0))
        x = self.drop(x + functional.gelu(self.position(padded)).transpose(1, 2))
        band = None
        if config.attention_window is not None:
            age = torch.arange(time)[:, None] - torch.arange(time)[None, :]
            band = (age >= 0) & (age < config.attention_window)
        for layer in self.layers:
            x = layer(x, band)
        return self.head(self.norm_out(x))


def ctc(logits: torch.Tensor, labels: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Summed CTC loss of logits [B, T, K]."""
    log_p = logits.transpose(0, 1).log_softmax(-1)
    frames = torch.full((logits.shape[0],), logits.shape[1])
    return functional.ctc_loss(log_p, labels, frames, counts, blank=BLANK, reduction="sum")
