"""`semgjax sweep`: plan many trials, run them, look at them, collect their results."""

import json as jsonlib
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tyro.conf import Positional

from semgjax.cli.parse import run_commands
from semgjax.errors import InputError


def run(words: list[str]) -> int:
    """The command group."""
    commands: dict[str, Callable[..., Any]] = {
        "plan": plan,
        "run": run_trials,
        "status": status,
        "collect": collect,
    }
    return run_commands("sweep", commands, words)


def plan(file: Positional[Path], *, data: Path, out: Path, splits: Path | None = None) -> None:
    """Write a sweep's plan and show what each trial costs.

    Args:
        file: plan file, TOML (docs/sweep.md)
        data: folder of sessions
        out: sweep directory, new or of this same plan
        splits: split file (default: splits.json in the folder of sessions)
    """
    from semgjax.data.corpus import load_corpus
    from semgjax.sweep.plan import FILE, parameters_of, plan_sweep
    from semgjax.sweep.planfile import read_plan_file

    wanted = read_plan_file(file)
    corpus = load_corpus(data, splits)
    known = (out / FILE).exists()
    sweep = plan_sweep(wanted.name, [replace(c, data=corpus.hash) for c in wanted.configs], data, splits, out)
    parameters = {model: parameters_of(model) for model in {trial.config.model for trial in sweep.trials}}
    rows: list[tuple[str, ...]] = [("trial", "preset", "parameters", "steps", "training FLOPs")]
    for trial in sweep.trials:
        config = trial.config
        size = f"{parameters[config.model]:,}"
        rows.append((trial.id, config.preset, size, f"{config.train.steps:,}", f"{trial.flops:.3g}"))
    _print_columns(rows)
    print(f"{len(sweep.trials)} trials, {sum(trial.flops for trial in sweep.trials):.3g} FLOPs")
    print(f"{out / FILE}{' (the same plan was there already)' if known else ''}")


def run_trials(folder: Positional[Path], *, trial: str | None = None, slots: int | None = None, cores: int = 1) -> int:
    """Run the trials that are not done; the same command after a stop goes on.

    Args:
        folder: sweep directory
        trial: run just this one, here in this process: its id or its number from 0
        slots: how many trials at a time (default: as many as there are cores for)
        cores: processor cores of each trial; another number changes the last bits of the results
    """
    if trial is None:
        from semgjax.sweep.local import run_local

        outcome = run_local(folder, slots, cores, lambda line: print(line, file=sys.stderr, flush=True))
        ends = {"diverged": outcome.diverged, "failed": outcome.failed}
        print(", ".join([f"{len(outcome.done)} done", *(f"{len(v)} {k}" for k, v in ends.items() if v)]))
        return outcome.exit_code
    if slots is not None:
        raise InputError(f"--slots {slots}: has no meaning beside --trial, which runs one")
    if cores < 1:
        raise InputError(f"--cores {cores}: give 1 or more")
    from semgjax.cli.summary import print_result
    from semgjax.sweep.plan import find_trial, read_sweep
    from semgjax.sweep.trial import limit_threads, run_trial

    sweep = read_sweep(folder)
    chosen = find_trial(sweep, trial)
    limit_threads(cores)
    print_result(run_trial(sweep, chosen), sweep.run_folder(chosen))
    return 0


def status(folder: Positional[Path], *, json: bool = False) -> None:
    """Show where every trial stands.

    Args:
        folder: sweep directory
        json: print one JSON object instead of the table
    """
    from semgjax.sweep.plan import read_sweep
    from semgjax.sweep.trial import look

    sweep = read_sweep(folder)
    found = [look(sweep, trial) for trial in sweep.trials]
    rows = [
        {
            "id": row.trial.id,
            "preset": row.trial.config.preset,
            "state": row.state,
            "step": row.step,
            "steps": row.trial.config.train.steps,
            "reason": row.reason,
        }
        for row in found
    ]
    if json:
        print(jsonlib.dumps({"folder": str(folder), "name": sweep.name, "trials": rows}))
        return
    cells: list[tuple[str, ...]] = [("trial", "state", "step", "")]
    for row in found:
        cells.append((row.trial.id, row.state, row.progress, row.reason))
    _print_columns(cells)
    counts = Counter(row.state for row in found)
    print(f"{sweep.name}: " + ", ".join(f"{count} {state}" for state, count in counts.items()))


def collect(folder: Positional[Path]) -> None:
    """Write the results of the finished trials as one table, results.csv and results.jsonl.

    Args:
        folder: sweep directory
    """
    from semgjax.sweep.collect import CSV, JSONL
    from semgjax.sweep.collect import collect as write_table

    table = write_table(folder)
    for trial, state in table.unfinished.items():
        print(f"{trial} is left out: {state}", file=sys.stderr)
    runs = len({row["run"] for row in table.rows})
    print(f"{len(table.rows)} rows of {runs} runs")
    for name in (CSV, JSONL):
        print(f"  {folder / name}")


def _print_columns(rows: list[tuple[str, ...]]) -> None:
    """Print rows in columns: two to the left, then numbers to the right; one without a heading as it is."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:2], widths, strict=False)]
        numbers = zip(row[2:], widths[2:], rows[0][2:], strict=True)
        cells += [cell.rjust(width) if heading else cell for cell, width, heading in numbers]
        print("  ".join(cells).rstrip())
