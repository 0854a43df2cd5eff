"""A finished run on the terminal: its size and its error rates, one line each."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from semgjax.cli.terminal import say

if TYPE_CHECKING:
    from semgjax.data.corpus import Corpus


def print_warnings(corpus: "Corpus") -> None:
    """What is odd about the sessions, on stderr."""
    for line in corpus.warnings:
        say(f"warning: {line}", error=True)


def score_lines(rows: list[dict[str, Any]]) -> list[str]:
    """The averaged score rows of a result as text."""
    lines = []
    for row in rows:
        cer = "no keys" if row["cer"] is None else f"{row['cer']:.2f} %"
        spread = f" (std over users {row['cer_std']:.2f})" if row.get("cer_std") is not None else ""
        errors = f"S {row['substitutions']} D {row['deletions']} I {row['insertions']} of {row['characters']} keys"
        lines.append(f"{row['split']:<5} {row['decoder']} {row['averaging']:<6} CER {cer}{spread}; {errors}")
    return lines


def print_result(result: dict[str, Any], out: Path | str) -> None:
    """Print a result.json's summary and where it is."""
    say(f"{result['kind']} {result['preset']}: {result['params']:,} parameters, {result['steps']} steps")
    for line in score_lines(result["scores"]):
        say("  " + line)
    say(f"  {str(out).rstrip('/')}/result.json")
