"""Study of distillation on simulated people who differ: students of 20 times fewer parameters, with few labels or none.

    NPROC=1 .venv/bin/python -m analysis.taught_people --out out/taught_people

Every model is one piece, and a piece that the table has is not made again; so a stopped study resumes. Simulates the
people under OUT (those of analysis.varied_people), trains, writes the table OUT/taught_people.csv after every piece,
and prints what it answers. With --table FILE nothing is trained. The repository ships analysis/data/taught_people.csv.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from analysis import command, varied_plan
from analysis.pieces import Row, make_rows, read_rows
from analysis.taught_figures import labels_figure, losses_figure, sizes_figure
from analysis.taught_plan import LOSSES, Design, Piece, Question, pieces_of, split_of, student, teacher_of
from analysis.taught_verdicts import answers
from analysis.varied_people import late_of
from semgjax.data.corpus import Corpus, load_corpus
from semgjax.data.splitting.splits import write_split
from semgjax.data.trained_on import held_out
from semgjax.distilling.teachers import Teacher, lineage_of, load_teacher, student_config
from semgjax.model.flops import train_flops
from semgjax.pages.law_plot import save_figure
from semgjax.sweep.resolve import run_config, steps_for
from semgjax.training.distill_config import DistillOptions
from semgjax.training.loop import train
from semgjax.training.run_config import RunConfig

PERSONS = tuple(f"person{person}" for person in range(varied_plan.TEST))
COLUMNS = (
    *("piece", "role", "seed", "labelled", "rest", "width", "params", "teacher", "known", "ahead", "loss", "times"),
    *("compute", "rate", "steps", "error", "late", *PERSONS),
)  # fmt: skip

FIGURES = {"labels": labels_figure, "losses": losses_figure, "sizes": sizes_figure}


@dataclass(frozen=True)
class Options:
    """What is trained, and where it goes."""

    out: Annotated[Path, tyro.conf.arg(help="folder of people, runs and the table")] = Path("out/taught_people")
    only: Annotated[str, tyro.conf.arg(help="make the pieces whose name contains this")] = ""
    questions: Annotated[tuple[Question, ...], tyro.conf.arg(help="whose pieces are made")] = ("proof", "labels")
    table: Annotated[Path | None, tyro.conf.arg(help="judge this table, train nothing")] = None
    figures: Annotated[Path | None, tyro.conf.arg(help="folder to draw the figures in")] = None
    design: Design = field(default_factory=Design)


def study(options: Options) -> str:
    """Make the missing pieces; the answers as Markdown."""
    if options.table is not None:
        return _answers(read_rows(options.table), options)
    table = options.out / "taught_people.csv"
    pieces = pieces_of(options.design, options.questions)

    def row(piece: Piece) -> dict[str, Any]:
        return _row(piece, trained(piece, options.out, options.design), options)

    rows = make_rows(table, COLUMNS, pieces, options.only, row)
    return _answers(rows, options)


def _answers(rows: list[Row], options: Options) -> str:
    if options.figures is not None:
        for name, draw in FIGURES.items():
            save_figure(draw(rows, options.design), options.figures / f"taught_{name}.png")
    return answers(rows, options.design)


def trained(piece: Piece, out: Path, design: Design) -> dict[str, Any]:
    """The result of a piece's run, trained if it is not finished; so is the teacher of a student."""
    run = run_folder(piece, out)
    corpus = _corpus(piece, out, design)
    if piece.role != "student":
        return train(alone_config(piece, corpus, design), corpus, run)
    taught_by = teacher_of(piece, design)
    trained(taught_by, out, design)
    teacher = load_teacher(run_folder(taught_by, out))
    config = taught_config(piece, corpus, design, teacher)
    return train(config, corpus, run, [(teacher.config.model, teacher.params)], lineage=lineage_of([teacher], corpus))


def run_folder(piece: Piece, out: Path) -> Path:
    """Where a piece's run is."""
    return out / "runs" / piece.name


def _corpus(piece: Piece, out: Path, of_design: Design) -> Corpus:
    design = varied_plan.Design(users=(of_design.crowd,), minutes=of_design.minutes)
    people = varied_plan.people_folder(out, design, piece.seed)
    split_file = out / "splits" / f"{piece.seed}-{piece.labelled}-{piece.rest}.json"
    write_split(split_file, split_of(piece))
    return load_corpus(people, split_file)


def taught_config(piece: Piece, corpus: Corpus, design: Design, teacher: Teacher) -> RunConfig:
    """The run of a student."""
    distill = DistillOptions(**LOSSES[piece.loss]).config(teacher.config.hash)
    plain = _plain(piece, corpus, piece.times * design.student_steps, design)
    return student_config(plain, teacher, distill, held_out(corpus))


def alone_config(piece: Piece, corpus: Corpus, design: Design) -> RunConfig:
    """The run of a teacher, or of a student's size without one."""
    steps = design.steps if piece.role == "teacher" else piece.times * design.student_steps
    plain = _plain(piece, corpus, steps, design)
    if not piece.compute:
        return plain
    teacher = _plain(teacher_of(student(design, piece.seed, piece.labelled), design), corpus, 1, design).model
    budget = design.student_steps * design.batch * train_flops(plain.model, plain.window.total, (teacher,))
    return _plain(piece, corpus, steps_for(budget, plain), design)


def _plain(piece: Piece, corpus: Corpus, steps: int, design: Design) -> RunConfig:
    """A piece's run without its teacher."""
    often = max(1, steps // 6)
    choices = {
        "preset": f"keys-{piece.width}",
        "train.steps": steps,
        "train.batch": design.batch,
        "train.seed": piece.seed,
        "train.evaluate_every": often,
        "train.checkpoint_every": often,
    }
    if piece.role == "teacher":
        choices |= {"model.dropout": design.dropout, "model.mask_share": design.dropout}
        choices["model.causal"] = not piece.ahead
    config = run_config(choices, corpus.hash, band=corpus.band)
    peak = piece.rate * config.optimizer.learning_rate
    return dataclasses.replace(config, optimizer=dataclasses.replace(config.optimizer, learning_rate=peak))


def _row(piece: Piece, result: dict[str, Any], options: Options) -> dict[str, Any]:
    users = {row["user"]: row["cer"] for row in result["users_scores"] if row["split"] == "test"}
    assert len(users) == len(PERSONS)
    errors: Sequence[float] = [users[user] for user in sorted(users)]
    return {
        **{name: getattr(piece, name) for name in ("role", "seed", "labelled", "rest", "width", "loss")},
        **{name: int(getattr(piece, name)) for name in ("compute", "ahead", "teacher", "known", "times")},
        "params": result["params"],
        "rate": f"{piece.rate:g}",
        "steps": result["steps"],
        "error": sum(errors) / len(errors),
        "late": late_of(run_folder(piece, options.out), result),
        **dict(zip(PERSONS, errors, strict=True)),
    }


if __name__ == "__main__":
    command.run(study, Options, __doc__)
