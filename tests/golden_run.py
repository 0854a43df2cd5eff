"""Makes tests/golden/run-1: a sweep of a finished teacher and a student yet to train, and the teacher's export.

    python -m tests.golden_run FOLDER

Made once, by the last code that wrote version 1 of config.json, and never again: it stands for the runs that people
have. When a format steps, make another folder beside it. The sessions are not kept: `golden_sessions` simulates them.
"""

import dataclasses
import shutil
import sys
import tempfile
from pathlib import Path

from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.data.splitting.splits import read_split
from semgjax.sweep.plan import plan_sweep
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import OptimizerConfig, RunConfig, TrainConfig, recipe
from tests.runs import AUGMENT, MODEL, WINDOW, write_sessions

RATE, TRAIN = 1e-2, TrainConfig(steps=1000, batch=8, evaluate_every=1000, checkpoint_every=990, log_every=50)
STUDENT_STEPS = 6


def teacher_words(data: Path, out: Path) -> list[str]:
    """The command that makes the teacher, and resumes it."""
    window = [f"--window.{name}={getattr(WINDOW, name)}" for name in ("length", "stride", "left", "right")]
    model = [f"--model.dropout={MODEL.dropout}", f"--model.mask-share={MODEL.mask_share}"]
    augment = [f"--augment.roll={AUGMENT.roll}", f"--augment.lag={AUGMENT.lag}"]
    train = [
        f"--train.{name.replace('_', '-')}={getattr(TRAIN, name)}"
        for name in ("steps", "batch", "evaluate_every", "checkpoint_every", "log_every")
    ]
    place = ["train", "--preset=ladder-16", f"--data={data}", f"--out={out}"]
    return [*place, *window, *model, *augment, *train, f"--optimizer.learning-rate={RATE}"]


def golden_configs(data: str) -> list[RunConfig]:
    """The teacher, as `teacher_words` makes it, and its student."""
    optimizer: OptimizerConfig = dataclasses.replace(recipe("ladder-16").optimizer, learning_rate=RATE)
    teacher = RunConfig("ladder-16", MODEL, data, WINDOW, AUGMENT, optimizer, TRAIN)
    short = dataclasses.replace(TRAIN, steps=STUDENT_STEPS, batch=4)
    return [teacher, dataclasses.replace(teacher, train=short, distill=DistillConfig(teacher.hash, key_boost=0.0))]


def golden_sessions(folder: Path) -> Path:
    """The sessions of the golden run and their split."""
    return write_sessions(folder)


def make(out: Path) -> None:
    """Write the golden folder."""
    with tempfile.TemporaryDirectory() as place:
        sessions = golden_sessions(Path(place) / "sessions")
        corpus = load_corpus(sessions)
        splits = {corpus.hash: read_split(sessions / "splits.json")}
        # The folder of the sessions is no part of a sweep's identity: a name that is the same everywhere.
        sweep = plan_sweep("golden", golden_configs(corpus.hash), Path("/sessions"), splits, out / "sweep")
        teacher = sweep.run_folder(sweep.trials[0])
        for words in (teacher_words(sessions, teacher), ["export", str(teacher), "--out", str(out / "export")]):
            if main(words):
                raise SystemExit(1)
    for lock in out.rglob(".lock"):
        lock.unlink()
    shutil.rmtree(teacher / "tensorboard", ignore_errors=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
