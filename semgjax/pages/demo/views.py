"""The inputs of the demo's report, and functions that look up its numbers."""

import math
from dataclasses import dataclass
from typing import Any, TypeGuard

from semgjax.data.measure import measure_of
from semgjax.data.sessions import Session
from semgjax.measures import Measure, rate_in
from semgjax.scaling.fit import Fit


@dataclass(frozen=True)
class RunView:
    """A finished run: its name in the demo, result.json and the lines of metrics.jsonl."""

    name: str
    result: dict[str, Any]
    metrics: list[dict[str, Any]]


@dataclass(frozen=True)
class ReportInputs:
    """Everything that the report shows.

    Attributes:
        seed: of the demo.
        simulation: simulation.json of the sessions, None for sessions that were given.
        real: whether the sessions are recordings of people; False where the simulator made them.
        sessions: the sessions of the held-out users, at least one.
        ladder: the runs of all sizes, sorted by parameters; `teacher` is one of them.
        crowds: the runs of one size on few to all training users.
        distilled: the student, at the better of its learning rates.
        scratch: its size without a teacher at the better of the same rates, with as many operations.
        fit, users_fit: the laws through `ladder` and `crowds`.
        exported: {preset, params, cer, bytes, max_logit_difference} of the export, read by a fresh process.
        speeds: {preset, params, bytes, ms_per_second_of_signal} for each size that was timed.
        seconds: stage -> seconds, in the order of the stages.
        machine: description of the machine on which the speeds were measured.
        summary: summary.json.
        commands: (what it does, command line) for each stage, in order; DEMO stands for the demo's folder.
    """

    seed: int
    simulation: dict[str, Any] | None
    real: bool
    sessions: tuple[Session, ...]
    ladder: tuple[RunView, ...]
    crowds: tuple[RunView, ...]
    teacher: RunView
    scratch: RunView
    distilled: RunView
    fit: Fit
    users_fit: Fit
    exported: dict[str, Any]
    speeds: list[dict[str, Any]]
    seconds: dict[str, float]
    machine: str
    summary: dict[str, Any]
    commands: tuple[tuple[str, str], ...]

    @property
    def measure(self) -> Measure:
        """The error rate of the sessions' classes."""
        return measure_of(self.sessions[0].band)

    @property
    def trio(self) -> tuple[tuple[str, RunView], ...]:
        """The three models that the demo is about, with the names they have on every page and figure."""
        return (("teacher", self.teacher), ("distilled", self.distilled), ("from scratch", self.scratch))


def role_of(inputs: ReportInputs, run: RunView) -> str | None:
    """The name of one of `inputs.trio`, None for the other runs of the ladder."""
    return next((role for role, other in inputs.trio if _identity(other) == _identity(run)), None)


def heldout_scores(run: RunView, averaging: str) -> dict[str, Any]:
    """The greedy score row on the held-out users, {} when there is none."""
    return next((row for row in run.result.get("scores", []) if _of_test(row) and row["averaging"] == averaging), {})


def heldout_cer(run: RunView) -> float | None:
    """Error rate on the held-out users in percent, the mean over users; None when it was not measured."""
    scores = heldout_scores(run, "macro")
    return rate_in(scores) if scores else None


def user_cers(run: RunView) -> dict[str, float]:
    """Held-out user -> error rate in percent; users without a key are left out."""
    rows = [row for row in run.result.get("users_scores", []) if _of_test(row)]
    return {row["user"]: rate for row in rows if is_number(rate := rate_in(row))}


def validation_points(run: RunView) -> list[tuple[int, float]]:
    """(step, pooled error rate in percent) of the validations while training, and of the end."""
    points = [(line["step"], rate_in(line)) for line in run.metrics if line.get("split") == "val"]
    points.append((run.result["steps"], validation_cer(run)))
    return [(step, cer) for step, cer in points if is_number(cer)]


def validation_cer(run: RunView) -> float | None:
    """Pooled error rate in percent on the validation sessions at the end of training; None without such sessions."""
    rows = [row for row in run.result.get("scores", []) if row["split"] == "val" and row["averaging"] == "pooled"]
    return next((rate for row in rows if is_number(rate := rate_in(row))), None)


def is_number(value: Any) -> TypeGuard[float]:
    """True of a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def _identity(run: RunView) -> tuple[str, str, int]:
    # The student, its size from scratch and that size in the ladder have one name.
    return run.name, run.result["kind"], run.result["steps"]


def _of_test(row: dict[str, Any]) -> bool:
    return row["split"] == "test" and row["decoder"] == "greedy"
