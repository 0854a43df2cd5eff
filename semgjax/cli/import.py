"""`semgjax import`: parameters of an export, of tensors or of an orbax checkpoint, as a decoder to train further."""

from pathlib import Path

import tyro

from semgjax.cli.parse import run_commands
from semgjax.cli.terminal import say


def import_(
    source: tyro.conf.Positional[str],
    /,
    *,
    out: Path,
    like: str | None = None,
    preset: str | None = None,
    data: Path | None = None,
    splits: Path | None = None,
) -> None:
    """Write a decoder folder (format orbax) that train --init, distill --init, personalize and evaluate take.

    Args:
        source: an export with parameters (orbax, safetensors, stablehlo), its address, or tensors by name, as
            `semgjax export --format safetensors` names them: FILE.safetensors, or the folder of an orbax checkpoint
        out: new folder
        like: of tensors: a run or export whose network, windows and band they are for
        preset: of tensors, instead: the size whose network they are for
        data: with --preset: folder of sessions whose band it is made to fit (default: two wrists at 2 kHz)
        splits: split file (default: splits.json in the folder of sessions)
    """
    from semgjax.api import imports

    found = imports.import_parameters(source, out, like=like, preset=preset, data=data, splits=splits)
    say(f"{found.about['params']:,} parameters in {out}; train further with semgjax train --init {out}")


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("import", {"": import_}, words)
