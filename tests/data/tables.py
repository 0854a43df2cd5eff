"""A metadata table of the shape of emg2qwerty's: 1,135 sessions of 108 users, with the published counts in it."""

import csv
from pathlib import Path

import numpy as np

OUTSIDE = (1, 1, 2, 2)  # users with fewer than 4 sessions
TEST = (12, 12, 12, 12, 13, 13, 13, 13)  # those with most sessions, but for the tagged
TAGGED = (15, 14, 13)  # users with a quality tag on one session
OTHERS = (11,) * 57 + (10,) * 36
COUNTS = (*OUTSIDE, *TEST, *TAGGED, *OTHERS)
assert len(COUNTS) == 108 and sum(COUNTS) == 1135


def write_metadata(path: Path) -> dict[str, list[str]]:
    """Write the table, its rows in a mixed order; user -> names of its sessions, users in the order of COUNTS."""
    users = [str(10_000_000 + int(number)) for number in np.random.default_rng(0).permutation(len(COUNTS))]
    names = {u: [f"2021-{u}-{i:02d}-keystrokes" for i in range(n)] for u, n in zip(users, COUNTS, strict=True)}
    first_tagged = len(OUTSIDE + TEST)
    tagged = {names[user][1] for user in users[first_tagged : first_tagged + len(TAGGED)]}
    rows = [(user, name) for user, some in names.items() for name in some]
    rng = np.random.default_rng(1)
    header = ["", "user", "session", "duration_mins", "num_keystrokes", "num_prompts", "quality_check_tags"]
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for number, index in enumerate(rng.permutation(len(rows))):
            user, name = rows[index]
            tags = "['short session', 'low rate']" if name in tagged else "[]"
            minutes = round(float(rng.uniform(10, 27)), 3)
            writer.writerow([number, user, name, minutes, int(minutes * 260), 40, tags])
    return names
