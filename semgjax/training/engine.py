"""How a run is carried out: devices, memory, files kept, what is watched. No part of the run's identity."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from semgjax.errors import InputError

Remat = Literal["none", "cheap", "layers"]


@dataclass(frozen=True)
class Engine:
    """Options that change where and how fast a run goes, but nothing of what it computes beyond rounding."""

    start: Literal["auto", "one", "tpu"] = "auto"
    """who takes part: by the environment (SEMGJAX_PROCESSES, Slurm, GKE); this process alone; the hosts of a TPU VM"""
    wait: int = 300
    """seconds to wait for the other processes"""
    fsdp: int = 1
    """devices that the state is split over; 1: every device has it whole"""
    remat: Remat = "cheap"
    """what the backward pass computes again to save memory: none; norms, activations, scores (cheap); whole layers"""
    attention: Literal["auto", "reference", "tiles", "blocks", "cudnn"] = "auto"
    """form of attention: what suits the device, the plain definition, or one of semgjax.kernels"""
    convolution: Literal["auto", "reference", "products"] = "auto"
    """form of convolutions: what suits the device, the library's, or matrix products"""
    resume: Literal["auto", "must", "never"] = "auto"
    """with checkpoints in the folder: go on; must: refuse to begin without any; never: refuse to go on"""
    keep_last: int = 2
    """newest checkpoints that are kept"""
    keep_best: bool = True
    """keep the checkpoint with the lowest validation CER too"""
    keep_every: int = 0
    """keep the checkpoints whose step is a multiple of this too; 0: none"""
    watchdog: float = 3600.0
    """seconds without a step after which the stacks are printed and the process exits with 75; 0: never"""
    profile_from: int = 0
    """step before which a profile begins, written to RUN/profile"""
    profile_steps: int = 0
    """how many steps it takes in; 0: no profile"""
    cache: Path | None = None
    """folder of compiled programs, on a local disk (default: a temporary folder on accelerators, none on CPUs)"""
    trackers: tuple[Literal["tensorboard", "wandb"], ...] = ()
    """live views beside metrics.jsonl"""

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
