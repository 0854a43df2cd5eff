"""`semgjax bench`: measure semgjax against other libraries; benchmarks exist only in a source checkout."""

import importlib
import json as jsonlib
import pkgutil
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

from semgjax.cli.parse import run_commands
from semgjax.errors import InputError


def bench(name: tyro.conf.Positional[str], *, json: bool = False) -> None:
    """Run one benchmark and print semgjax's figure, the peer's and their ratio, measured in the same run.

    Args:
        name: name of the benchmark
        json: print one JSON object: {key: {ours, peer, ratio, unit, note}}
    """
    rows = _benchmark(name)()
    if json:
        print(jsonlib.dumps({key: row.as_json() for key, row in rows.items()}))
        return
    table = Table("key", "ours", "peer", "ratio", "unit", "note")
    for key, row in rows.items():
        table.add_row(key, f"{row.ours:.4g}", f"{row.peer:.4g}", f"{row.ratio:.2f}", row.unit, row.note)
    Console(markup=False, highlight=False).print(table)


def _benchmark(name: str) -> Any:
    try:
        package = importlib.import_module("benchmarks")
    except ModuleNotFoundError:
        raise InputError(
            "benchmarks are not part of the installed package; run this from a source checkout", "missing-extra"
        ) from None
    modules = [found.name for found in pkgutil.iter_modules(package.__path__) if not found.ispkg]
    known = sorted(found for found in modules if found not in {"measure"} and not found.startswith("_"))
    if name not in known:
        raise InputError(f"benchmark {name!r} is unknown; choose one of {', '.join(known)}", "unknown-name")
    return importlib.import_module(f"benchmarks.{name}").run


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("bench", {"": bench}, words)
