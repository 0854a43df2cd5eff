"""The training runs of the demo: a ladder of sizes, one size on fewer users, and students beside their twins."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.data.band import Band
from semgjax.data.corpus import Corpus, load_corpus
from semgjax.data.splitting.splits import Split, read_split, write_split
from semgjax.demo.demo_plan import DemoPlan
from semgjax.errors import InputError
from semgjax.model.flops import train_flops
from semgjax.sweep.resolve import run_config, steps_for
from semgjax.sweep.subset import Subset, subset_split
from semgjax.training.run_config import RunConfig, recipe


@dataclass(frozen=True)
class DemoTrials:
    """Configurations of the demo's runs, and the split behind each hash of sessions.

    Attributes:
        ladder: every size on all training users, from small to large.
        crowds: number of training users -> one size on that many of them, from few to many; the last is in the ladder.
        scratch: the student's size without a teacher, at each rate; as many operations as a student.
        students: taught by the last of the ladder, at each rate.
    """

    ladder: tuple[RunConfig, ...]
    crowds: dict[int, RunConfig]
    scratch: tuple[RunConfig, ...]
    students: tuple[RunConfig, ...]
    splits: dict[str, Split]

    @property
    def all(self) -> tuple[RunConfig, ...]:
        """Every run once, the teacher before its students."""
        configs = (*self.ladder, *self.crowds.values(), *self.scratch, *self.students)
        return tuple({config.hash: config for config in configs}.values())


def make_trials(plan: DemoPlan, corpus: Corpus, data: Path, split_file: Path) -> DemoTrials:
    """The runs of the demo on `corpus`, which `data` holds under `split_file`; writes splits beside it."""
    split = read_split(split_file)
    splits, hashes = {corpus.hash: split}, {corpus.train_users: corpus.hash}
    for users in crowd_sizes(corpus.train_users, plan.halvings)[:-1]:
        smaller = subset_split(split, corpus, Subset(users=users, seed=plan.seed))
        path = split_file.with_name(f"splits-{users:03d}-users.json")
        if not (path.exists() and read_split(path).hash == smaller.hash):
            write_split(path, smaller)
        hashes[users] = load_corpus(data, path).hash
        splits[hashes[users]] = smaller
    band = corpus.band
    sizes = [_options(plan, width, plan.steps, band) for width in plan.widths]
    ladder = tuple(run_config(size, corpus.hash, band=band) for size in sizes)
    few = sizes[plan.widths.index(plan.users_width)]
    crowds = {users: run_config(few, hashed, band=band) for users, hashed in sorted(hashes.items())}
    teacher = ladder[-1]
    students, scratch = [], []
    for rate in plan.student_rates:
        options = _options(plan, plan.student_width, plan.student_steps, band)
        peak = recipe(options["preset"], band).optimizer.learning_rate
        options |= {"optimizer.learning_rate": rate * peak}
        distill = {f"distill.{name}": getattr(plan, name) for name in ("temperature", "weight", "key_boost")}
        student = run_config(options | distill, corpus.hash, teacher, band)
        budget = plan.student_steps * plan.batch * train_flops(student.model, student.window.total, (teacher.model,))
        alone = run_config(options, corpus.hash, band=band)
        students.append(student)
        scratch.append(run_config(options | {"train.steps": steps_for(budget, alone)}, corpus.hash, band=band))
    return DemoTrials(ladder, crowds, tuple(scratch), tuple(students), splits)


def crowd_sizes(users: int, halvings: int) -> tuple[int, ...]:
    """Numbers of training users from few to `users`, each about half of the next.

    Raises:
        InputError: there are too few users for two numbers.
    """
    if users < 2:
        raise InputError(f"{users} training user: the demo needs 2 or more besides those held out", "no-sessions")
    return tuple(sorted({users // 2**step for step in range(halvings + 1)} - {0}))


def _options(plan: DemoPlan, width: int, steps: int, band: Band) -> dict[str, Any]:
    """The options of one size on a band, as a plan file would give them."""
    often = max(1, steps // 6)  # enough validations to see whether a curve is flat
    train: Mapping[str, Any] = {
        "steps": steps,
        "batch": plan.batch,
        "seed": plan.seed,
        "evaluate_every": often,
        "checkpoint_every": often,
    }
    options: dict[str, Any] = {f"train.{key}": value for key, value in train.items()}
    return options | {"preset": f"{'keys' if band.classes is None else 'gesture'}-{width}"}
