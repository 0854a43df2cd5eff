"""`semgjax sweep`: plan many trials, run them, show their state, collect their results."""

import json as jsonlib
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

from semgjax.cli.parse import run_commands
from semgjax.cli.terminal import say, say_columns
from semgjax.errors import InputError, SemgjaxError

if TYPE_CHECKING:
    from semgjax.sweep.engines import RunOptions
    from semgjax.sweep.runner import Outcome


def run(words: list[str]) -> int:
    """The command group."""
    commands: dict[str, Callable[..., Any]] = {
        "plan": plan,
        "plans": plans,
        "run": run_trials,
        "status": status,
        "collect": collect,
    }
    return run_commands("sweep", commands, words)


def plan(
    file: Positional[str],
    *,
    data: Path,
    out: Path,
    splits: Path | None = None,
    machine: str | None = None,
    utilisation: float | None = None,
    price: float | None = None,
    budget: float | None = None,
    budget_hours: float | None = None,
) -> None:
    """Write a sweep's plan and print the cost of each trial.

    Args:
        file: plan file, TOML (docs/guides/sweeps.md), or the name of a shipped plan (semgjax sweep plans)
        data: folder of sessions
        out: sweep directory, new or of this same plan
        splits: split file (default: splits.json in the folder of sessions)
        machine: type of device for the cost: v4, v5e, v5p, v6e, a100, h100, h200, cpu-core
        utilisation: share of the device's peak that training reaches (default: the table's)
        price: price of one device for one hour, in any currency
        budget: refuse a sweep that costs more
        budget_hours: refuse a sweep that takes more device-hours
    """
    from semgjax.cli.plan_table import print_plan, print_rungs
    from semgjax.sweep.plan import FILE, flops_of, plan_sweep, trials_of
    from semgjax.sweep.planfile import find_plan, read_plan_file
    from semgjax.sweep.rate_rungs import rungs_of
    from semgjax.sweep.resolve import resolve
    from semgjax.sweep.trial_cost import check_budget, chosen_rate

    rate = chosen_rate(machine, utilisation, price, budget, budget_hours)
    wanted = read_plan_file(find_plan(file))
    resolved = resolve(wanted, data, splits)
    known = (out / FILE).exists()
    if rate is not None:
        flops = sum(trial.flops for trial in trials_of(resolved.configs))
        if resolved.search is not None:
            flops = sum(flops_of(rung)[1] for rung in rungs_of(resolved.configs, resolved.search))
        check_budget(flops, rate, budget, budget_hours)
    sweep = plan_sweep(wanted.name, resolved.configs, data, resolved.splits, out, resolved.search, resolved.forecast)
    if sweep.rungs:
        print_rungs(sweep, resolved, rate, known)
    else:
        print_plan(sweep, resolved.subsets, rate, known)


def plans() -> None:
    """List the plans that come with semgjax."""
    from semgjax.sweep.planfile import shipped_plans

    rows: list[tuple[str, ...]] = [
        (name, path.read_text().partition("\n")[0].lstrip("# ")) for name, path in shipped_plans().items()
    ]
    say_columns(rows)


def run_trials(
    folder: Positional[Path],
    *,
    trial: str | None = None,
    engine: Literal["local", "slurm", "ray"] = "local",
    slots: int | None = None,
    cores: int = 1,
    gpus: str | None = None,
    chips: str | None = None,
    order: Literal["cheapest", "longest"] = "cheapest",
    retries: int = 2,
    pack: int = 1,
    share: str | None = None,
    data: Path | None = None,
    start: Literal["auto", "one", "tpu"] = "auto",
    address: str | None = None,
    resources: str | None = None,
    sbatch: str = "",
    show: Annotated[bool, arg(name="print")] = False,
) -> int:
    """Run the unfinished trials; the same command after a stop resumes.

    Args:
        folder: sweep directory
        trial: run only this trial, in this process: its id or its number from 0; several, comma-separated, as a pack
        engine: where trials run: as processes on this machine, as a Slurm job array, or as tasks of a Ray cluster
        slots: number of trials at a time (default: as the cores allow)
        cores: processor cores per trial; another number changes the last bits of the results
        gpus: local: GPUs to use, one trial on each, such as 0,1,2,3
        chips: local: TPU chips to use, one trial on each, such as 0,1,2,3
        order: local, ray: which trials start first
        retries: how often a failed trial is retried
        pack: local: how many trials that differ only in seed, learning rate, weight decay or data train in one step
        share: local: run only the trials of worker I of N, such as 0/4
        data: folder of sessions, if it differs from the plan's
        start: with --trial: its processes: from the environment (auto), only this one, or the hosts of a TPU VM
        address: ray: address of the cluster, such as auto (default: start Ray on this machine)
        resources: ray: resources of a trial besides cores, such as GPU=1
        sbatch: slurm: options for sbatch in one word: --sbatch="--partition=gpu --gpus-per-task=1 --time=08:00:00"
        show: slurm: print the job scripts without submitting them
    """
    from semgjax.sweep.engines import RunOptions, run_sweep, slurm_jobs, slurm_scripts

    options = RunOptions(
        trial, engine, slots, cores, gpus, chips, order, retries, pack, None if share is None else _share(share), data,
        start, address, None if resources is None else _resources(resources), sbatch, show,
    )  # fmt: skip
    if trial is not None:
        return _run_chosen(folder, options)
    if show:
        print("\n".join(slurm_scripts(folder, options)), end="")
        return 0
    if engine == "slurm":
        jobs = slurm_jobs(folder, options, say)
        status = f"semgjax sweep status {shlex.quote(str(folder))}"
        say(f"{len(jobs)} jobs; see them with: {status}" if jobs else "all trials are done")
        return 0
    from semgjax.cli.sweep_live import live_report

    with live_report(folder) as (report, tick):
        outcome = run_sweep(folder, options, report, tick)
    return _print_outcome(outcome)


