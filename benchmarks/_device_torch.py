"""PyTorch's side of the device kit: bfloat16 autocast, SDPA, torch.compile, fused AdamW; its CTC alone.

On a GPU. The small form runs it on a CPU too, uncompiled, as torch.compile wants a C++ compiler there.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from benchmarks._random_batch import make_batch
from benchmarks._torch_model import Decoder
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.keys import BLANK
from semgjax.model.config import ModelConfig
from semgjax.model.presets import preset
from semgjax.training.run_config import OptimizerConfig

FULL = torch.cuda.OutOfMemoryError
_DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def step_of(name: str, rows: int, spec: WindowSpec) -> Callable[[], None]:
    """A whole training step of a preset with the sliding window as mask; each call waits for the GPU."""
    model = preset(name)
    assert isinstance(model, ModelConfig)
    torch.manual_seed(0)
    if _DEVICE == "cuda":
        torch.cuda.empty_cache()
    options, batch = OptimizerConfig(), make_batch(model, rows, spec)
    with torch.device(_DEVICE):
        decoder: Any = Decoder(model)
        network = torch.compile(decoder) if _DEVICE == "cuda" else decoder
    optimizer = torch.optim.AdamW(
        decoder.parameters(),
        options.learning_rate,
        (options.beta1, options.beta2),
        weight_decay=options.decay,
        fused=True,
    )
    emg = torch.from_numpy(batch["emg"]).to(_DEVICE)
    labels, counts = (torch.from_numpy(batch[key].astype(np.int64)).to(_DEVICE) for key in ("labels", "label_count"))
    first = (spec.left + model.emission_delay) // model.stride
    core = slice(first, first + spec.length // model.stride)

    def call() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.device(_DEVICE), torch.autocast(_DEVICE, torch.bfloat16):
            logits = network(emg)[:, core]
        (_native(logits.float(), labels, counts) / counts.sum()).backward()
        torch.nn.utils.clip_grad_norm_(decoder.parameters(), options.clip)
        optimizer.step()
        _wait()

    return call


def ctc_calls(logits: np.ndarray, labels: np.ndarray, counts: np.ndarray) -> dict[str, Callable[[], None]]:
    """Loss and gradient by PyTorch's own kernel and by cuDNN's, which wants the blank first and labels joined."""
    mine = torch.from_numpy(logits).to(_DEVICE).requires_grad_()
    wide, many = (torch.from_numpy(x.astype(np.int64)).to(_DEVICE) for x in (labels, counts))
    joined = torch.cat([torch.from_numpy(row[:n]) for row, n in zip(labels, counts, strict=True)]).int() + 1
    frames, short = (torch.tensor(x, dtype=torch.int32) for x in ([logits.shape[1]] * len(logits), counts.tolist()))
    rolled = torch.from_numpy(np.roll(logits, 1, axis=2)).to(_DEVICE).requires_grad_()

    def native() -> None:
        mine.grad = None
        _native(mine, wide, many).backward()
        _wait()

    def cudnn() -> None:
        rolled.grad = None
        log_p = rolled.transpose(0, 1).log_softmax(-1)
        functional.ctc_loss(log_p, joined, frames, short, blank=0, reduction="sum").backward()
        _wait()

    return {"native": native, "cudnn": cudnn} if _DEVICE == "cuda" else {"native": native}


def _wait() -> None:
    if _DEVICE == "cuda":
        torch.cuda.synchronize()


def _native(logits: torch.Tensor, labels: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    frames = torch.full((logits.shape[0],), logits.shape[1], device=logits.device)
    log_p = logits.transpose(0, 1).log_softmax(-1)
    return functional.ctc_loss(log_p, labels, frames, counts, blank=BLANK, reduction="sum")
