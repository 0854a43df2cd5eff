"""`semgjax export`: a finished run's parameters as a self-contained checkpoint, and its verification."""

from pathlib import Path

import tyro

from semgjax.cli.parse import run_commands
from semgjax.cli.terminal import say
from semgjax.errors import InputError
from semgjax.measures import MEASURES
from semgjax.runtime.about import Format


def export(
    run: tyro.conf.Positional[str],
    /,
    *,
    out: Path | None = None,
    format: Format = "orbax",
    int8: bool = False,
    licence: str = "",
    verify: Path | None = None,
    splits: Path | None = None,
) -> None:
    """Write model.json, a card and files of a format, which need neither the run's folder nor its configuration.

    Args:
        run: finished run directory, or an export or import with parameters, or its address (gs://...); with --verify
            and without --out any export
        out: new folder for the export
        format: orbax, safetensors (parameters by name), stablehlo (programs that JAX runs without this package), onnx,
            or litert (experimental)
        int8: of format onnx or litert: weights as int8, a quarter of the size
        licence: of the parameters, one line for the card (such as CC-BY-4.0)
        verify: folder of the run's sessions: evaluate the export and refuse it if its scores differ from the run's
        splits: split file of the run (default: splits.json in the folder of sessions)
    """
    from semgjax.api import runs

    if out is None and verify is None:
        raise InputError("--out is missing; name a new folder for the export (semgjax export --help)", "bad-option")
    if splits is not None and verify is None:
        raise InputError("--splits needs --verify", "conflict")
    if out is None:
        assert verify is not None
        found = runs.verify(run, verify, splits)
    else:
        found = runs.export(run, out, format=format, int8=int8, licence=licence, data=verify, splits=splits)
    for row in found.verified:
        measure = MEASURES[row.metric]
        found_none = row.measured is None
        rate = f"no {measure.things}" if found_none else f"{row.measured:.2f} %, recorded {row.recorded:.2f} %"
        print(f"verified: {row.split} {row.averaging} {measure.words} {rate}")
    if out is not None:
        look_ahead = found.about["look_ahead_samples"]
        seen = "the whole input" if look_ahead is None else f"{look_ahead} samples"
        say(f"{found.about['params']:,} parameters, look-ahead {seen}, in {out}")


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("export", {"": export}, words)
