"""The loop's running sums: fetched from the device once per log interval, checked, written as one metrics line."""

import math
import time
from typing import Any

import jax

from semgjax.errors import Diverged
from semgjax.train.config import RunConfig
from semgjax.train.metrics import MetricsFile
from semgjax.train.optimizer import schedule
from semgjax.train.step import Sums


class Log:
    """Collects the sums of steps and turns them into lines of metrics.jsonl.

    Fetching only now and then lets the device run ahead; a run of sums is never longer than the log interval.
    """

    def __init__(self, config: RunConfig, metrics: MetricsFile) -> None:
        self._config, self._metrics = config, metrics
        self._schedule = schedule(config.optimizer, config.train.steps)
        self._pending: list[Sums] = []
        self._since = time.monotonic()

    def add(self, sums: Sums, step: int) -> dict[str, Any] | None:
        """Take the sums of the step that ended as number `step`; returns a line when one is due.

        Raises:
            Diverged: loss or gradient is not finite, or too many windows cannot be aligned.
        """
        self._pending.append(sums)
        train = self._config.train
        return self.flush(step) if step % train.log_every == 0 or step == train.steps else None

    def flush(self, step: int) -> dict[str, Any] | None:
        """Write what is pending as one line; None when nothing is."""
        if not self._pending:
            return None
        fetched = jax.device_get(self._pending)
        first = step - len(fetched) + 1
        for number, sums in enumerate(fetched, start=first):
            if not (math.isfinite(sums["loss"]) and math.isfinite(sums["gradient_norm"])):
                raise Diverged(
                    f"step {number}: loss {sums['loss']}, gradient norm {sums['gradient_norm']}; the last checkpoint "
                    f"before it is kept; lower optimizer.learning_rate {self._config.optimizer.learning_rate:g} or "
                    "look at that batch"
                )
        total = {name: float(sum(sums[name] for sums in fetched)) for name in fetched[0]}
        infeasible = total["infeasible"] / total["rows"]
        if infeasible > self._config.train.max_infeasible:
            raise Diverged(
                f"steps {first} to {step}: {infeasible:.1%} of the windows have more labels than frames "
                f"(limit {self._config.train.max_infeasible:.1%}); use a model with shorter frames"
            )
        seconds = time.monotonic() - self._since
        line = {
            "step": step,
            "loss": total["loss"] / len(fetched),
            "ctc": total["ctc"] / max(total["labels"], 1.0),
            **({"kl": total["kl"] / len(fetched)} if "kl" in total else {}),
            "gradient_norm": total["gradient_norm"] / len(fetched),
            "learning_rate": float(self._schedule(step - 1)),
            "infeasible": infeasible,
            "windows_per_s": total["rows"] / seconds,
        }
        self._metrics.write(line)
        self._pending, self._since = [], time.monotonic()
        return line
