"""`semgjax evaluate`: error rates of a finished run or of an export on a part of a split."""

import json as jsonlib
from pathlib import Path
from typing import Any, Literal

import tyro

from semgjax.cli.evaluate_stress import check_stress, evaluate_stressed
from semgjax.cli.parse import run_commands
from semgjax.cli.terminal import say
from semgjax.measures import measure_in


def evaluate(
    model: tyro.conf.Positional[str],
    /,
    *,
    data: Path,
    split: Literal["train", "val", "test"] = "test",
    splits: Path | None = None,
    batch: int = 16,
    turns: int = 0,
    stress: bool = False,
    stress_kinds: tuple[str, ...] = (),
    stress_out: Path | None = None,
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
        stress: decode them besides with their signals made worse, in kinds and levels, and compare with the clean error
        stress_kinds: names of the kinds, of noise, hum-50, hum-60, lost-electrodes, turn, drift, lost-held, lost-zero,
            rate and fewer-electrodes (default: all)
        stress_out: folder for stress.json, stress.png and the page stress.html
        json: print one JSON object instead of a table
    """
    check_stress(stress, stress_kinds, stress_out, turns)
    if stress:
        evaluate_stressed(model, data, split, splits, batch, stress_kinds, stress_out, json)
        return
    from semgjax.api.models import check_batch, load
    from semgjax.cli.summary import rate_text, score_lines, shown_warnings

    check_batch(batch)
    with shown_warnings():
        found = load(model).evaluate(data, split, splits, batch, turns)
    if json:
        about: dict[str, Any] = {"model": model, "metric": found.metric, "spliced": found.spliced}
        if found.turns is not None:
            about["turns"] = {"tried": turns, "labels_used": False, "sessions": found.turns}
        print(jsonlib.dumps({**about, "scores": found.scores, "users_scores": found.users_scores}))
        return
    for line in score_lines(found.scores, found.spliced):
        say(line)
    for row in found.users_scores:
        measure = measure_in(row)
        say(f"  {row['user']}: {measure.words} {rate_text(row)} of {row[measure.counted]} {measure.things}")
    if found.turns is not None:
        say(f"turns of the rings, out of -{turns} to {turns}, chosen without labels by the decoder's confidence:")
        for session, turn in found.turns.items():
            say(f"  {session}: {', '.join(f'{places:+d}' if places else '0' for places in turn)}")


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("evaluate", {"": evaluate}, words)
