"""`semgjax evaluate`: error rates of a finished run or of an export on a part of a split."""

import json as jsonlib
from pathlib import Path
from typing import Literal

import tyro

from semgjax.cli.parse import run_commands
from semgjax.cli.terminal import say


def evaluate(
    model: tyro.conf.Positional[str],
    /,
    *,
    data: Path,
    split: Literal["train", "val", "test"] = "test",
    splits: Path | None = None,
    batch: int = 16,
    json: bool = False,
) -> None:
    """Decode whole sessions greedily and count errors per user.

    Args:
        model: finished run directory or an export, or the address of one (gs://...)
        data: folder of sessions
        split: which part of the split is decoded
        splits: split file (default: splits.json in the folder of sessions)
        batch: windows that go through the decoder at once
        json: print one JSON object instead of a table
    """
    from semgjax.cli.summary import print_warnings, score_lines
    from semgjax.data.corpus import load_corpus
    from semgjax.errors import InputError
    from semgjax.evaluate.errors import score_rows
    from semgjax.evaluate.sessions import evaluate_greedy, make_forward
    from semgjax.training.config import MOST_ROWS
    from semgjax.training.remote import finished_folder

    if not 1 <= batch <= MOST_ROWS:
        raise InputError(f"--batch {batch} must lie in 1 to {MOST_ROWS}", "bad-value")
    with finished_folder(model) as folder:
        config, window, params = _load(folder)
    corpus = load_corpus(data, splits)
    print_warnings(corpus)
    sessions = corpus.part(split)
    if not sessions:
        raise InputError(f"the split's {split} part is empty; choose another --split", "no-sessions")
    forward = make_forward(config, window)
    counts = evaluate_greedy(forward, config, params, sessions, window, batch)
    averaged, users = score_rows(split, "greedy", counts)
    if json:
        print(jsonlib.dumps({"model": model, "scores": averaged, "users_scores": users}))
        return
    for line in score_lines(averaged):
        say(line)
    for row in users:
        cer = "no keys" if row["cer"] is None else f"{row['cer']:.2f} %"
        say(f"  {row['user']}: CER {cer} of {row['characters']} keys")


def _load(folder: Path):
    """Model, windows and parameters of a run or an export: whichever the folder is."""
    from semgjax.errors import InputError
    from semgjax.exporting.checkpoint import MODEL, load_export
    from semgjax.training.run import CONFIG, load_finished

    if (folder / MODEL).is_file():
        export = load_export(folder)
        return export.config, export.window, export.params
    if (folder / CONFIG).is_file():
        config, params = load_finished(folder)
        return config.model, config.window, params
    raise InputError(f"{folder}: is neither a run ({CONFIG}) nor an export ({MODEL}); name one of these", "no-file")


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("evaluate", {"": evaluate}, words)
