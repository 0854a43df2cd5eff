"""The study of varied people: its pieces, its splits, its verdicts, and the table that the repository ships."""

import csv
from pathlib import Path

import pytest

from analysis.pieces import read_rows
from analysis.varied_people import COLUMNS, Options, study
from analysis.varied_plan import Design, Piece, pieces_of, split_of
from analysis.varied_verdicts import verdicts

SHIPPED = Path(__file__).parents[2] / "analysis" / "data" / "varied_people.csv"


def rows_of(errors: dict[int, list[float]], axis: str = "users", **cells: str) -> list[dict[str, str]]:
    """Rows of runs: {users (or parameters of sizes): errors of the seeds}."""
    blank = dict.fromkeys(COLUMNS, "")
    column = "users" if axis == "users" else "params"
    return [
        {**blank, "users": "64", "axis": axis, "seed": str(seed), "error": str(error), column: str(place), **cells}
        for place, found in errors.items()
        for seed, error in enumerate(found)
    ]


def judged(rows: list[dict[str, str]], start: str) -> str:
    return next(verdict for bar, _, verdict in verdicts(rows, Design()) if bar.startswith(start))


def law(alpha: float, floor_at: int = 1000) -> dict[int, list[float]]:
    """Errors of three seeds within two percent of a power law that ends at a number of users."""
    return {u: [70 * min(u, floor_at) ** -alpha * scatter for scatter in (0.98, 1.0, 1.02)] for u in Design().users}


def test_error_that_falls_with_every_doubling_holds_all_bars_on_users():
    rows = rows_of(law(0.12))
    assert judged(rows, "error falls at every doubling") == "holds"
    assert judged(rows, "the exponent over users") == "holds"
    assert judged(rows, "a floor reached at 8") == "holds"


def test_a_floor_at_eight_users_is_not_rejected():
    rows = rows_of(law(0.2, floor_at=8))
    assert judged(rows, "error falls at every doubling") == "fails"
    assert judged(rows, "a floor reached at 8") == "fails"


def test_sizes_must_fall_by_a_quarter_over_a_factor_of_twenty():
    falling = {10_000: [60.0], 50_000: [50.0], 400_000: [40.0]}
    assert judged(rows_of(falling, "sizes"), "error falls at every size") == "holds"
    assert judged(rows_of(falling | {400_000: [49.0]}, "sizes"), "error falls at every size") == "fails"
    assert (
        judged(rows_of({10_000: [60.0], 50_000: [50.0], 90_000: [40.0]}, "sizes"), "error falls at every size")
        == "fails"
    )


def test_what_was_not_trained_is_not_measured():
    assert {verdict for _, _, verdict in verdicts([], Design())} == {"not measured"}


def test_a_persons_other_days_are_set_against_zero_shot_at_32_users():
    alone = rows_of({64: [70.0, 72.0]}, "alone", own="12.0", others="85.0")
    rows = rows_of({32: [50.0, 52.0]}) + alone
    assert judged(rows, "a person's own other days: at most") == "holds"
    assert judged(rows, "a person's own other days: 5 to 15") == "holds"
    assert judged(rows, "a model of one person on others") == "holds"
    assert judged(rows, "zero-shot of the middle size") == "holds"


def test_nobodys_session_is_in_two_parts_and_test_people_are_never_trained_on():
    design = Design()
    for piece in pieces_of(design):
        split = split_of(piece, design)
        parts = [*split.train, *split.val, *split.test]
        assert len(set(parts)) == len(parts)
        if piece.axis != "alone":
            assert not {name.split("-")[1] for name in split.train} & {name.split("-")[1] for name in split.test}
    names = [piece.name for piece in pieces_of(design)]
    assert len(set(names)) == len(names)


def test_more_people_contain_fewer():
    design = Design()
    few, many = (split_of(Piece("network", "users", 0, users, 40), design) for users in (4, 8))
    assert set(few.train) < set(many.train) and few.test == many.test


def test_the_shipped_table_holds_pieces_of_the_design():
    rows = read_rows(SHIPPED)
    assert {row["piece"] for row in rows} <= {piece.name for piece in pieces_of(Design())}
    assert len(rows) == len({row["piece"] for row in rows}) >= 10


@pytest.mark.slow
def test_a_small_study_resumes_and_judges_its_table(tmp_path):
    design = Design(
        seeds=(0,), users=(2,), widths=(16,), middle=16, minutes=0.2, own_days=1, own_people=1, steps=2, batch=2
    )
    options = Options(out=tmp_path, design=design)
    words = study(options)
    path = tmp_path / "varied_people.csv"
    made = path.read_bytes()
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(pieces_of(design)) and all(0 < float(row["error"]) <= 150 for row in rows)
    assert [row["own"] != "" for row in rows] == [row["axis"] == "alone" for row in rows]
    assert study(options) == words == study(Options(table=path, design=design))
    assert path.read_bytes() == made
