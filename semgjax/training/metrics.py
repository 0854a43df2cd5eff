"""metrics.jsonl: one line per logged step or evaluation; a resumed run leaves the same lines."""

import json
from pathlib import Path
from typing import Any

from semgjax.errors import InputError
from semgjax.files import disk_faults, parse_json, write_atomic


class MetricsFile:
    """Appends lines to RUN/metrics.jsonl."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rewind(self, step: int) -> None:
        """Drop the lines after `step`: the run resumes from its checkpoint and writes them again."""
        if self._path.exists():
            kept = [line for line in read_metrics(self._path) if line["step"] <= step]
            write_atomic(self._path, "".join(json.dumps(line) + "\n" for line in kept))

    def write(self, line: dict[str, Any]) -> None:
        """Append one line; `line` has a "step".

        Raises:
            InputError: the disk is full or cannot be written.
        """
        with disk_faults(self._path), open(self._path, "a") as file:
            file.write(json.dumps(line, allow_nan=False) + "\n")


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """All whole lines; a last line cut short by a kill is left out.

    Raises:
        InputError: a line before the last is damaged ("bad-row").
    """
    with disk_faults(path):
        lines = path.read_bytes().split(b"\n")
    return [_line(line, f"{path}: line {number}") for number, line in enumerate(lines[:-1], start=1)]


def _line(line: bytes, where: str) -> dict[str, Any]:
    try:
        found = parse_json(line.decode(), where)
    except (UnicodeDecodeError, InputError):
        found = None
    if not isinstance(found, dict) or type(found.get("step")) is not int:
        raise InputError(f"{where} is no JSON object with a step; the file was edited or damaged", "bad-row")
    return found
