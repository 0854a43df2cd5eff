"""`semgjax export`: a finished run's parameters as a self-contained checkpoint."""

from pathlib import Path

import tyro

from semgjax.cli.parse import run_commands


def export(run: tyro.conf.Positional[Path], /, *, out: Path) -> None:
    """Write model.json and an orbax checkpoint that read without the run's folder or its configuration.

    Args:
        run: finished run directory
        out: new folder for the export
    """
    from semgjax.export.run import export_run

    body = export_run(run, out)
    look_ahead = body["look_ahead_samples"]
    seen = "the whole input" if look_ahead is None else f"{look_ahead} samples"
    print(f"{body['params']:,} parameters, look-ahead {seen}, in {out}")


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("export", {"": export}, words)
