"""`semgjax bench`: measure semgjax against other libraries; benchmarks exist only in a source checkout."""

import importlib
import json as jsonlib
import pkgutil
from pathlib import Path
from typing import Any, Literal

import tyro
from rich.console import Console
from rich.table import Table

from semgjax.cli.parse import run_commands
from semgjax.errors import InputError


def bench(
    name: tyro.conf.Positional[str],
    *,
    json: bool = False,
    out: Path | None = None,
    part: Literal["parity", "speed", "run"] | None = None,
    small: bool = False,
    minutes: float = 10.0,
) -> int | None:
    """Run one benchmark and print semgjax's figure, the peer's and their ratio, measured in the same run.

    `device` writes OUT/device.json and OUT/device.html instead; the same command again does what is left.

    Args:
        name: name of the benchmark
        json: print one JSON object: {key: {ours, peer, ratio, unit, note}}; of device the report
        out: of device: folder of its results (default: device-report)
        part: of device: one part instead of all
        small: of device: a form of every check that takes seconds on a CPU
        minutes: of device: no check begins after this time
    """
    if name == "device":
        if not minutes > 0:
            raise InputError(f"--minutes {minutes} must be above 0", "bad-value")
        return _device(out or Path("device-report"), part, small, minutes, json)
    if out is not None or part is not None or small or minutes != 10.0:
        raise InputError(f"bench {name}: --out, --part, --small and --minutes belong to device", "conflict")
    rows = _benchmark(name)()
    if json:
        print(jsonlib.dumps({key: row.as_json() for key, row in rows.items()}))
        return None
    table = Table("key", "ours", "peer", "ratio", "unit", "note")
    for key, row in rows.items():
        table.add_row(key, f"{row.ours:.4g}", f"{row.peer:.4g}", f"{row.ratio:.2f}", row.unit, row.note)
    Console(markup=False, highlight=False).print(table)
    return None


def _device(out: Path, part: str | None, small: bool, minutes: float, json: bool) -> int:
    """The device kit: 0 all held, 1 something did not, 75 call it again for the rest."""
    module = _module("device")
    code = module.measure(out, part, small, minutes)
    print((out / "device.json").read_text() if json else f"{out / 'device.html'}: {_MEANING[code]}")
    return int(code)


_MEANING = {0: "all checks held", 1: "not all checks held", 75: "give the same command again for the rest"}


def _benchmark(name: str) -> Any:
    return _module(name).run


def _module(name: str) -> Any:
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
    return importlib.import_module(f"benchmarks.{name}")


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("bench", {"": bench}, words)
