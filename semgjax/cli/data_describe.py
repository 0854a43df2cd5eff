"""`semgjax data describe`: look at a folder of tables; writes a first semgjax.toml."""

import json as jsonlib
from pathlib import Path

import tyro

from semgjax.cli.terminal import say


def describe(folder: tyro.conf.Positional[Path], *, out: Path | None = None, json: bool = False) -> None:
    """Look at text, .npy, .npz or .mat files and write a first semgjax.toml for data ingest.

    Args:
        folder: folder of the recordings, which may lie in folders below
        out: the file to write (default: FOLDER/semgjax.toml); never replaced
        json: print one JSON object instead of lines
    """
    from semgjax.data.tabular.describe import describe as run

    done = run(folder, out)
    if json:
        body = {"path": str(done.path), "files": done.files, "labels": done.labels}
        print(jsonlib.dumps(body | {"found": done.found, "check": done.guessed, "fill_in": done.fill_in}))
        return
    for head, lines in (("found", done.found), ("check", done.guessed), ("fill in", done.fill_in)):
        for line in lines:
            say(f"{head:<8} {line}")
    rest = f"fill in {len(done.fill_in)} lines" if done.fill_in else "no line is left to fill in"
    say(f"{done.path}: written; {rest}, check the others, then semgjax data ingest")
