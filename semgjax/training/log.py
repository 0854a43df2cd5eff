"""The sums of steps: fetched from the device once per log interval, checked, written as one metrics line."""

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from semgjax.errors import Diverged
from semgjax.model.config import Network
from semgjax.model.flops import train_flops
from semgjax.parallel.hardware import peak_flops
from semgjax.training.clock import Clock
from semgjax.training.criterion import Sums, line_metrics, loss_totals
from semgjax.training.memory import peak_bytes
from semgjax.training.optimizer import schedule
from semgjax.training.run_config import RunConfig
from semgjax.training.tracker import Writer

SPEED = (
    "windows_per_s",
    "signal_hours_per_s",
    "model_flops_per_s",
    "utilisation",
    "productive_share",
    "host_bytes",
    "device_bytes",
)
"""members of a line that depend on the machine; all others depend on the configuration only"""
_SPIKE, _SPIKE_LINES = 2.0, 20


class Log:
    """Collects the sums of steps and turns them into lines of metrics.jsonl.

    A line is fetched one step after its last one was started: the device never waits for it.

    Args:
        before: lines of the run so far, against which a loss counts as a spike.
        about: describes a step's batch, for the message of a run that diverged.
        lane: the run's index in the sums of a pack; None for a run of its own.
    """

    def __init__(
        self,
        config: RunConfig,
        metrics: Writer,
        clock: Clock | None = None,
        teachers: Sequence[Network] = (),
        before: Sequence[dict[str, Any]] = (),
        about: Callable[[int], str] = lambda step: "look at that batch",
        lane: int | None = None,
    ) -> None:
        self._config, self._metrics, self._about, self._lane = config, metrics, about, lane
        self._clock = clock or Clock()
        self._schedule = schedule(config.optimizer, config.train.steps, config.train.batch)
        self._flops = train_flops(config.model, config.window.total, teachers)
        self._losses = [line["loss"] for line in before if "loss" in line][-_SPIKE_LINES:]
        self._pending: list[Sums] = []

    def add(self, sums: Sums, step: int) -> dict[str, Any] | None:
        """Take the sums of the step that was started as number `step`; returns the line before it when one was due.

        Raises:
            Diverged: loss or gradient is not finite, or the loss reports a problem.
        """
        due = (step - 1) % self._config.train.log_every == 0
        line = self.flush(step - 1) if due else None
        self._pending.append(sums)
        return line

    def flush(self, step: int) -> dict[str, Any] | None:
        """Write what is pending, up to `step`, as one line; None when nothing is.

        Raises:
            Diverged: see `add`.
        """
        if not self._pending:
            return None
        fetched = jax.device_get(self._pending)
        if self._lane is not None:
            fetched = [{name: values[self._lane] for name, values in sums.items()} for sums in fetched]
        first = step - len(fetched) + 1
        total = {name: _total([sums[name] for sums in fetched]) for name in fetched[0]}
        self._check(fetched, total, first, step)
        loss = total["loss"] / len(fetched)
        usual = statistics.median(self._losses) if self._losses else math.inf
        line = {
            "step": step,
            "loss": loss,
            **line_metrics(self._config, total, len(fetched)),
            **{name: total[name] / len(fetched) for name in total if name.endswith("_norm")},
            "spikes": sum(float(sums["loss"]) > _SPIKE * usual for sums in fetched),
            "learning_rate": float(self._schedule(step - 1)),
            **self._speed(len(fetched) * self._config.train.batch),
        }
        self._losses = [*self._losses, loss][-_SPIKE_LINES:]
        self._metrics.write(line)
        self._pending = []
        return line

    def _check(self, fetched: list[Any], total: dict[str, Any], first: int, step: int) -> None:
        for number, sums in enumerate(fetched, start=first):
            if not (math.isfinite(sums["loss"]) and math.isfinite(sums["gradient_norm"])):
                raise Diverged(
                    f"step {number}: loss {sums['loss']}, gradient norm {sums['gradient_norm']}; the last checkpoint "
                    f"before it is kept; lower optimizer.learning_rate {self._config.optimizer.learning_rate:g} or "
                    f"{self._about(number)}"
                )
        problem = self._config.loss.problem(loss_totals(total), self._config.train)
        if problem is not None:
            raise Diverged(f"steps {first} to {step}: {problem}")

    def _speed(self, windows: float) -> dict[str, float]:
        """What the machine did in this lap (see SPEED); utilisation is that of all devices' bfloat16 peak."""
        rate = windows / self._clock.lap()
        device = jax.local_devices()[0]
        peak = peak_flops(device.device_kind)
        most = (device.memory_stats() or {}).get("peak_bytes_in_use")
        # The system counts it in kilobytes, macOS in bytes.
        flops = rate * self._flops
        return {
            "windows_per_s": rate,
            "signal_hours_per_s": rate * self._config.window.length / self._config.band.rate / 3600,
            "model_flops_per_s": flops,
            **({} if peak is None else {"utilisation": flops / (peak * jax.device_count())}),
            "productive_share": self._clock.share,
            "host_bytes": peak_bytes(),
            **({} if most is None else {"device_bytes": most}),
        }


def _total(values: Sequence[Any]) -> Any:
    """The sum over steps: of an array's elements one by one."""
    return np.sum(values, axis=0, dtype=np.float64) if np.ndim(values[0]) else float(sum(values))
