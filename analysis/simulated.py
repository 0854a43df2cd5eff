"""What the studies on simulated sweeps share: their options, and tables whose finished rows are kept.

With --out FILE.md every row is written as it is finished, and a second call measures only the rows that are missing.
"""

import hashlib
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from semgjax import scaling
from semgjax.errors import InputError
from semgjax.files import write_atomic

Row = tuple[str, Callable[[], str]]  # its first cell, and what measures the other cells


@dataclass(frozen=True)
class Simulations:
    """How many sweeps to simulate, and where the table goes."""

    simulations: Annotated[int, tyro.conf.arg(help="simulated sweeps of each row")] = 200
    only: Annotated[str, tyro.conf.arg(help="measure the rows whose setting contains this")] = ""
    out: Annotated[Path | None, tyro.conf.arg(help="Markdown file; rows that it has are not measured again")] = None

    def __post_init__(self) -> None:
        if self.simulations < 1:
            raise InputError(f"--simulations {self.simulations}: give a whole number above 0", "bad-value")


def table(options: Simulations, study: str, caption: str, columns: Sequence[str], rows: Iterable[Row]) -> str:
    """The table of the rows whose first cell contains `options.only`, as Markdown; study: the file of the study.

    Raises:
        InputError: the file of --out is another table, or was measured by other code or with another count.
    """
    names, rule = f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)
    head = [f"<!-- {options.simulations} simulations, code {code_hash(Path(study))} -->", "", caption, "", names, rule]
    kept = _finished(options.out, head)
    found = dict(kept)
    for label, measure in rows:
        if options.only in label and label not in found:
            found[label] = f"| {label} | {measure()} |"
            print(found[label], file=sys.stderr, flush=True)
            if options.out is not None:
                write_atomic(options.out, "\n".join([*head, *found.values()]) + "\n")
    return "\n".join([*head[2:], *found.values()]) + "\n"


def code_hash(study: Path) -> str:
    """Of the code that fits laws, and of the study's: rows of different code do not belong in one table."""
    folder = Path(scaling.__file__).parent
    digest = hashlib.sha256(study.read_bytes())
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _finished(out: Path | None, head: list[str]) -> dict[str, str]:
    """Rows of a table that a former call has measured, by their first cell."""
    if out is None or not out.exists():
        return {}
    lines = out.read_text().splitlines()
    if lines[: len(head)] != head:
        raise InputError(f"{out}: another table, other code or another --simulations; name another file", "out-exists")
    return {line.split("|")[1].strip(): line for line in lines[len(head) :]}
