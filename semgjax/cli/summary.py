"""The summary of a finished run on the terminal: size and error rates."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from semgjax.cli.terminal import say

if TYPE_CHECKING:
    from semgjax.api.runs import Run


@contextlib.contextmanager
def shown_warnings() -> Iterator[None]:
    """Within the block, warnings about sessions are printed at once as lines on stderr; others do not change."""
    from semgjax.api.models import SessionsWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", SessionsWarning)
        others = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, SessionsWarning):
                say(f"warning: {message}", error=True)
            else:
                others(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        yield


def print_run(run: "Run") -> None:
    """Print a finished run's summary, in the first process only."""
    from semgjax.parallel.runtime import is_first

    if is_first():
        print_result(run.result, run.place)


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
    """Print the summary of a result.json and its path."""
    say(f"{result['kind']} {result['preset']}: {result['params']:,} parameters, {result['steps']} steps")
    for line in score_lines(result["scores"]):
        say("  " + line)
    say(f"  {str(out).rstrip('/')}/result.json")
