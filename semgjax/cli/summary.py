"""The summary of a finished run on the terminal: size and error rates."""

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from semgjax.cli.terminal import say
from semgjax.losses.student_summary import summary_of, summary_words
from semgjax.measures import SPLICED, measure_in, rate_in
from semgjax.training.metrics import read_metrics
from semgjax.training.plateau import result_words
from semgjax.training.run_folder import METRICS

if TYPE_CHECKING:
    from semgjax.api.runs import Run


@contextlib.contextmanager
def shown_warnings() -> Iterator[None]:
    """Within the block, warnings about sessions are printed at once as lines on stderr, each line once.

    Other warnings do not change.
    """
    from semgjax.api.models import SessionsWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", SessionsWarning)
        others, said = warnings.showwarning, set[str]()

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, SessionsWarning):
                if str(message) not in said:
                    said.add(str(message))
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


def score_lines(rows: list[dict[str, Any]], spliced: bool) -> list[str]:
    """The averaged score rows of a result as text.

    Args:
        spliced: whether their sessions are real signals in a made-up order, which each line then says.
    """
    lines = []
    for row in rows:
        measure = measure_in(row)
        spread = f" (std over users {row[measure.spread]:.2f})" if row.get(measure.spread) is not None else ""
        errors = f"S {row['substitutions']} D {row['deletions']} I {row['insertions']}"
        line = f"{row['split']:<5} {row['decoder']} {row['averaging']:<6} {measure.words} {rate_text(row)}{spread}"
        order = f"; {SPLICED}" if spliced else ""
        lines.append(f"{line}; {errors} of {row[measure.counted]} {measure.things}{order}")
    return lines


def rate_text(row: Mapping[str, Any]) -> str:
    """The error rate of a score row as text."""
    rate = rate_in(row)
    return f"no {measure_in(row).things}" if rate is None else f"{rate:.2f} %"


def training_lines(result: dict[str, Any], out: Path | str) -> list[str]:
    """When a run left the blank plateau, and how a student in a local folder answers beside its teacher, as text."""
    metrics = Path(out) / METRICS
    local = result["kind"] == "distilled" and metrics.exists()
    found = summary_of(read_metrics(metrics)) if local else None
    lines = [result_words(result), *([] if found is None else summary_words(found))]
    return [line for line in lines if line]


def print_result(result: dict[str, Any], out: Path | str) -> None:
    """Print the summary of a run's result.json and its path."""
    say(f"{result['kind']} {result['preset']}: {result['params']:,} parameters, {result['steps']} steps")
    for line in score_lines(result["scores"], result["spliced"]):
        say("  " + line)
    for line in training_lines(result, out):
        say("  " + line)
    say(f"  {str(out).rstrip('/')}/result.json")
