"""`semgjax export`: a finished run's parameters as a self-contained checkpoint."""

from pathlib import Path

import tyro

from semgjax.cli.parse import run_commands
from semgjax.cli.terminal import say


def export(run: tyro.conf.Positional[str], /, *, out: Path) -> None:
    """Write model.json and an orbax checkpoint that read without the run's folder or its configuration.

    Args:
        run: finished run directory, or its address (gs://...)
        out: new folder for the export
    """
    from semgjax.export.run import export_run
    from semgjax.train.remote import finished_folder

    with finished_folder(run) as folder:
        body = export_run(folder, out)
    look_ahead = body["look_ahead_samples"]
    seen = "the whole input" if look_ahead is None else f"{look_ahead} samples"
    say(f"{body['params']:,} parameters, look-ahead {seen}, in {out}")


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("export", {"": export}, words)
