"""The study of personalisation: its pieces and split, what it answers from known errors, and a small one."""

import numpy as np
import pytest

from analysis.personal_figure import minutes_figure
from analysis.personal_people import COLUMNS, Options, study
from analysis.personal_plan import METHODS, QUESTIONS, Design, Piece, base_of, pieces_of, split_of
from analysis.personal_verdicts import answers, curve_of
from analysis.taught_plan import Design as Taught

DESIGN = Design()


def rows_of(pieces: list[Piece]) -> list[dict[str, str]]:
    """Rows of pieces: people who differ by 20 points, bases by 5, and an error that every doubling lowers by 4."""
    start = {"student": 40.0, "alone": 45.0, "few": 60.0, "teacher": 35.0}
    rows = []
    for piece in pieces:
        before = start[piece.base] + 3.0 * piece.person + 2.0 * piece.seed
        gain = 4.0 * (1.0 + np.log2(piece.minutes / 0.75)) * (1.0 if piece.method == "full" else 0.5)
        cells = {
            **{name: str(getattr(piece, name)) for name in ("seed", "base", "method", "person")},
            "minutes": f"{piece.minutes:g}",
            "rate": f"{piece.rate:g}" if piece.rate else "",
            "base_error": f"{before:.4f}",
            "error": f"{before - gain:.4f}",
        }
        rows.append(dict.fromkeys(COLUMNS, "") | cells)
    return rows


def cells_of(text: str, *first: str) -> list[str]:
    """Cells of the table row that begins with these."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    (found,) = [row for row in rows if tuple(row[: len(first)]) == first]
    return found


def test_no_piece_twice_and_every_base_is_one_of_the_study_of_distillation():
    pieces = pieces_of(DESIGN, tuple(QUESTIONS))
    assert len({piece.name for piece in pieces}) == len(pieces)
    roles = {piece.base: base_of(piece, DESIGN).role for piece in pieces}
    assert roles == {"student": "student", "alone": "alone", "few": "alone", "teacher": "teacher"}


def test_a_day_that_trains_neither_validates_nor_tests():
    split = split_of(3, DESIGN)
    days = [{name.split("-")[2] for name in part} for part in (split.train, split.val, split.test)]
    assert [len(part) for part in days] == [5, 1, 2]
    assert len(set.union(*days)) == 8


def test_the_search_looks_at_people_of_no_study():
    assert not {piece.seed for piece in pieces_of(DESIGN, ("search",))} & set(DESIGN.seeds)


def test_curves_begin_at_the_base_and_methods_are_placed_beside_full_fine_tuning():
    rows = rows_of(pieces_of(DESIGN, ("methods", "bases")))
    curve = curve_of(rows, DESIGN, "student", "full")
    assert list(curve) == [0.0, *DESIGN.minutes]
    assert curve[0.0][0][0] == pytest.approx(40.0) and curve[6.0][0][0] == pytest.approx(24.0)
    text = answers(rows, DESIGN)
    full, lora = cells_of(text, "student", "full"), cells_of(text, "student", "lora")
    assert full[2:7] == ["52.5", "48.5", "44.5", "40.5", "36.5"] and full[7].startswith("-16.0")
    assert full[8:] == ["4 of 4", "", "3"]
    assert lora[7].startswith("-8.0") and lora[9].startswith("+8.0")
    assert cells_of(text[text.index("other base") :], "teacher")[3].startswith("+5.0")


def test_the_search_has_a_cell_for_every_rate():
    rows = rows_of(pieces_of(DESIGN, ("search",)))
    cells = cells_of(answers(rows, DESIGN), "norms")
    assert len(cells) == 2 + len(DESIGN.search_rates)


def test_a_seed_that_lacks_a_person_is_not_counted():
    rows = rows_of(pieces_of(DESIGN, ("bases",)))
    kept = [row for row in rows if (row["seed"], row["person"]) != ("2", "5")]
    assert set(curve_of(kept, DESIGN, "student", "full")[0.0]) == {0, 1}
    assert answers([], DESIGN) == "no question has its runs yet"


def test_the_figure_has_a_line_for_each_method_and_base():
    rows = rows_of(pieces_of(DESIGN, ("methods", "bases")))
    panels = minutes_figure(rows, DESIGN).axes
    assert [len(axes.get_legend().get_texts()) for axes in panels] == [len(METHODS), 4]


@pytest.mark.slow
def test_a_small_study_resumes_and_judges_its_table(tmp_path):
    sizes = {"teacher": 8, "student": 6, "steps": 2, "student_steps": 2, "batch": 4}
    taught = Taught(seeds=(0,), crowd=2, labelled=(1,), minutes=0.2, **sizes)
    design = Design(seeds=(0,), minutes=(0.1, 0.2), people=1, own_days=3, steps=10, batch=2, taught=taught)
    options = Options(out=tmp_path, questions=("bases",), only="student-full", design=design)
    words = study(options)
    table = tmp_path / "personal_people.csv"
    before = table.read_bytes()
    assert before.count(b"\n") == 3 and not list((tmp_path / "personal").iterdir())
    assert study(options) == words and table.read_bytes() == before
    assert study(Options(table=table, design=design)) == words
