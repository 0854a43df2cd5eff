"""The demo: simulate, sweep, fit, distil, export, check, report. A rerun resumes after the last finished stage.

Writes OUT/sessions, OUT/sweep, OUT/fit.json, OUT/student, OUT/scratch, OUT/export, OUT/summary.json and
OUT/report.html.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

from semgjax.data.corpus import Corpus, load_corpus
from semgjax.data.sessions import peek_sessions
from semgjax.data.simulate import simulate
from semgjax.data.splitting.splits import leave_users_out, read_split, write_split
from semgjax.demo.demo_plan import DemoPlan, claim, ladder_config, scratch_config
from semgjax.demo.stage_seconds import Clock
from semgjax.errors import SemgjaxError
from semgjax.evaluate.stitched import make_forward, session_logits
from semgjax.exporting.export_folder import load_export
from semgjax.exporting.export_run import export_run
from semgjax.files import folder_lock, read_json, write_json
from semgjax.model.encoder import count_parameters
from semgjax.pages.demo.demo_report import write_report
from semgjax.pages.demo.views import ReportInputs, RunView, heldout_cer
from semgjax.parallel.cores import use_cores
from semgjax.scaling.fit import fit_law
from semgjax.scaling.read import read_table
from semgjax.scaling.store import read_fit, write_fit
from semgjax.sweep.collect import collect
from semgjax.sweep.local import run_local
from semgjax.sweep.plan import plan_sweep
from semgjax.sweep.trial import limit_threads
from semgjax.teachers import load_teacher, student_config
from semgjax.training.loop import train
from semgjax.training.metrics import read_metrics
from semgjax.training.run_config import DistillConfig
from semgjax.training.run_folder import METRICS, load_finished, read_result

THREADS = 2  # of this process on a CPU: fixed, so that the student's last bits do not depend on the machine's cores
SLOTS = min(2, os.cpu_count() or 1)  # trials at a time, each on one core


def run_demo(plan: DemoPlan, out: Path) -> dict[str, Any]:
    """Run the remaining stages of the demo in `out`; returns the summary (summary.json).

    Raises:
        InputError: `out` holds something else, or another demo is running there.
        SemgjaxError: a stage failed; the message names it.
    """
    claim(plan, out, write=False)
    limit_threads(THREADS)
    use_cores(plan.student_batch)
    with folder_lock(out):
        claim(plan, out, write=True)
        clock = Clock(out / "seconds.json")
        sessions = out / "sessions"
        with clock.stage("simulate", f"{plan.users} users x {plan.sessions} sessions x {plan.minutes:g} min"):
            _simulate(plan, sessions)
        corpus = load_corpus(sessions)
        with clock.stage("sweep", f"{', '.join(plan.ladder)}, {plan.steps} steps each"):
            runs = _sweep(plan, corpus, sessions, out / "sweep")
        with clock.stage("fit", "a floor plus a power law through the sizes"):
            write_fit(out / "fit.json", fit_law(read_table(out / "sweep" / "results.csv", {}, {})))
        with clock.stage("distill", f"{plan.teacher} teaches {plan.student}, {plan.student_steps} steps"):
            student = _distill(plan, corpus, runs[plan.teacher], out / "student")
        with clock.stage("scratch", f"{plan.student} without a teacher, {plan.student_steps} steps"):
            train(scratch_config(plan, corpus.hash), corpus, out / "scratch")
            scratch = _view(out / "scratch")
        with clock.stage("export", "the student, loaded by a fresh process"):
            exported = _export(out / "student", out / "export", sessions, corpus)
        with clock.stage("speed", "milliseconds of compute per second of signal"):
            speeds = [_speed(runs[name]) for name in plan.ladder]
        ladder = tuple(_view(runs[name]) for name in plan.ladder)
        summary = _summary(plan, ladder, scratch, student, exported, clock.total())
        with clock.stage("report", "one page with figures"):
            inputs = ReportInputs(
                seed=plan.seed,
                simulation=read_json(sessions / "simulation.json", "semgjax/simulation", 1),
                sessions=corpus.test,
                ladder=ladder,
                teacher=ladder[-1],
                scratch=scratch,
                distilled=student,
                fit=read_fit(out / "fit.json"),
                exported=exported,
                speeds=speeds,
                seconds=clock.seconds,
                machine=f"{platform.machine()}, {os.cpu_count()} CPU cores, {jax.devices()[0].platform}",
                summary=summary,
                commands=_commands(plan),
            )
            write_report(inputs, out / "report.html")
        summary["seconds"] = clock.total()
        write_json(out / "summary.json", "semgjax/summary", 1, summary)
        return summary


def _simulate(plan: DemoPlan, sessions: Path) -> None:
    if not sessions.exists():  # atomic, by a rename
        simulate(sessions, plan.users, plan.sessions, plan.minutes, plan.seed, plan.severity)
    rows = [(name, user) for name, (_, user) in peek_sessions(sessions).items()]
    if not (sessions / "splits.json").exists():
        split = leave_users_out(rows, test_users=plan.test_users, val_share=plan.val_share, seed=plan.seed)
        write_split(sessions / "splits.json", split)


def _sweep(plan: DemoPlan, corpus: Corpus, sessions: Path, folder: Path) -> dict[str, Path]:
    """Train the ladder; returns the run directory of each size."""
    configs = [ladder_config(plan, name, corpus.hash) for name in plan.ladder]
    splits = {corpus.hash: read_split(sessions / "splits.json")}
    sweep = plan_sweep("demo", configs, sessions, splits, folder)
    outcome = run_local(folder, SLOTS, order="longest")
    for trial, reason in {**outcome.diverged, **outcome.failed}.items():
        raise SemgjaxError(f"trial {trial}: {reason}")
    collect(folder)
    return {trial.config.preset: sweep.run_folder(trial) for trial in sweep.trials}


def _distill(plan: DemoPlan, corpus: Corpus, teacher_run: Path, folder: Path) -> RunView:
    teacher = load_teacher(teacher_run)
    scratch = scratch_config(plan, corpus.hash)
    shares = DistillConfig(teacher.config.hash, plan.temperature, plan.weight, plan.key_boost)
    config = student_config(scratch, teacher, shares)
    train(config, corpus, folder, teacher=(teacher.config.model, teacher.params))
    return _view(folder)


def _export(run: Path, folder: Path, sessions: Path, corpus: Corpus) -> dict[str, Any]:
    """Export, evaluate the export in a new process, and compare the logits of one session here."""
    if not folder.exists():
        export_run(run, folder)
    command = [sys.executable, "-m", "semgjax", "evaluate", str(folder), "--data", str(sessions), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SemgjaxError(f"the export could not be evaluated by a new process: {done.stderr.strip()}")
    scores = json.loads(done.stdout)["scores"]
    config, params = load_finished(run)
    export = load_export(folder)
    forward = make_forward(config.model, config.window)
    ours, theirs = (
        session_logits(forward, config.model, p, corpus.test[0], config.window, config.train.batch)
        for p in (params, export.params)
    )
    return {
        "preset": config.preset,
        "params": export.about["params"],
        "cer": next(row["cer"] for row in scores if row["averaging"] == "macro"),
        "bytes": _bytes(folder),
        "max_logit_difference": float(np.abs(ours - theirs).max()),
    }


def _speed(run: Path) -> dict[str, Any]:
    """Time to decode the windows of `evaluate`: the median of a few batches after a warm-up."""
    config, params = load_finished(run)
    forward = make_forward(config.model, config.window)
    window, batch = config.window, config.train.batch
    emg = np.zeros((batch, window.total, config.model.channels), np.float32)
    valid = np.tile(np.array([[0, window.total]], np.int32), (batch, 1))
    times = []
    for _ in range(6):
        begun = time.perf_counter()
        jax.block_until_ready(forward(params, emg, valid))
        times.append(time.perf_counter() - begun)
    signal_seconds = batch * window.length / config.band.rate
    return {
        "preset": config.preset,
        "params": count_parameters(params),
        "bytes": sum(leaf.nbytes for leaf in jax.tree.leaves(params)),
        "ms_per_second_of_signal": 1000 * statistics.median(times[1:]) / signal_seconds,
    }


def _view(run: Path) -> RunView:
    result = read_result(run)
    assert result is not None  # the stages before this one have waited for their results
    return RunView(result["preset"], result, read_metrics(run / METRICS))


def _summary(
    plan: DemoPlan,
    ladder: tuple[RunView, ...],
    scratch: RunView,
    student: RunView,
    exported: dict[str, Any],
    seconds: float,
) -> dict[str, Any]:
    def row(run: RunView) -> dict[str, Any]:
        return {"preset": run.result["preset"], "params": run.result["params"], "cer": heldout_cer(run)}

    return {
        "seconds": seconds,
        "simulated": True,
        "seed": plan.seed,
        "ladder": [row(run) for run in ladder],
        "teacher": row(ladder[-1]),
        "scratch": row(scratch),
        "distilled": row(student),
        "exported": {name: exported[name] for name in ("preset", "params", "cer")},
    }


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _commands(plan: DemoPlan) -> tuple[tuple[str, str], ...]:
    """The equivalent command of each stage."""
    size = f"--users {plan.users} --sessions {plan.sessions} --minutes {plan.minutes:g} --seed {plan.seed}"
    split = f"--test-users {plan.test_users} --val-share {plan.val_share:g} --seed {plan.seed}"
    train = f"--train.steps {plan.steps} --train.batch {plan.batch} --train.seed {plan.seed}"
    data = "--data DEMO/sessions"
    student = (
        f"--preset {plan.student} {data} --train.steps {plan.student_steps} --train.batch {plan.student_batch} "
        f"--train.seed {plan.seed} --optimizer.learning-rate {plan.student_rate:g}"
    )
    teacher = f"--teacher runs/{plan.teacher} --temperature {plan.temperature:g} --weight {plan.weight:g}"
    boost = f"--key-boost {plan.key_boost:g}"
    return (
        ("simulate sessions", f"semgjax data simulate DEMO/sessions {size} --severity {plan.severity}"),
        ("hold out users", f"semgjax data splits DEMO/sessions {split}"),
        ("train one size", f"semgjax train --preset {plan.teacher} {data} --out runs/{plan.teacher} {train}"),
        ("train the ladder", "semgjax sweep run DEMO/sweep"),
        ("collect the table", "semgjax sweep collect DEMO/sweep"),
        ("fit the law", "semgjax scaling fit DEMO/sweep/results.csv --out fit.json --plot curve.png"),
        ("distil", f"semgjax distill {teacher} {boost} {student} --out runs/student"),
        ("the same without a teacher", f"semgjax train {student} --out runs/scratch"),
        ("export", "semgjax export runs/student --out exports/student"),
        ("evaluate the export", f"semgjax evaluate exports/student {data} --split test"),
    )
