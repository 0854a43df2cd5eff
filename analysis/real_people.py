"""Study of real people: how error on unseen people falls with training people, model size, hours and calibration.

    NPROC=1 .venv/bin/python -m analysis.real_people --data SPLICED --out out/real_people --part 1/2
    NPROC=1 .venv/bin/python -m analysis.real_people --data SPLICED --out out/real_people --part 2/2
    .venv/bin/python -m analysis.real_people_report --table out/real_people --out out/analysis

SPLICED: the output of `semgjax data splice` (docs/guides/real-people.md). Every model is one piece: a piece whose
result is in OUT/pieces or in OUT's tables is not trained again (copy analysis/data/real_people*.csv to OUT to resume
from them), and a stopped one is started anew. Processes with different parts may run side by side. Writes the tables
OUT/real_people.csv, real_people_persons.csv and real_people_calibration.csv of all finished pieces; without --data it
does only that, also while others train.
"""

import dataclasses
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from analysis import command
from analysis.people_calibration import run_calibration
from analysis.people_plan import (
    Calibration,
    Design,
    Piece,
    calibrations_of,
    needed_by,
    pieces_of,
    result_file,
    share_of,
)
from analysis.people_tables import MODELS, PERSONS, VERSION, Row, earlier_rows, runs_in, write_tables
from analysis.people_training import People, Setting, read_people, run_folder, run_piece
from analysis.study import markdown
from semgjax.errors import InputError
from semgjax.files import read_json, write_json
from semgjax.training.run_folder import RESULT

STUDY = "semgjax/real-people-study"


@dataclass(frozen=True)
class Options:
    """What is trained on what, and where the tables go."""

    data: Annotated[Path | None, tyro.conf.arg(help="folder of spliced shards; without it nothing is trained")] = None
    out: Annotated[Path, tyro.conf.arg(help="folder of runs, pieces and tables")] = Path("out/real_people")
    part: Annotated[str, tyro.conf.arg(help="i/n: this process takes the i-th of n shares of the pieces")] = "1/1"
    only: Annotated[str, tyro.conf.arg(help="train the pieces whose name contains this")] = ""
    plan: Annotated[bool, tyro.conf.arg(help="print what there is to train, and train nothing")] = False
    calibration_seeds: Annotated[int, tyro.conf.arg(help="seeds that are calibrated; 0: none")] = 1
    design: Design = field(default_factory=Design)
    setting: Setting = field(default_factory=Setting)


def study(options: Options) -> str:
    """Train this part's missing pieces and write the tables; or the plan as Markdown."""
    every: list[Piece | Calibration] = [
        *pieces_of(options.design),
        *calibrations_of(options.design, options.calibration_seeds),
    ]
    mine = [piece for piece in share_of(every, options.part) if options.only in piece.name]
    tables = earlier_rows(options.out)
    finished = runs_in(tables)
    waiting = [p for p in mine if p.name not in finished and not result_file(options.out, p).exists()]
    if options.plan:
        return plan_table(mine, waiting, options)
    if options.data is not None:
        people = read_people(options.data)
        claim(people, options)
        check_rows(tables, people, options)
        for number, piece in enumerate(waiting, 1):
            began = time.monotonic()
            print(f"{piece.name}: {number} of {len(waiting)}", file=sys.stderr, flush=True)
            train_one(people, piece, options)
            print(f"{piece.name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    done = write_tables(options.out / "pieces", options.out)
    return f"{options.out}: tables of {done} of {len(every)} pieces"


def claim(people: People, options: Options) -> None:
    """Note in OUT/study.json what the pieces of a folder are of; a second process finds the same there.

    Raises:
        InputError: the folder holds pieces of other people, folds or settings ("conflict").
    """
    design = options.design
    mine = {
        "people": {person: sorted(recorded) for person, recorded in people.orders.items()},
        "draws": [design.folds, design.people[-1], design.sessions],
        "setting": dataclasses.asdict(options.setting),
    }
    path = options.out / "study.json"
    if not path.exists():
        write_json(path, STUDY, VERSION, mine)
    found = read_json(path, STUDY, VERSION)
    for name, value in mine.items():
        if found.get(name) != value:
            raise InputError(
                f"{path}: the pieces there are of other {name}; choose another folder for --out", "conflict"
            )


def check_rows(tables: Mapping[str, Sequence[Row]], people: People, options: Options) -> None:
    """See that the rows of OUT's tables are of these people and settings.

    Raises:
        InputError: they are not ("conflict").
    """
    strange = {row["person"] for row in tables[PERSONS]} - set(people.names)
    steps = {row["steps"] for row in tables[MODELS]} - {str(options.setting.steps)}
    if strange or steps:
        what = f"person {min(strange)}" if strange else f"{min(steps)} steps"
        raise InputError(
            f"{options.out / MODELS}: has rows of {what}, not of this data and --setting.steps; choose another folder "
            "for --out",
            "conflict",
        )


def train_one(people: People, piece: Piece | Calibration, options: Options) -> None:
    """Train one piece and write its result; first the model that it needs, where only the tables know it."""
    needed = needed_by(piece, options.design)
    if needed is not None and not (run_folder(options.out, needed) / RESULT).exists():
        run_piece(people, needed, options.design, options.setting, options.out)
    if isinstance(piece, Calibration):
        run_calibration(people, piece, options.design, options.setting, options.out)
    else:
        run_piece(people, piece, options.design, options.setting, options.out)


SECONDS = {"step": 0.09, "personal": 0.05, "other": 15.0}
"""on one Xeon core: a step of the middle size, a step of calibration, and loading, compiling and testing"""


def plan_table(pieces: Sequence[Piece | Calibration], waiting: Sequence[Piece | Calibration], options: Options) -> str:
    """Kinds of pieces with their number, how many wait, and core-minutes of these as measured on one Xeon core."""
    kinds: dict[str, list[Piece | Calibration]] = {}
    for piece in pieces:
        kinds.setdefault(kind_of(piece, options.design), []).append(piece)
    rows = []
    for kind, mine in kinds.items():
        left = [piece for piece in mine if piece in waiting]
        rows.append([kind, str(len(mine)), str(len(left)), f"{sum(minutes(p, options) for p in left):.0f}"])
    total = sum(minutes(piece, options) for piece in waiting)
    rows.append(["all", str(len(pieces)), str(len(waiting)), f"{total:.0f}"])
    return markdown(["kind", "pieces", "to train", "core-minutes"], rows)


def kind_of(piece: Piece | Calibration, design: Design) -> str:
    """What a piece varies."""
    if isinstance(piece, Calibration):
        return "calibration"
    if piece.teacher:
        return "student"
    if not piece.aligned:
        return "not aligned"
    if piece.width != design.middle:
        return "size"
    return "people" if piece.repetitions == 1 and piece.sessions == design.sessions else "hours"


def minutes(piece: Piece | Calibration, options: Options) -> float:
    """Estimated core-minutes of a piece."""
    setting, design = options.setting, options.design
    if isinstance(piece, Calibration):
        steps = (setting.fine_steps + setting.alone_steps) * len(design.calibration)
        return (41 / design.folds * steps * SECONDS["personal"] + SECONDS["other"]) / 60
    widths = piece.width + 0.5 * piece.teacher
    return (setting.steps * SECONDS["step"] * (0.4 + 0.6 * widths / design.middle) + SECONDS["other"]) / 60


if __name__ == "__main__":
    command.run(study, Options, __doc__)
