"""Remake the table that the studies read: simulate varied people, run the plan cpu-star, collect, run the studies.

    .venv/bin/python -m analysis.remake_star --out out/star

A stopped call resumes. Writes analysis/data/star.csv and the figures of the studies under OUT/studies.
"""

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from analysis import command
from analysis.compute_optimal import compute_optimal
from analysis.distillation_table import distillation_table
from analysis.next_runs import next_runs
from analysis.report import report
from analysis.size_scaling import size_scaling
from analysis.study import STAR, Study
from analysis.users_hours import users_hours
from semgjax.data.simulate import simulate
from semgjax.data.splitting.inventory import list_folder
from semgjax.data.splitting.splits import leave_users_out, write_split
from semgjax.errors import SemgjaxError
from semgjax.sweep.collect import collect
from semgjax.sweep.local import run_local
from semgjax.sweep.plan import plan_sweep
from semgjax.sweep.planfile import find_plan, read_plan_file
from semgjax.sweep.resolve import resolve

USERS, SESSIONS, MINUTES, TEST_USERS, VAL_SHARE, SEED = 40, 10, 0.75, 8, 0.1, 0
STUDIES: tuple[Callable[[Study], Path], ...] = (
    size_scaling,
    users_hours,
    distillation_table,
    compute_optimal,
    next_runs,
    report,
)


@dataclass(frozen=True)
class Options:
    """Where sessions, sweep and figures go, and which table is replaced."""

    out: Annotated[Path, tyro.conf.arg(help="folder of sessions, sweep and studies")] = Path("out/star")
    table: Annotated[Path, tyro.conf.arg(help="table that is written")] = STAR
    slots: Annotated[int, tyro.conf.arg(help="trials at a time, a core each")] = min(2, os.cpu_count() or 1)


def remake(options: Options) -> str:
    """Make the table; the places of the studies' results, one a line."""
    sessions, sweep = options.out / "sessions", options.out / "sweep"
    if not sessions.exists():  # written whole, by a rename
        simulate(sessions, USERS, SESSIONS, MINUTES, SEED, people="varied")
    split = leave_users_out([(row.session, row.user) for row in list_folder(sessions)], TEST_USERS, VAL_SHARE, SEED)
    write_split(sessions / "splits.json", split)
    made = resolve(read_plan_file(find_plan("cpu-star")), sessions, sessions / "splits.json")
    plan_sweep("cpu-star", made.configs, sessions, made.splits, sweep)
    outcome = run_local(sweep, options.slots, report=lambda line: print(line, file=sys.stderr, flush=True))
    for trial, reason in {**outcome.diverged, **outcome.failed}.items():
        raise SemgjaxError(f"trial {trial}: {reason}")
    collect(sweep)
    options.table.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(sweep / "results.csv", options.table)
    study = Study(options.table, options.out / "studies")
    return "\n".join(str(one(study)) for one in STUDIES)


if __name__ == "__main__":
    command.run(remake, Options, __doc__)
