"""A tiny corpus, the words of runs on it that end in seconds, and what tests ask of a run's folder."""

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np

from semgjax.cli.main import main
from semgjax.data.batching.augment import AugmentConfig
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.corpus import Corpus
from semgjax.data.simulate import simulate
from semgjax.model.presets import preset
from semgjax.training.checkpoint import newest_step, restore_params
from semgjax.training.log import SPEED
from semgjax.training.metrics import read_metrics
from semgjax.training.run_config import RunConfig, TrainConfig, recipe

ROOT = Path(__file__).parents[1]
STEPS = 8
WINDOW = WindowSpec(length=1000, stride=1000, left=400, right=200)
# Augmentation, dropout and time masks, so that a resumed run must draw the same numbers again.
MODEL = dataclasses.replace(preset("ladder-16"), dropout=0.1, mask_share=0.1)
AUGMENT = AugmentConfig(roll=1, lag=120)
TRAIN = TrainConfig(steps=STEPS, batch=4, evaluate_every=3, checkpoint_every=2, log_every=1)


def write_sessions(folder: Path) -> Path:
    """Two sessions of 12 s of each of three users, one of them held out."""
    simulate(folder, users=3, sessions=2, minutes=0.2, seed=0, severity="clean")
    assert main(["data", "splits", str(folder), "--test-users", "1"]) == 0
    return folder


def run_config(corpus: Corpus) -> RunConfig:
    """The configuration that `train_words` makes."""
    optimizer = recipe("ladder-16").optimizer
    return RunConfig("ladder-16", MODEL, corpus.hash, WINDOW, AUGMENT, optimizer, TRAIN)


def loop_words() -> list[str]:
    """What supervised and distilled runs share."""
    return [
        f"--model.dropout={MODEL.dropout}",
        f"--model.mask-share={MODEL.mask_share}",
        f"--augment.roll={AUGMENT.roll}",
        f"--augment.lag={AUGMENT.lag}",
        f"--train.steps={TRAIN.steps}",
        f"--train.batch={TRAIN.batch}",
        f"--train.evaluate-every={TRAIN.evaluate_every}",
        f"--train.checkpoint-every={TRAIN.checkpoint_every}",
        f"--train.log-every={TRAIN.log_every}",
    ]


def train_words(data: Path, out: Path | str, *more: str) -> list[str]:
    """The words of a supervised run of ladder-16; `more` stands last and so replaces."""
    window = [f"--window.{name}={getattr(WINDOW, name)}" for name in ("length", "stride", "left", "right")]
    return ["train", "--preset", "ladder-16", f"--data={data}", f"--out={out}", *window, *loop_words(), *more]


def distill_words(teacher: Path | str, data: Path, out: Path | str, *more: str) -> list[str]:
    """The words of a run of ladder-16 distilled from `teacher`."""
    places = [f"--teacher={teacher}", f"--data={data}", f"--out={out}"]
    return ["distill", "--preset", "ladder-16", *places, *loop_words(), *more]


def start(words: list[str], cwd: Path | None = None, **environment: str) -> subprocess.Popen:
    """`python -m semgjax WORDS` as a process of its own."""
    return start_python(["-m", "semgjax", *words], cwd, **environment)


def start_python(words: list[str], cwd: Path | None = None, **environment: str) -> subprocess.Popen:
    """A fresh Python process that finds the package from any folder."""
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def stop_in_the_middle(words: list[str], run: Path, sign: int, **environment: str) -> tuple[int, str, str]:
    """Start a run, send it a signal as soon as `run` has a checkpoint, and wait: (exit code, stdout, stderr)."""
    process = start(words, **environment)
    try:
        deadline = time.monotonic() + 300
        while newest_step(run / "checkpoints") is None:
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline, "no checkpoint within 300 s"
            time.sleep(0.005)
        process.send_signal(sign)
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
        process.wait()
    return process.returncode, out, err


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Every file's bytes and every folder (None) below `folder`."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def damage_biggest(folder: Path) -> Path:
    """Flip a bit in the middle of the biggest file below `folder`."""
    path = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return path


def fails(capsys, words: list[str], code: int = 2) -> str:
    """Run a command that must end with `code`, nothing on stdout and one error as the last line of stderr."""
    capsys.readouterr()
    assert main([str(word) for word in words]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    *before, last = printed.err.splitlines()
    assert last.startswith("semgjax: error: ")
    # Bad input is found before the run starts to tell of its progress.
    assert not any("error" in line or "Traceback" in line for line in before) and (code != 2 or not before)
    return last


def assert_same_parameters(one: Path, other: Path) -> None:
    """The final parameters of two runs are equal, bit for bit."""
    (step, first), (other_step, second) = (restore_params(run / "checkpoints") for run in (one, other))
    assert step == other_step
    assert jax.tree.structure(first) == jax.tree.structure(second)
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        assert a.dtype == b.dtype and np.asarray(a).tobytes() == np.asarray(b).tobytes()


def assert_same_run(run: Path, other: Path) -> None:
    """Parameters bit for bit; result and metrics but for the clock."""
    assert_same_parameters(run, other)
    results = [json.loads((folder / "result.json").read_text()) for folder in (run, other)]
    assert {**results[0], "seconds": 0} == {**results[1], "seconds": 0}
    lines = [read_metrics(folder / "metrics.jsonl") for folder in (run, other)]
    for one, two in zip(*lines, strict=True):
        assert one.keys() == two.keys()
        assert all(one[name] == two[name] for name in one.keys() - set(SPEED))
