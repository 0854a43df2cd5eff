"""`semgjax evaluate --stress`: errors with the signals made worse, as a table, a JSON object, a figure and a page."""

import json as jsonlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semgjax.cli.terminal import say, say_columns
from semgjax.errors import InputError

if TYPE_CHECKING:
    from semgjax.api.robustness import Robustness
    from semgjax.evaluate.decoders import Decoder


def check_stress(stress: bool, kinds: Sequence[str], out: Path | None, others: Sequence[str]) -> None:
    """Check the options that go with each other.

    Args:
        others: options of the command that were given and that a stress test does not have.

    Raises:
        InputError: options that exclude each other, or that need --stress ("conflict").
    """
    if not stress and (kinds or out is not None):
        option = "--stress-kinds" if kinds else "--stress-out"
        raise InputError(f"{option}: has no meaning without --stress; add --stress or leave it out", "conflict")
    if stress and others:
        raise InputError(
            f"{', '.join(others)}: cannot be combined with --stress, which decodes one part, whole sessions, all "
            "users, and turns rings itself; leave it out",
            "conflict",
        )


def evaluate_stressed(
    model: str,
    data: Path,
    split: Literal["train", "val", "test"],
    splits: Path | None,
    batch: int,
    decoder: "Decoder",
    kinds: Sequence[str],
    out: Path | None,
    json: bool,
) -> None:
    """The command with --stress; arguments as of `semgjax.cli.evaluate.evaluate`."""
    from semgjax.api.robustness import check_folder, stress
    from semgjax.cli.summary import score_lines, shown_warnings

    if out is not None:
        check_folder(out)
    with shown_warnings():
        found = stress(model, data, split, splits, kinds, batch, decoder=decoder)
    paths = found.save(out) if out is not None else []
    if json:
        print(jsonlib.dumps(found.as_json()))
        return
    for line in score_lines(found.clean.scores, found.clean.spliced):
        say(line)
    _print_table(found)
    for path in paths:
        say(path)


def _print_table(found: "Robustness") -> None:
    from semgjax.measures import MEASURES
    from semgjax.pages.stress_page import interval_text, rows_of

    start, words = found.start, MEASURES[found.clean.metric].words
    head = ("stress", "level", f"{words} %", "interval", "difference", "interval", "worse for")
    rows: list[tuple[str, ...]] = [("clean", "", f"{start.error:.1f}", interval_text(start.interval), "", "", "")]
    rows += [(curve.kind, *row) for curve in found.curves for row in rows_of(curve)]
    say_columns([head, *rows], texts=(0,))
    for curve in found.curves:
        for level, why in curve.left_out.items():
            say(f"{curve.kind} {level}: left out, {why}")
        if curve.note:
            say(f"{curve.kind}: {curve.note}")
    say("mean over users; 95 % intervals over users; differences to clean, paired; users whose error grew")
