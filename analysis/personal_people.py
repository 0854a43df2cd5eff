"""Study of personalisation on simulated people who differ: what a person's first minutes give, by method and base.

    NPROC=1 .venv/bin/python -m analysis.personal_people --out out/taught_people

Every person's decoder is one piece, and a piece that the table has is not made again; so a stopped study resumes.
Bases are runs of analysis.taught_people, used where OUT has them and trained where not. Writes OUT/personal_people.csv
after every piece and prints what it answers. With --table FILE nothing is trained. The repository ships
analysis/data/personal_people.csv.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from analysis import command, taught_people, varied_plan
from analysis.personal_figure import minutes_figure
from analysis.personal_plan import Design, Piece, Question, base_of, pieces_of, split_of
from analysis.personal_verdicts import answers
from analysis.pieces import make_rows, read_rows
from semgjax import personalize
from semgjax.data.splitting.splits import write_split
from semgjax.pages.law_plot import save_figure
from semgjax.training.run_folder import load_finished

COLUMNS = (
    *("piece", "seed", "base", "params", "method", "minutes", "rate", "person", "trained", "best_step"),
    *("base_error", "error"),
)


@dataclass(frozen=True)
class Options:
    """Whose decoders are made, and where they go."""

    out: Annotated[Path, tyro.conf.arg(help="folder of people, runs and the table")] = Path("out/taught_people")
    only: Annotated[str, tyro.conf.arg(help="make the pieces whose name contains this")] = ""
    questions: Annotated[tuple[Question, ...], tyro.conf.arg(help="whose pieces are made")] = ("methods", "bases")
    table: Annotated[Path | None, tyro.conf.arg(help="judge this table, train nothing")] = None
    figure: Annotated[Path | None, tyro.conf.arg(help="PNG of the curves over minutes")] = None
    design: Design = field(default_factory=Design)


def study(options: Options) -> str:
    """Make the missing pieces; the answers as Markdown."""
    if options.table is not None:
        rows = read_rows(options.table)
    else:
        pieces = pieces_of(options.design, options.questions)
        table = options.out / "personal_people.csv"
        rows = make_rows(table, COLUMNS, pieces, options.only, lambda piece: _row(piece, options))
    if options.figure is not None:
        save_figure(minutes_figure(rows, options.design), options.figure)
    return answers(rows, options.design)


def _row(piece: Piece, options: Options) -> dict[str, Any]:
    """One person's decoder; its run is removed once its row is known."""
    out, design = options.out, options.design
    base = base_of(piece, design)
    taught_people.trained(base, out, design.taught)
    folder = taught_people.run_folder(base, out)
    split_file = out / "splits" / f"personal-{piece.seed}.json"
    write_split(split_file, split_of(piece.seed, design))
    run = out / "personal" / piece.name
    config, _ = load_finished(folder)
    result = personalize(
        folder,
        _days(piece.seed, options),
        f"user{piece.person:03d}",
        piece.minutes,
        run,
        splits=split_file,
        method=piece.method,
        learning_rate=piece.rate * config.optimizer.learning_rate if piece.rate else None,
        steps=design.steps,
        batch=design.batch,
        seed=piece.seed,
    ).result
    shutil.rmtree(run)
    own = result["personal"]
    return {
        **{name: getattr(piece, name) for name in ("seed", "base", "method", "person")},
        "params": result["params"],
        "minutes": f"{piece.minutes:g}",
        "rate": f"{piece.rate:g}" if piece.rate else None,
        **{name: own[name] for name in ("trained", "best_step")},
        "base_error": _tested(own["base_scores"]),
        "error": _tested(result["scores"]),
    }


def _days(seed: int, options: Options) -> Path:
    """Everybody's further days, simulated where they are missing; the two tested ones are the bytes of the bases'."""
    taught = options.design.taught
    corpora = varied_plan.Design(users=(taught.crowd,), minutes=taught.minutes, own_days=options.design.own_days)
    varied_plan.people_folder(options.out, corpora, seed)
    return options.out / f"days-{seed}"


def _tested(scores: list[dict[str, Any]]) -> float:
    (found,) = [row["cer"] for row in scores if row["split"] == "test" and row["averaging"] == "pooled"]
    return float(found)


if __name__ == "__main__":
    command.run(study, Options, __doc__)
