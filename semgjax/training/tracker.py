"""Live views of a run beside metrics.jsonl: TensorBoard files in RUN/tensorboard, or Weights & Biases."""

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from semgjax.config_json import to_json
from semgjax.errors import InputError
from semgjax.training.run_config import RunConfig


class Writer(Protocol):
    """Takes lines of metrics: a "step" and numbers, those of a validation with its "split"."""

    def write(self, line: dict[str, Any]) -> None:
        """Take one line."""


class Tracker(Writer, Protocol):
    """A writer that must be closed."""

    def close(self) -> None:
        """Flush and close."""


_PACKAGES = {"tensorboard": "tensorboardX", "wandb": "wandb"}


def check_trackers(names: Sequence[str]) -> None:
    """Check that the trackers' packages are installed.

    Raises:
        InputError: a package is missing.
    """
    for name in names:
        if importlib.util.find_spec(_PACKAGES[name]) is None:
            raise InputError(
                f"engine.trackers {name} needs the package {_PACKAGES[name]}; install it with: "
                f"pip install 'semgjax[{name}]'",
                "missing-extra",
            )


def open_trackers(names: Sequence[str], out: Path, config: RunConfig, start: int) -> list[Tracker]:
    """The trackers of a run that starts or resumes after step `start`."""
    makers: dict[str, Callable[[Path, RunConfig, int], Tracker]] = {"tensorboard": TensorBoard, "wandb": WandB}
    return [makers[name](out, config, start) for name in dict.fromkeys(names)]


class Everywhere:
    """Writes every line to several writers."""

    def __init__(self, writers: Sequence[Writer]) -> None:
        self._writers = writers

    def write(self, line: dict[str, Any]) -> None:
        """To all of them."""
        for writer in self._writers:
            writer.write(line)


def numbers(line: dict[str, Any]) -> dict[str, float]:
    """The plottable members of a line, named by its split: train/loss, val/cer."""
    part = line.get("split", "train")
    plain = {k: v for k, v in line.items() if isinstance(v, int | float) and k != "step"}
    return {f"{part}/{name}": float(value) for name, value in plain.items()}


class TensorBoard:
    """Event files under RUN/tensorboard; a resumed run's repeated steps are shown once."""

    def __init__(self, out: Path, config: RunConfig, start: int) -> None:
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(out / "tensorboard"), purge_step=start + 1)

    def write(self, line: dict[str, Any]) -> None:
        """One point per number."""
        for name, value in numbers(line).items():
            self._writer.add_scalar(name, value, line["step"])

    def close(self) -> None:
        """Flush and close."""
        self._writer.close()


class WandB:
    """One run, named by the configuration's hash, so that a resumed run continues the same curve."""

    def __init__(self, out: Path, config: RunConfig, start: int) -> None:
        import wandb

        self._run = wandb.init(
            project="semgjax", id=config.hash[:16], resume="allow", dir=str(out), config=to_json(config)
        )

    def write(self, line: dict[str, Any]) -> None:
        """One row per line."""
        self._run.log(numbers(line), step=line["step"])

    def close(self) -> None:
        """Flush and finish."""
        self._run.finish()
