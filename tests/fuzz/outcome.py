"""Commands on odd input: what they may do, and how many examples are tried."""

import contextlib
import io
import os
from pathlib import Path

from hypothesis import HealthCheck, settings

from semgjax.cli.main import main

EXAMPLES = int(os.environ.get("SEMGJAX_FUZZ_EXAMPLES", "0"))
"""0: a fixed, small set of examples, the same in every run; more: so many new ones (a long hunt)."""

bounded = settings(
    max_examples=EXAMPLES or 60,
    derandomize=not EXAMPLES,
    database=None,
    deadline=10_000,  # milliseconds an example: nothing here may hang
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)


def outcome(words: list[str]) -> tuple[int, str, str]:
    """Exit code, stdout, stderr of a command; any traceback reaches the test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    return code, out.getvalue(), err.getvalue()


def check_refusal(err: str) -> None:
    """That the last line is the one line of an error."""
    lines = err.splitlines()
    errors = [line for line in lines if line.startswith("semgjax: error: ")]
    assert errors == lines[-1:], err


def files_under(folder: Path) -> set[Path]:
    """Everything in a folder, by its path from there."""
    return {path.relative_to(folder) for path in folder.rglob("*")} if folder.exists() else set()
