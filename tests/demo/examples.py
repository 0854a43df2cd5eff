"""Small inputs of the demo's report, made by hand: three sizes, a student, three held-out users."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.data.sessions import open_session
from semgjax.evaluate.error_rates import Counts, score_rows
from semgjax.pages.demo.views import ReportInputs, RunView, heldout_cer
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import law_named
from semgjax.scaling.table import Table
from tests.data.fixtures import typed, write_session

USERS = ("user003", "user007", "user011")


def run(preset: str, params: int, errors: int, kind: str = "supervised", users=USERS, steps: int = 60) -> RunView:
    """A finished run with `errors` errors in 400 keys of the first user, 20 more in each next user's."""
    counts = {user: Counts(400, errors + 20 * i - 30, 20, 10) for i, user in enumerate(users)}
    test, by_user = score_rows("test", "greedy", counts)
    val, _ = score_rows("val", "greedy", {"user001": Counts(300, errors // 2, 0, 0)})
    result: dict[str, Any] = {
        "kind": kind, "preset": preset, "params": params, "users": 9, "hours": 0.45, "epochs": 7.25,
        "steps": steps, "tokens": 96000, "flops": 4.2e9 * params, "seed": 5, "teacher": None, "seconds": 31.4,
        "left_blank_at": None if errors > 370 else 20,
        "scores": val + test, "users_scores": by_user,
    }  # fmt: skip
    metrics: list[dict[str, Any]] = [
        {"step": step, "loss": 9.0, "ctc": 3.0 / (1 + step / 20) + params / 1e7} for step in range(20, steps + 1, 20)
    ]
    if kind == "distilled":
        shown = {"kl_spikes": 0.41, "kl_blanks": 0.02, "confidence": 0.875, "overconfidence": 0.05}
        metrics[-1] |= {"agreement": 0.825, **shown, "offsets": [0] * 6 + [2, 5, 60, 20, *[1] * 7], "unmatched": 16}
    metrics.insert(1, {"step": 20, "split": "val", "averaging": "pooled", "cer": 88.5})
    return RunView(preset, result, metrics)


def crowd(view: RunView, users: int) -> RunView:
    """The run with another number of training users."""
    return replace(view, result={**view.result, "users": users, "hours": 0.05 * users})


def example(folder: Path) -> ReportInputs:
    """Inputs of a whole report; writes one session file to `folder`."""
    session = write_session(folder / "s.hdf5", 14_000, name="session-01", user="user003", keystrokes=typed("a b$c" * 5))
    sizes = (("ladder-16", 21_043, 371), ("ladder-32", 84_035, 322), ("ladder-48", 161_443, 201))
    ladder = (*(run(*size) for size in sizes), run("ladder-96", 812_003, 47))
    crowds = tuple(crowd(run("ladder-48", 161_443, errors), users) for users, errors in ((3, 352), (6, 270), (12, 201)))
    params = np.array([view.result["params"] for view in ladder], np.float64)
    cers = np.array([heldout_cer(view) for view in ladder], np.float64)
    return ReportInputs(
        seed=5,
        simulation={"seed": 5, "users": 12, "sessions": 2, "minutes": 1.5, "severity": "mild", "people": "varied"},
        real=False,
        sessions=(open_session(session),),
        ladder=ladder,
        crowds=crowds,
        teacher=ladder[3],
        scratch=run("ladder-32", 84_035, 322, steps=40),
        distilled=run("ladder-32", 84_035, 59, "distilled", steps=40),
        fit=fit_law(Table({"N": params}, cers, "%", "cer", {"N": "params"}, "results.csv")),
        users_fit=fit_law(
            Table(
                {"U": np.array([view.result["users"] for view in crowds], np.float64)},
                np.array([heldout_cer(view) for view in crowds], np.float64),
                "%",
                "cer",
                {"U": "users"},
                "results.csv",
            ),
            law_named("power", ("U",)),
        ),
        exported={
            "preset": "ladder-32",
            "params": 84_035,
            "cer": 19.75,
            "bytes": 361_234,
            "max_logit_difference": 0.0,
        },
        speeds=[
            {
                "preset": view.result["preset"],
                "params": view.result["params"],
                "bytes": 4 * view.result["params"] + 9_000,
                "ms_per_second_of_signal": 1.75 + view.result["params"] / 1e5,
            }
            for view in ladder
        ],
        seconds={"simulate": 21.3, "sweep": 312.0, "distill": 77.9},
        machine="a machine with 2 cores",
        summary={"seconds": 411.2, "simulated": True},
        commands=(("make the sessions", "semgjax data simulate DEMO/sessions --seed 5"),),
    )


def with_rate(view: RunView, cer: float | None) -> RunView:
    """The run with another CER, mean over the held-out users."""
    rows = [
        {**row, "cer": cer} if row["split"] == "test" and row["averaging"] == "macro" else row
        for row in view.result["scores"]
    ]
    return replace(view, result={**view.result, "scores": rows})
