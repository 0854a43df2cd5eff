"""Study of transfer on simulated people who differ: does the best learning rate stay where it is as a network grows?

    NPROC=1 .venv/bin/python -m analysis.transfer_study --out out/transfer

Every run is one piece, and a piece that the table has is not made again; so a stopped study resumes. Simulates the
people under OUT (those of analysis.varied_people), trains, writes OUT/transfer.csv after every piece, and prints what
it answers. `--questions ladder` then trains the sizes behind a forecast at the transferred rate and writes
OUT/ladder.csv for `semgjax scaling fit` and `semgjax scaling forecast`; `--questions held` trains the sizes that were
forecast. The repository ships analysis/data/transfer.csv, transfer_wide.csv of other widths,
and the ledger beside them.
"""

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from analysis import command, varied_plan
from analysis.pieces import Row, make_rows, read_rows, write_rows
from analysis.transfer_figure import rates_figure
from analysis.transfer_plan import BASE, Design, Piece, Question, further_pieces, ladder_pieces, rate_pieces
from analysis.transfer_verdicts import answers, best_at, wanted_rates
from semgjax.data.corpus import Corpus, load_corpus
from semgjax.data.splitting.splits import write_split
from semgjax.pages.law_plot import save_figure
from semgjax.sweep.trial_cost import parameters_of
from semgjax.training.run_config import RunConfig
from semgjax.transfer.last_loss import last_loss
from semgjax.transfer.members import member

COLUMNS = ("piece", "parametrization", "width", "params", "rate", "learning_rate", "seed", "steps", "loss")


@dataclass(frozen=True)
class Options:
    """What is trained, and where it goes."""

    out: Annotated[Path, tyro.conf.arg(help="folder of people, runs and the table")] = Path("out/transfer")
    only: Annotated[str, tyro.conf.arg(help="make the pieces whose name contains this")] = ""
    questions: Annotated[tuple[Question, ...], tyro.conf.arg(help="whose pieces are made")] = ("rates",)
    table: Annotated[Path | None, tyro.conf.arg(help="judge this table, train nothing")] = None
    figure: Annotated[Path | None, tyro.conf.arg(help="PNG of losses over rates")] = None
    design: Design = field(default_factory=Design)


def study(options: Options) -> str:
    """Make the missing pieces; the answers as Markdown."""
    if options.table is not None:
        rows = read_rows(options.table)
    else:
        table = options.out / "transfer.csv"
        corpus = _corpus(options)
        rows = read_rows(table) if table.exists() else []
        for question in options.questions:
            while pieces := _missing(question, rows, options):
                rows = make_rows(table, COLUMNS, pieces, "", lambda piece: _row(piece, corpus, options), "loss")
        if set(options.questions) & {"ladder", "held"}:
            names = {piece.name for piece in _pieces("ladder", rows, options.design)}
            write_rows(options.out / "ladder.csv", COLUMNS, [row for row in rows if row["piece"] in names])
    if options.figure is not None:
        save_figure(rates_figure(rows, options.design), options.figure)
    return answers(rows, options.design)


def _missing(question: Question, rows: Sequence[Row], options: Options) -> list[Piece]:
    """Pieces of a question that the table lacks; rates beyond those of the design once these are there."""
    design, known = options.design, {row["piece"] for row in rows}

    def missing(pieces: Sequence[Piece]) -> list[Piece]:
        return [piece for piece in pieces if piece.name not in known and options.only in piece.name]

    found = missing(_pieces(question, rows, design))
    if found or question != "rates":
        return found
    places = itertools.product(design.parametrizations, design.widths)
    return missing(
        [one for place in places for one in further_pieces(design, *place, wanted_rates(rows, design, *place))]
    )


def _pieces(question: Question, rows: Sequence[Row], design: Design) -> list[Piece]:
    if question == "rates":
        return rate_pieces(design)
    widths = design.ladder if question == "ladder" else design.held
    return ladder_pieces(design, widths, best_at(rows, design, "completep", design.tuned))


def _corpus(options: Options) -> Corpus:
    design = options.design
    people = varied_plan.Design(users=(design.crowd,), minutes=design.minutes)
    folder = varied_plan.people_folder(options.out, people, design.people_seed)
    piece = varied_plan.Piece("network", "users", design.people_seed, design.crowd, 0)
    whole = varied_plan.split_of(piece, people)
    # Runs are judged by their training loss: one session each is enough of the others.
    split_file = options.out / "split.json"
    write_split(split_file, dataclasses.replace(whole, val=whole.val[:1], test=whole.test[:1]))
    return load_corpus(folder, split_file)


def run_of(piece: Piece, corpus: Corpus, design: Design) -> RunConfig:
    """The run of a piece."""
    config = member("keys", piece.width, BASE.base_layers, piece.parametrization, corpus, piece.seed)
    rate = piece.rate * config.optimizer.learning_rate
    length = {"steps": design.steps, "batch": design.batch, "evaluate_every": design.steps, "log_every": 10}
    return dataclasses.replace(
        config,
        optimizer=dataclasses.replace(config.optimizer, learning_rate=rate),
        train=dataclasses.replace(config.train, checkpoint_every=design.steps, **length),
    )


def _row(piece: Piece, corpus: Corpus, options: Options) -> dict[str, Any]:
    config = run_of(piece, corpus, options.design)
    return {
        **{name: getattr(piece, name) for name in ("parametrization", "width", "seed")},
        "params": parameters_of(config.model),
        "rate": f"{piece.rate:g}",
        "learning_rate": f"{config.optimizer.learning_rate:.6g}",
        "steps": config.train.steps,
        "loss": last_loss(config, corpus, options.out / "runs" / piece.name),
    }


if __name__ == "__main__":
    command.run(study, Options, __doc__)
