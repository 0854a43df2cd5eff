"""Students with a teacher against the same sizes alone, paired over seeds and users; writes distillation_table.md."""

from pathlib import Path

import numpy as np

from analysis.study import Study, centre, markdown, run, write_study
from semgjax.errors import InputError
from semgjax.scaling.bootstrap import draw_interval
from semgjax.scaling.ends import number, span
from semgjax.scaling.table import Table

Array = np.ndarray

DRAWS = 4000
_COLUMNS = {"N": "params", "R": "learning_rate"}


def distillation_table(study: Study) -> Path:
    """Error of each size alone and taught, and their ratio."""
    middle = centre(study)
    held = {"users": f"{middle['U']:g}", "hours": repr(middle["H"])}
    alone = study.read(_COLUMNS, held)
    taught = study.read(_COLUMNS, {**held, "kind": "distilled"})
    rows, other_rates = [], False
    for size, rate in np.unique(np.stack([taught.x["N"], taught.x["R"]], axis=1), axis=0):
        students = taught.rows(np.flatnonzero((taught.x["N"] == size) & (taught.x["R"] == rate)))
        twins = np.flatnonzero((alone.x["N"] == size) & (alone.x["R"] == rate))
        if not len(twins):
            twins = np.flatnonzero(alone.x["N"] == size)
            other_rates = other_rates or bool(len(twins))
        if len(twins):
            rows.append(_row(float(size), alone.rows(twins), students, study.level))
    if not rows:
        raise InputError(f"{study.table}: no size was trained both alone and with a teacher")
    users = len(set(alone.users) & set(taught.users))
    head = [
        "parameters",
        "runs alone / taught",
        "learning rate alone / taught",
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
    if other_rates:
        caption += (
            " Where the two learning rates differ, the ratio is that of teacher and rate together: it does not say "
            "what the teacher alone gives."
        )
    return write_study(study, "distillation_table", caption, table=markdown(head, rows))


def _row(size: float, alone: Table, taught: Table, level: float) -> list[str]:
    ratio = float(taught.y.mean() / alone.y.mean())
    low, high = draw_interval(_ratios(alone, taught), level)
    runs = f"{len(alone.y)} / {len(taught.y)}"
    ends = span((float(low), float(high)))
    rates = " / ".join(", ".join(f"{rate:g}" for rate in np.unique(table.x["R"])) for table in (alone, taught))
    return [number(size), runs, rates, number(alone.y.mean()), number(taught.y.mean()), number(ratio, 3), ends]


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
