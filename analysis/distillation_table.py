"""Students with a teacher against the same sizes alone, paired over seeds and users; writes distillation_table.md."""

from pathlib import Path

import numpy as np

from analysis.study import Study, centre, markdown, run, write_study
from semgjax.errors import InputError
from semgjax.scaling.bootstrap import draw_interval
from semgjax.scaling.decide.decision import number, span
from semgjax.scaling.table import Table

Array = np.ndarray

DRAWS = 4000


def distillation_table(study: Study) -> Path:
    """Error of each size alone and taught, and their ratio."""
    middle = centre(study)
    held = {"users": f"{middle['U']:g}", "hours": repr(middle["H"])}
    alone = study.read({"N": "params"}, held)
    taught = study.read({"N": "params"}, {**held, "kind": "distilled"})
    rows = []
    for size in np.unique(taught.sizes):
        pair = [table.rows(np.flatnonzero(table.sizes == size)) for table in (alone, taught)]
        if len(pair[0].y):
            rows.append(_row(float(size), *pair, study.level))
    if not rows:
        raise InputError(f"{study.table}: no size was trained both alone and with a teacher")
    users = len(set(alone.users) & set(taught.users))
    head = [
        "parameters",
        "runs alone / taught",
        "alone (%)",
        "taught (%)",
        "taught / alone",
        f"{study.level:.0%} interval",
    ]
    caption = (
        f"Students with a teacher against the same sizes trained alone, at {middle['U']:g} users and {middle['H']:.3g} "
        f"hours; {alone.source}, character error rate, mean over the held-out users and seeds. Intervals of the ratio: "
        f"{DRAWS} bootstraps over seeds (apart) and over the {users} held-out users (the same for both)."
    )
    return write_study(study, "distillation_table", caption, table=markdown(head, rows))


def _row(size: float, alone: Table, taught: Table, level: float) -> list[str]:
    ratio = float(taught.y.mean() / alone.y.mean())
    low, high = draw_interval(_ratios(alone, taught), level)
    runs = f"{len(alone.y)} / {len(taught.y)}"
    ends = span((float(low), float(high)))
    return [number(size), runs, number(alone.y.mean()), number(taught.y.mean()), number(ratio, 3), ends]


def _ratios(alone: Table, taught: Table) -> Array:
    """Ratio of mean errors [DRAWS] with seeds resampled in each, and users resampled once for both."""
    random = np.random.default_rng(0)
    if alone.users_y is None or taught.users_y is None or alone.users != taught.users:
        raise InputError(f"{alone.source}: runs alone and taught must be tested on the same two or more users")
    m = len(alone.users)
    users = random.multinomial(m, np.full(m, 1.0 / m), size=DRAWS) / m
    means = []
    for table in (alone, taught):
        n = len(table.y)
        seeds = random.multinomial(n, np.full(n, 1.0 / n), size=DRAWS) / n
        assert table.users_y is not None
        means.append(np.einsum("dn,nm,dm->d", seeds, table.users_y, users))
    return means[1] / means[0]


if __name__ == "__main__":
    run(distillation_table)
