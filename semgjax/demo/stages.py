"""The demo: simulate, sweep, fit, export, check, report. A rerun resumes after the last finished stage.

Writes OUT/sessions (unless it is pointed at sessions), OUT/sweep, OUT/fit.json, OUT/users_fit.json, OUT/export,
OUT/summary.json and OUT/report.html.
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
from semgjax.data.measure import measure_of
from semgjax.data.simulate import simulate
from semgjax.data.simulate.session_names import signals_of
from semgjax.data.splitting.inventory import list_folder, recordings_of
from semgjax.data.splitting.origins import with_orders
from semgjax.data.splitting.splits import leave_users_out, read_split, write_split
from semgjax.demo.demo_laws import fit_laws, law_summary
from semgjax.demo.demo_plan import DemoPlan, claim
from semgjax.demo.demo_trials import DemoTrials, make_trials
from semgjax.demo.stage_seconds import Clock
from semgjax.errors import InputError, SemgjaxError
from semgjax.evaluate.stitched import make_forward, session_logits
from semgjax.exporting.export_folder import load_export
from semgjax.exporting.export_run import export_run
from semgjax.files import folder_lock, read_json, write_json
from semgjax.measures import rate_in
from semgjax.model.encoder import count_parameters
from semgjax.pages.demo.demo_report import write_report
from semgjax.pages.demo.views import ReportInputs, RunView, heldout_cer, validation_cer
from semgjax.parallel.cores import use_cores
from semgjax.scaling.store import write_fit
from semgjax.sweep.collect import collect
from semgjax.sweep.local import run_local
from semgjax.sweep.plan import plan_sweep, read_sweep
from semgjax.sweep.trial import limit_threads
from semgjax.training.metrics import read_metrics
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import METRICS, load_finished, read_result

THREADS = 2  # of this process on a CPU: fixed, so that last bits do not depend on the machine's cores
SLOTS = min(2, os.cpu_count() or 1)  # trials at a time, a core each: packs of these sizes take longer (docs/log.md)


def run_demo(plan: DemoPlan, out: Path) -> dict[str, Any]:
    """Run the remaining stages of the demo in `out`; returns the summary (summary.json).

    Raises:
        InputError: `out` holds something else, another demo is running there, or the given sessions do not do.
        SemgjaxError: a stage failed; the message names it.
    """
    claim(plan, out, write=False)
    limit_threads(THREADS)
    use_cores(plan.batch)
    with folder_lock(out):
        claim(plan, out, write=True)
        clock = Clock(out / "seconds.json")
        sessions = out / "sessions" if plan.data is None else Path(plan.data)
        with clock.stage("sessions", _what(plan)):
            simulation = _simulate(plan, sessions) if plan.data is None else None
            split_file = _split(plan, sessions, (sessions if plan.data is None else out) / "splits.json")
            corpus = load_corpus(sessions, split_file)
            trials = make_trials(plan, corpus, sessions, split_file)
        with clock.stage("sweep", f"{len(trials.all)} runs: sizes, users, students and the same without a teacher"):
            runs = _sweep(trials, sessions, out / "sweep")
        ladder = tuple(_view(runs[config.hash]) for config in trials.ladder)
        crowds = tuple(_view(runs[config.hash]) for config in trials.crowds.values())
        best = {"distilled": _best(trials.students, runs), "scratch": _best(trials.scratch, runs)}
        student, scratch = (_view(runs[best[name].hash]) for name in ("distilled", "scratch"))
        with clock.stage("fit", "a power law through the sizes, another through the users"):
            laws = fit_laws(out / "sweep" / "results.csv", read_sweep(out / "sweep"), trials)
            write_fit(out / "fit.json", laws["size"])
            write_fit(out / "users_fit.json", laws["users"])
        with clock.stage("export", "the student, loaded by a fresh process"):
            exported = _export(runs[best["distilled"].hash], out / "export", sessions, split_file, corpus)
        with clock.stage("speed", "milliseconds of compute per second of signal"):
            speeds = [_speed(runs[config.hash]) for config in trials.ladder]
        real, measure = signals_of((*corpus.train, *corpus.val, *corpus.test)) != "simulated", measure_of(corpus.band)
        summary = {
            "seconds": clock.total(),
            "simulated": not real,
            "real": real,
            "people": plan.people if plan.data is None else None,
            "seed": plan.seed,
            "ladder": [_row(run) for run in ladder],
            "users_axis": [{"users": run.result["users"], measure.name: heldout_cer(run)} for run in crowds],
            "laws": {name: law_summary(fit) for name, fit in laws.items()},
            "teacher": _row(ladder[-1]),
            "scratch": _row(scratch),
            "distilled": _row(student),
            "exported": {name: exported[name] for name in ("preset", "params", measure.name)},
        }
        with clock.stage("report", "one page with figures"):
            inputs = ReportInputs(
                seed=plan.seed,
                simulation=simulation,
                real=real,
                sessions=corpus.test,
                ladder=ladder,
                crowds=crowds,
                teacher=ladder[-1],
                scratch=scratch,
                distilled=student,
                fit=laws["size"],
                users_fit=laws["users"],
                exported=exported,
                speeds=speeds,
                seconds=clock.seconds,
                machine=f"{platform.machine()}, {os.cpu_count()} CPU cores, {jax.devices()[0].platform}",
                summary=summary,
                commands=_commands(plan, trials, best),
            )
            write_report(inputs, out / "report.html")
        summary["seconds"] = clock.total()
        write_json(out / "summary.json", "semgjax/summary", 1, summary)
        return summary


def _what(plan: DemoPlan) -> str:
    if plan.data is not None:
        return f"those of {plan.data}"
    return f"{plan.users} {plan.people} users x {plan.sessions} sessions x {plan.minutes:g} min"


def _simulate(plan: DemoPlan, sessions: Path) -> dict[str, Any]:
    """Simulate the sessions unless they are there; simulation.json."""
    if not sessions.exists():  # atomic, by a rename
        simulate(sessions, plan.users, plan.sessions, plan.minutes, plan.seed, plan.severity, plan.people)
    return read_json(sessions / "simulation.json", "semgjax/simulation", 1)


def _split(plan: DemoPlan, sessions: Path, split_file: Path) -> Path:
    """The split of the demo: that of given sessions where they have one with test users, else users held out here."""
    if split_file.exists():
        return split_file
    given = sessions / "splits.json"
    if given.exists():
        split = read_split(given)
        if not split.test:
            raise InputError(f"{given}: no test sessions; write a split with: semgjax data splits", "no-sessions")
    else:
        known = list_folder(sessions)
        rows = [(row.session, row.user) for row in recordings_of(known)]
        held = plan.test_users
        if plan.data is not None:
            held = max(1, min(held, len({user for _, user in rows}) // 4))
        split = leave_users_out(rows, test_users=held, val_share=plan.val_share, seed=plan.seed)
        split = with_orders(split, [(row.session, row.recording) for row in known])
    write_split(split_file, split)
    return split_file


def _sweep(trials: DemoTrials, sessions: Path, folder: Path) -> dict[str, Path]:
    """Train everything; hash of a configuration -> its run directory."""
    sweep = plan_sweep("demo", trials.all, sessions, trials.splits, folder)
    outcome = run_local(folder, SLOTS, order="longest")
    for trial, reason in {**outcome.diverged, **outcome.failed}.items():
        raise SemgjaxError(f"trial {trial}: {reason}")
    collect(folder)
    return {trial.config.hash: sweep.run_folder(trial) for trial in sweep.trials}


def _best(configs: tuple[RunConfig, ...], runs: dict[str, Path]) -> RunConfig:
    """The one whose run has the lowest error on the validation sessions; without any, the first."""
    rates = [validation_cer(_view(runs[config.hash])) for config in configs]
    known = [(rate, place) for place, rate in enumerate(rates) if rate is not None]
    return configs[min(known)[1]] if known else configs[0]


def _export(run: Path, folder: Path, sessions: Path, split_file: Path, corpus: Corpus) -> dict[str, Any]:
    """Export, evaluate the export in a new process, and compare the logits of one session here."""
    if not folder.exists():
        export_run(run, folder)
    place = ["--data", str(sessions), "--splits", str(split_file)]
    command = [sys.executable, "-m", "semgjax", "evaluate", str(folder), *place, "--json"]
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
        corpus.band.metric: next(rate_in(row) for row in scores if row["averaging"] == "macro"),
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


def _row(run: RunView) -> dict[str, Any]:
    rate = {run.result.get("metric", "cer"): heldout_cer(run)}
    return {"preset": run.result["preset"], "params": run.result["params"], **rate}


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _commands(plan: DemoPlan, trials: DemoTrials, best: dict[str, RunConfig]) -> tuple[tuple[str, str], ...]:
    """The equivalent command of each stage."""
    data, made, split_out = "--data DEMO/sessions", "DEMO/sessions", ""
    if plan.data is not None:
        data, made, split_out = f"--data {plan.data} --splits DEMO/splits.json", plan.data, " --out DEMO/splits.json"
    size = f"--users {plan.users} --sessions {plan.sessions} --minutes {plan.minutes:g} --seed {plan.seed}"
    simulated = f"semgjax data simulate {made} {size} --severity {plan.severity} --people {plan.people}"
    held = f"--test-users {plan.test_users} --val-share {plan.val_share:g} --seed {plan.seed}"
    fit = f"semgjax scaling fit DEMO/sweep/results.csv --law power --where kind=supervised steps={plan.steps}"
    shares = f"--temperature {plan.temperature:g} --weight {plan.weight:g} --key-boost {plan.key_boost:g}"
    teacher = f"runs/{trials.ladder[-1].preset}"
    student = f"--preset {best['distilled'].preset} {data}"
    return (
        *((("simulate people", simulated),) if plan.data is None else ()),
        ("hold out users", f"semgjax data splits {made} {held}{split_out}"),
        (
            "train one size",
            f"semgjax train --preset {trials.ladder[-1].preset} {data} --out {teacher} {_words(trials.ladder[-1])}",
        ),
        ("train everything, students included", "semgjax sweep run DEMO/sweep"),
        ("collect the table", "semgjax sweep collect DEMO/sweep"),
        ("fit the law of sizes", f"{fit} users={max(trials.crowds)} --out fit.json --plot sizes.png"),
        (
            "fit the law of users",
            f"{fit} preset={trials.crowds[max(trials.crowds)].preset} --map U=users --out users_fit.json",
        ),
        (
            "distil",
            f"semgjax distill --teacher {teacher} {shares} {student} --out runs/student {_words(best['distilled'])}",
        ),
        ("the same without a teacher", f"semgjax train {student} --out runs/scratch {_words(best['scratch'])}"),
        ("export", "semgjax export runs/student --out exports/student"),
        ("evaluate the export", f"semgjax evaluate exports/student {data} --split test"),
    )


def _words(config: RunConfig) -> str:
    """The options that the recipe of a run's preset does not give."""
    train = f"--train.steps {config.train.steps} --train.batch {config.train.batch} --train.seed {config.train.seed}"
    return f"{train} --optimizer.learning-rate {config.optimizer.learning_rate:.6g}"
