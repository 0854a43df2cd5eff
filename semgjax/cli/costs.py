"""`semgjax costs`: what decoding a second of signal costs, for presets, as a table or JSON."""

import json as jsonlib
from dataclasses import asdict
from pathlib import Path

import tyro

from semgjax.cli.parse import run_commands
from semgjax.model.decode_costs import Costs

DEFAULT = ("tiny", "small", "large", "ladder-16", "ladder-64", "ladder-96", "keys-6", "keys-16", "keys-64", "tds")
_HEAD = ("preset", "parameters", "offline", "window", "stream", "offline MB", "window MB", "stream MB", "state kB")


def costs(
    presets: tyro.conf.Positional[tuple[str, ...]] = DEFAULT,
    /,
    *,
    data: Path | None = None,
    splits: Path | None = None,
    json: bool = False,
) -> None:
    """Print parameters, millions of operations and megabytes per second of signal: offline, window by window, streamed.

    Args:
        presets: tiny, small, large, ladder-WIDTH, keys-WIDTH, gesture-WIDTH, tds or a registered network's name
        data: folder of sessions whose band the presets are made to fit (default: two wrists at 2 kHz)
        splits: split file (default: splits.json in the folder of sessions)
        json: print one JSON object
    """
    from semgjax.api.preset_costs import decoding_costs

    found = decoding_costs(presets, data, splits)
    if json:
        print(jsonlib.dumps({name: asdict(one) for name, one in found.items()}))
        return
    print("\n".join(table(found)))


def table(found: dict[str, Costs]) -> list[str]:
    """Lines of a table that is also Markdown; operations in millions."""
    rows = [_HEAD, *(_row(name, one) for name, one in found.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |" for row in rows]
    rule = "|" + "|".join("-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)) + "|"
    return [lines[0], rule, *lines[1:]]


def _row(name: str, one: Costs) -> tuple[str, ...]:
    operations = (one.offline_operations, one.window_operations, one.stream_operations)
    moved = (one.offline_bytes, one.window_bytes, one.stream_bytes)
    state = None if one.state_bytes is None else one.state_bytes / 1e3
    scaled = [None if value is None else value / 1e6 for value in (*operations, *moved)]
    return (name, f"{one.parameters:,}", *(_number(value) for value in (*scaled, state)))


def _number(value: float | None) -> str:
    """Three digits, and a dash for what a network cannot do."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("costs", {"": costs}, words)
