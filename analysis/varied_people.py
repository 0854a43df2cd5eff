"""Study of simulated people who differ: what users, size, and a person's own recordings are worth on them.

    NPROC=1 .venv/bin/python -m analysis.varied_people --out out/varied_people

Every model is one piece, and a piece that the table has is not made again; so a stopped study resumes. Simulates the
people under OUT, trains, writes the table OUT/varied_people.csv after every piece, and prints a verdict for each bar.
With --table FILE nothing is trained: the verdicts of that table are printed. The repository ships
analysis/data/varied_people.csv.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tyro

from analysis import command
from analysis.key_discriminant import fit_keys, keys_of
from analysis.pieces import Row, make_rows, read_rows
from analysis.study import markdown
from analysis.varied_plan import TEST, Design, Piece, people_folder, pieces_of, split_of
from analysis.varied_verdicts import verdicts
from semgjax.data.corpus import load_corpus
from semgjax.data.sessions import load_sessions
from semgjax.data.splitting.splits import write_split
from semgjax.sweep.resolve import run_config
from semgjax.training.loop import train
from semgjax.training.metrics import read_metrics
from semgjax.training.run_folder import METRICS

COLUMNS = ("piece", "decoder", "axis", "seed", "users", "params", "person", "steps", "error", "own", "others", "late")


@dataclass(frozen=True)
class Options:
    """What is trained, and where it goes."""

    out: Annotated[Path, tyro.conf.arg(help="folder of people, runs and the table")] = Path("out/varied_people")
    only: Annotated[str, tyro.conf.arg(help="make the pieces whose name contains this")] = ""
    table: Annotated[Path | None, tyro.conf.arg(help="judge this table, train nothing")] = None
    design: Design = field(default_factory=Design)


def study(options: Options) -> str:
    """Make the missing pieces; the verdicts as Markdown."""
    if options.table is not None:
        return words_of(read_rows(options.table), options.design)

    def row(piece: Piece) -> dict[str, Any]:
        return _discriminant(piece, options) if piece.decoder == "discriminant" else _network(piece, options)

    table = options.out / "varied_people.csv"
    return words_of(make_rows(table, COLUMNS, pieces_of(options.design), options.only, row), options.design)


def words_of(rows: list[Row], design: Design) -> str:
    """The verdicts of both decoders as Markdown."""
    found = [
        [decoder, bar, measured, verdict]
        for decoder in ("network", "discriminant")
        for bar, measured, verdict in verdicts([row for row in rows if row["decoder"] == decoder], design)
    ]
    return markdown(["decoder", "bar", "measured", "verdict"], found)


def _discriminant(piece: Piece, options: Options) -> dict[str, Any]:
    people = people_folder(options.out, options.design, piece.seed)
    split = split_of(piece, options.design)
    folder = people.with_name(f"days-{piece.seed}") if piece.axis == "alone" else people
    model = fit_keys([keys_of(session) for session in load_sessions(folder, split.train)])
    errors: dict[str, list[float]] = {}
    for session in load_sessions(folder, split.test):
        errors.setdefault(session.user, []).append(model.error([keys_of(session)]))
    params = model.weights.size + model.offsets.size
    return _row(piece, {user: sum(found) / len(found) for user, found in errors.items()}, params, 0, None)


def _network(piece: Piece, options: Options) -> dict[str, Any]:
    design = options.design
    people = people_folder(options.out, design, piece.seed)
    folder = people.with_name(f"days-{piece.seed}") if piece.axis == "alone" else people
    split_file = options.out / "splits" / f"{piece.name}.json"
    write_split(split_file, split_of(piece, design))
    corpus = load_corpus(folder, split_file)
    often = max(1, design.steps // 6)
    choices = {
        "preset": f"keys-{piece.width}",
        "train.steps": design.steps,
        "train.batch": design.batch,
        "train.seed": piece.seed,
        "train.evaluate_every": often,
        "train.checkpoint_every": often,
    }
    config = run_config(choices, corpus.hash, band=corpus.band)
    run = options.out / "runs" / piece.name
    result = train(config, corpus, run)
    users = {row["user"]: row["cer"] for row in result["users_scores"] if row["split"] == "test"}
    return _row(piece, users, result["params"], design.steps, late_of(run, result))


def late_of(run: Path, result: dict[str, Any]) -> float | None:
    """By how much the error on validation people fell after the last validation within training, in percent."""
    curve = [line["cer"] for line in read_metrics(run / METRICS) if line.get("split") == "val"]
    last = [row["cer"] for row in result["scores"] if row["split"] == "val" and row["averaging"] == "pooled"]
    return 100.0 * (curve[-1] - last[0]) / last[0] if curve and last else None


def _row(piece: Piece, users: dict[str, float], params: int, steps: int, late: float | None) -> dict[str, Any]:
    """error: mean over the test people; own, others: of a model of one person, that person's and the others' error.

    late: by how much the error on validation people fell in the last sixth of the steps, in percent of the last.
    """
    assert len(users) == TEST
    own = {f"user{piece.person:03d}"} & users.keys()
    rest = [error for user, error in users.items() if user not in own]
    return {
        "decoder": piece.decoder,
        "axis": piece.axis,
        "seed": piece.seed,
        "users": piece.users,
        "params": params,
        "person": piece.person if own else None,
        "steps": steps,
        "error": sum(users.values()) / len(users),
        "own": users[own.pop()] if own else None,
        "others": sum(rest) / len(rest) if len(rest) < len(users) else None,
        "late": late,
    }


if __name__ == "__main__":
    command.run(study, Options, __doc__)
