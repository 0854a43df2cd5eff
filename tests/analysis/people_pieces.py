"""Pieces of a made-up study of people, whose errors follow a law: what the tables and the report are tested on."""

from pathlib import Path

import numpy as np

from analysis.people_plan import Design, calibrations_of, draw_people, pieces_of, result_file
from analysis.people_tables import SCHEMA, VERSION
from semgjax.files import write_json

PEOPLE = [f"{10_000 + 137 * number}" for number in range(41)]
DESIGN = Design(seeds=2)
EVENTS = 84
PARAMS = {16: 20_000, 32: 70_000, 48: 250_000, 96: 500_000}


def error(people: float, params: float = 250_000.0, share: float = 1.0) -> float:
    """Percent, of the made-up law."""
    return 30.0 + 45.0 * people**-0.4 * share**-0.2 * (params / 250_000.0) ** -0.1


def counts(percent: float, person: str, random: np.random.Generator) -> list[int]:
    own = 0.8 + 0.4 * (PEOPLE.index(person) / 40.0)
    wrong = int(round(EVENTS * percent / 100.0 * own * np.exp(0.05 * random.normal())))
    return [EVENTS, wrong - wrong // 3, wrong // 3, 0]


def write_pieces(out: Path, design: Design = DESIGN) -> Path:
    """Write all pieces of a study; the folder of the pieces."""
    random = np.random.default_rng(3)
    for piece in pieces_of(design):
        test = draw_people(PEOPLE, piece.fold, design.folds, piece.seed, design.people[-1]).test
        percent = error(piece.people, PARAMS[piece.width], piece.repetitions * piece.sessions / design.sessions)
        percent -= 3.0 if piece.teacher else 0.0

        kinds = {"network": 0.0 if piece.aligned else 4.0}
        if (
            piece.aligned
            and piece.width == design.middle
            and piece.repetitions == 1
            and piece.sessions == design.sessions
        ):
            kinds["discriminant"] = 15.0
        results = [
            {
                "method": method, "turn": turn, "params": PARAMS[piece.width],
                "persons": {person: counts(percent + more - less, person, random) for person in test},
            }
            for method, more in kinds.items()
            for turn, less in (("worn", 0.5), ("decoder", 2.0), ("discriminant", 4.0))
        ]  # fmt: skip
        body = {
            "run": piece.name, "fold": piece.fold, "seed": piece.seed, "people": piece.people, "width": piece.width,
            "sessions": piece.sessions, "repetitions": piece.repetitions, "steps": 900, "spliced": True,
            "aligned": piece.aligned,
            "hours": 0.15 * piece.people * piece.sessions * piece.repetitions,
            "teacher_params": PARAMS[piece.teacher] if piece.teacher else None, "results": results,
        }  # fmt: skip
        write_json(result_file(out, piece), SCHEMA, VERSION, body)
    for group in calibrations_of(design, 2):
        test = draw_people(PEOPLE, group.fold, design.folds, group.seed, design.people[-1]).test
        models = [("28 people", k, error(28.0) * (1.0 + k) ** -0.5) for k in (0, *design.calibration)]
        models += [("nothing", k, 90.0 * k**-0.3) for k in design.calibration]
        rows = [
            {"person": person, "start": start, "events_a_class": k, "steps": 90, "counts": counts(rate, person, random)}
            for person in test
            for start, k, rate in models
        ]
        body = {"run": group.name, "fold": group.fold, "seed": group.seed, "spliced": True, "calibrations": rows}
        write_json(result_file(out, group), SCHEMA, VERSION, body)
    return out / "pieces"