def _run_chosen(folder: Path, options: "RunOptions") -> int:
    from semgjax.cli.summary import print_result
    from semgjax.parallel.runtime import is_first
    from semgjax.sweep.engines import run_chosen
    from semgjax.sweep.pack import exit_code

    sweep, endings = run_chosen(folder, options)
    for trial, end in endings:
        if isinstance(end, SemgjaxError):
            say(f"semgjax: error: {trial.id}: {end}", error=True)
        elif is_first():
            print_result(end, sweep.run_folder(trial))
    return exit_code([end for _, end in endings])


def _share(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if match is None:
        raise InputError(f"--share {text}: write I/N, such as 0/4 for the first of four workers", "bad-option")
    return int(match[1]), int(match[2])


def _resources(text: str) -> dict[str, float]:
    found = {}
    for pair in text.split(","):
        match = re.fullmatch(r"\s*([A-Za-z][\w:-]*)=([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*", pair)
        if match is None:
            raise InputError(f"--resources {text}: write NAME=AMOUNT, such as GPU=1", "bad-option")
        found[match[1]] = float(match[2])
    return found


def _print_outcome(outcome: "Outcome") -> int:
    ends = {
        "diverged": outcome.diverged,
        "failed": outcome.failed,
        "diverged at rates tried": outcome.probed,
        "held for a forecast": outcome.held,
    }
    print(", ".join([f"{len(outcome.done)} done", *(f"{len(v)} {k}" for k, v in ends.items() if v)]))
    return outcome.exit_code


def status(folder: Positional[str], *, json: bool = False, live: bool = False) -> None:
    """Show the state of every trial.

    Args:
        folder: sweep directory, or its address (gs://...)
        json: print one JSON object instead of the table
        live: update the table every few seconds until no trial is running or waiting; Ctrl-C ends only the display
    """
    from semgjax.sweep.at_address import local_view
    from semgjax.sweep.grow import states_of
    from semgjax.sweep.plan import read_sweep
    from semgjax.sweep.status import json_of, rows_of, rung_lines, rungs_json, summary_of, table_of

    if live:
        from semgjax.cli.sweep_live import watch

        if json:
            raise InputError("--json and --live: choose one", "conflict")
        watch(folder)
        return
    with local_view(folder) as place:
        sweep = read_sweep(place)
        rows, rungs = rows_of(sweep), states_of(sweep)
    if json:
        searched = {"rungs": rungs_json(rungs)} if sweep.rungs else {}
        print(jsonlib.dumps({"folder": folder, "name": sweep.name, "trials": json_of(rows), **searched}))
        return
    say_columns(table_of(rows))
    for line in rung_lines(rungs):
        say(line)
    say(summary_of(sweep, rows))


def collect(folder: Positional[str]) -> None:
    """Write the results of the finished trials as one table: results.csv, results.jsonl and their schema.

    Args:
        folder: sweep directory, or its address (gs://...)
    """
    from semgjax.sweep.at_address import local_view
    from semgjax.sweep.collect import CSV, JSONL, SCHEMA
    from semgjax.sweep.collect import collect as write_table
    from semgjax.sweep.grow import states_of
    from semgjax.sweep.plan import read_sweep
    from semgjax.sweep.status import rung_lines

    names = (CSV, JSONL, SCHEMA)
    with local_view(folder, written=names) as place:
        table, rungs = write_table(place), states_of(read_sweep(place))
    for trial, state in table.unfinished.items():
        say(f"{trial} is not included: {state}", error=True)
    runs = len({row["run"] for row in table.rows})
    print(f"{len(table.rows)} rows of {runs} runs")
    for line in rung_lines(rungs):
        say(line)
    for name in names:
        say(f"  {folder.rstrip('/')}/{name}")
