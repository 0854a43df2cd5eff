"""`semgjax evaluate`: error rates of a finished run or of an export on a part of a split."""

import json as jsonlib
from pathlib import Path
from typing import Any, Literal

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
    turns: int = 0,
    json: bool = False,
) -> None:
    """Decode whole sessions greedily and count errors per user.

    Args:
        model: finished run directory or an export, or the address of one (gs://...)
        data: folder of sessions
        split: which part of the split is decoded
        splits: split file (default: splits.json in the folder of sessions)
        batch: windows that go through the decoder at once
        turns: decode each session with its rings turned by up to this many electrodes to either side, and keep the turn
            that the decoder is most confident of (labels take no part)
        json: print one JSON object instead of a table
    """
    from semgjax.api.models import check_batch, load
    from semgjax.cli.summary import score_lines, shown_warnings

    check_batch(batch)
    with shown_warnings():
        found = load(model).evaluate(data, split, splits, batch, turns)
    if json:
        body: dict[str, Any] = {"model": model, "scores": found.scores, "users_scores": found.users_scores}
        if found.turns is not None:
            body["turns"] = {"tried": turns, "labels_used": False, "sessions": found.turns}
        print(jsonlib.dumps(body))
        return
    for line in score_lines(found.scores):
        say(line)
    for row in found.users_scores:
        cer = "no keys" if row["cer"] is None else f"{row['cer']:.2f} %"
        say(f"  {row['user']}: CER {cer} of {row['characters']} keys")
    if found.turns is not None:
        say(f"turns of the rings, out of -{turns} to {turns}, chosen without labels by the decoder's confidence:")
        for session, turn in found.turns.items():
            say(f"  {session}: {', '.join(f'{places:+d}' if places else '0' for places in turn)}")


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("evaluate", {"": evaluate}, words)
