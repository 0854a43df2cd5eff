"""How a run is executed: devices, memory, checkpoints kept, monitoring. No part of the run's identity."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semgjax.errors import InputError

Remat = Literal["none", "cheap", "layers"]


@dataclass(frozen=True)
class Engine:
    """Options that change where and how fast a run computes, but its numbers only by rounding."""

    start: Literal["auto", "one", "tpu"] = "auto"
    """processes: auto by environment (SEMGJAX_PROCESSES, Slurm, GKE); one: this process; tpu: the hosts of a TPU VM"""
    wait: int = 300
    """seconds to wait for the other processes"""
    fsdp: int = 1
    """devices that parameters and optimiser state are sharded over; 1: replicated"""
    remat: Remat = "cheap"
    """rematerialisation in the backward pass: none; cheap: norms, activations and scores; layers: whole layers"""
    attention: Literal["auto", "reference", "tiles", "blocks", "cudnn"] = "auto"
    """implementation of attention: auto by device, reference (the definition), or one of semgjax.kernels"""
    convolution: Literal["auto", "reference", "products"] = "auto"
    """implementation of convolutions: auto by device, reference (XLA's), or matrix products"""
    ctc: Literal["scan", "fused"] = "scan"
    """implementation of CTC: a scan over the frames, or one kernel for a GPU (fused), which has not met a GPU yet"""
    resume: Literal["auto", "must", "never"] = "auto"
    """auto: resume if the folder has a checkpoint; must: fail without one; never: fail if there is one"""
    keep_last: int = 2
    """number of newest checkpoints to keep"""
    keep_best: bool = True
    """also keep the checkpoint with the lowest validation error rate"""
    keep_every: int = 0
    """also keep checkpoints whose step is a multiple of this; 0: none"""
    watchdog: float = 3600.0
    """seconds without a step until all stacks are printed and the process exits with 75; 0: never"""
    profile_from: int = 0
    """step after which profiling starts; the trace is written to RUN/profile"""
    profile_steps: int = 0
    """number of profiled steps; 0: no profile"""
    cache: Path | None = None
    """persistent compilation cache on a local disk (default: a temporary folder on accelerators, none on CPUs)"""
    trackers: tuple[Literal["tensorboard", "wandb"], ...] = ()
    """experiment trackers besides metrics.jsonl"""

    def __post_init__(self) -> None:
        for name, least in (
            ("wait", 1),
            ("fsdp", 1),
            ("keep_last", 1),
            ("keep_every", 0),
            ("watchdog", 0),
            ("profile_from", 0),
            ("profile_steps", 0),
        ):
            if not getattr(self, name) >= least:
                raise InputError(f"engine.{name} {getattr(self, name)} must be at least {least}", "bad-value")
