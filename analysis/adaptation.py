"""Study of adaptation without labels: methods against the same three controls, by the rule of adaptation_plan.

    NPROC=1 .venv/bin/python -m analysis.adaptation --out out/adaptation --study simulated
    NPROC=1 .venv/bin/python -m analysis.adaptation --out out/adaptation --study real --data SPLICED

SPLICED: the output of `semgjax data splice` (docs/guides/real-people.md). Every method for one person is one piece,
and a piece that the table has is not made again; so a stopped study resumes. Simulates and trains under OUT as
analysis.taught_people does, writes the table OUT/adaptation.csv after every piece, and prints the verdicts. With
--table FILE nothing is run. The repository ships analysis/data/adaptation.csv.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from analysis import command
from analysis.adaptation_plan import Design, Piece, Where, real_pieces, simulated_pieces
from analysis.adaptation_real import TRAINED, load_fold, real_errors
from analysis.adaptation_simulated import load_base, simulated_errors
from analysis.adaptation_verdicts import answers, differences_figure
from analysis.people_plan import draw_people
from analysis.people_training import read_people
from analysis.pieces import make_rows, read_rows
from analysis.varied_plan import TEST
from semgjax.errors import InputError
from semgjax.evaluate.error_rates import Counts
from semgjax.pages.law_plot import save_figure

COLUMNS = ("piece", "study", "group", "person", "method", "keys", "wrong", "same_keys", "same_wrong", "error")


@dataclass(frozen=True)
class Options:
    """What is adapted to what, and where it goes."""

    out: Annotated[Path, tyro.conf.arg(help="folder of people, runs and the table")] = Path("out/adaptation")
    study: Annotated[Literal["simulated", "real"], tyro.conf.arg(help="whose people")] = "simulated"
    data: Annotated[Path | None, tyro.conf.arg(help="folder of spliced shards, for --study real")] = None
    only: Annotated[str, tyro.conf.arg(help="make the pieces whose name contains this")] = ""
    table: Annotated[Path | None, tyro.conf.arg(help="judge this table, run nothing")] = None
    figure: Annotated[Path | None, tyro.conf.arg(help="PNG of the differences")] = None
    design: Design = field(default_factory=Design)


def study(options: Options) -> str:
    """Make the missing pieces; the verdicts as Markdown.

    Raises:
        InputError: the real people are asked for without --data ("bad-value"), or see `read_people`.
    """
    if options.table is not None:
        rows = read_rows(options.table)
    else:
        make = _simulated if options.study == "simulated" else _real
        rows = make(options)
    if options.figure is not None:
        save_figure(differences_figure(rows), options.figure)
    return answers(rows)


def _simulated(options: Options) -> list[dict[str, str]]:
    @cache
    def base(seed: int) -> Any:
        return load_base(options.out, seed, options.design)

    def row(piece: Piece) -> dict[str, Any]:
        return row_of(piece, simulated_errors(base(piece.group), piece))

    people = {seed: tuple(f"user{person:03d}" for person in range(TEST)) for seed in options.design.seeds}
    return make_rows(_table(options), COLUMNS, simulated_pieces(options.design, people), options.only, row)


def _real(options: Options) -> list[dict[str, str]]:
    if options.data is None:
        raise InputError("--study real: give --data, the output of semgjax data splice", "bad-value")
    people = read_people(options.data)
    folds = range(options.design.folds)
    tested = {fold: draw_people(people.names, fold, len(folds), 0, TRAINED).test for fold in folds}

    @cache
    def fold_of(number: int) -> Any:
        return load_fold(people, number, options.design)

    def row(piece: Piece) -> dict[str, Any]:
        return row_of(piece, real_errors(fold_of(piece.group), piece))

    return make_rows(_table(options), COLUMNS, real_pieces(tested), options.only, row)


def _table(options: Options) -> Path:
    return options.out / "adaptation.csv"


def row_of(piece: Piece, found: Mapping[Where, Counts]) -> dict[str, Any]:
    """Keys or events and wrong edit operations, tested on the other session and on the same; error of the former."""
    cells: dict[str, Any] = {name: getattr(piece, name) for name in ("study", "group", "person", "method")}
    for where, prefix in (("other", ""), ("same", "same_")):
        counts = found[where]  # type: ignore[index]
        cells[f"{prefix}keys"] = counts.reference
        cells[f"{prefix}wrong"] = counts.substitutions + counts.deletions + counts.insertions
    return {**cells, "error": found["other"].rate}


if __name__ == "__main__":
    command.run(study, Options, __doc__)
