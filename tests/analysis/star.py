"""A made table of a star design with the columns of a sweep, from a known law; the numbers mean nothing."""

import csv
from pathlib import Path

import numpy as np

from semgjax.measures import CER
from semgjax.sweep.collect import columns_for

SIZES = (15_000, 57_000, 130_000, 220_000, 460_000, 1_100_000)
USERS = (2, 4, 8, 16, 32)
HOURS = (0.0125, 0.025, 0.05, 0.1, 0.15)  # per user
CENTRE = (220_000, 16, 0.05)
TEST_USERS = tuple(f"test{i}" for i in range(6))


def error(size: float, users: float, hours: float) -> float:
    """CER (%) of the made law, additive over size, users and hours per user."""
    return 6.0 + 10.0 * (size / 2.2e5) ** -0.45 + 8.0 * (users / 16) ** -0.5 + 3.0 * (hours / 0.05) ** -0.6


def write_star(path: Path, taught: bool = True) -> Path:
    """Sizes, users and hours one at a time with three seeds; three sizes taught, at 0.7 times the error."""
    random = np.random.default_rng(0)
    skill = np.exp(0.2 * random.standard_normal(len(TEST_USERS)))
    skill /= skill.mean()
    plan = [(n, *CENTRE[1:]) for n in SIZES]
    plan += [(CENTRE[0], u, CENTRE[2]) for u in USERS] + [(*CENTRE[:2], h) for h in HOURS]
    runs = [("supervised", *row, 1.0) for row in dict.fromkeys(plan)]
    runs += [("distilled", n, *CENTRE[1:], 0.7) for n in SIZES[:3] if taught]
    rows = []
    for kind, size, users, hours, factor in runs:
        for seed in range(3):
            tokens = round(users * hours * 3600 * 40 * 4)
            head = {
                "run": f"{kind}-{size}-{users}-{hours}-{seed}", "kind": kind, "preset": f"ladder-{size}",
                "params": size, "users": users, "hours": users * hours, "steps": 1000, "tokens": tokens,
                "flops": 6.0 * size * tokens, "learning_rate": 3e-3, "seed": seed, "split": "test", "decoder": "greedy",
            }  # fmt: skip
            noise = np.exp(0.02 * random.standard_normal())
            cers = factor * error(size, users, hours) * skill * noise
            counts = {"characters": 1000, "substitutions": 1, "deletions": 0, "insertions": 0}
            rows.append({**head, "averaging": "macro", "user": "", **counts, "cer": cers.mean()})
            rows += [
                {**head, "averaging": "user", "user": user, **counts, "cer": cer}
                for user, cer in zip(TEST_USERS, cers, strict=True)
            ]
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(columns_for(CER)), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path
