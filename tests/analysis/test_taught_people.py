"""The study of distillation: its pieces, splits, what it answers from known errors, and a small one that resumes."""

import numpy as np
import pytest

from analysis.taught_figures import labels_figure, losses_figure, sizes_figure
from analysis.taught_people import COLUMNS, PERSONS, Options, study
from analysis.taught_plan import LOSSES, QUESTIONS, Design, alone, pieces_of, split_of, student, teacher_of
from analysis.taught_verdicts import answers, difference, errors_of, gap_closed
from semgjax.training.distill_config import DistillOptions

DESIGN = Design()


def rows_of(error: float, **members: object) -> list[dict[str, str]]:
    """Rows of three seeds, whose people scatter in the same way in every run."""
    people = np.linspace(-20.0, 20.0, len(PERSONS))
    usual = {"rest": 0, "compute": 0, "loss": "default", "ahead": 0, "teacher": 0, "known": 0, "times": 1, "params": 1}
    cells = {name: str(value) for name, value in (usual | members).items()}
    return [
        dict.fromkeys(COLUMNS, "")
        | cells
        | {"seed": str(seed)}
        | {name: f"{error + shift + 2 * seed:.3f}" for name, shift in zip(PERSONS, people, strict=True)}
        for seed in range(3)
    ]


def test_teachers_come_before_their_students_and_no_piece_twice():
    pieces = pieces_of(DESIGN, tuple(QUESTIONS))
    names = [piece.name for piece in pieces]
    assert len(set(names)) == len(names)
    for piece in pieces:
        if piece.role == "student":
            teacher = teacher_of(piece, DESIGN)
            assert (teacher.width, teacher.labelled) == (piece.teacher, piece.known)
            assert names.index(teacher.name) < names.index(piece.name)


def test_every_loss_is_one_that_a_run_can_have():
    assert len({DistillOptions(**options) for options in LOSSES.values()}) == len(LOSSES)


def test_labelled_unlabelled_validation_and_test_people_are_apart():
    split = split_of(student(DESIGN, 1, 8))
    parts = [{name.split("-")[1] for name in part} for part in (split.train, split.unlabelled, split.val, split.test)]
    assert [len(part) for part in parts] == [8, 56, 4, 8]
    assert len(set.union(*parts)) == sum(map(len, parts))
    assert set(split.train) == set(split_of(alone(DESIGN, 1, 8)).train)


def test_people_who_differ_much_do_not_hide_a_small_difference_within_each_of_them():
    value, (low, high) = difference(
        errors_of(rows_of(50.0, role="a"), role="a"), errors_of(rows_of(51.0, role="b"), role="b")
    )
    assert (
        value == pytest.approx(-1.0) and low == pytest.approx(-1.0, abs=1e-6) and high == pytest.approx(-1.0, abs=1e-6)
    )


def test_the_share_of_a_gap_is_half_where_the_error_lies_half_way():
    groups = [errors_of(rows_of(error, role="a"), role="a") for error in (60.0, 55.0, 50.0)]
    share, (low, high) = gap_closed(*groups)
    assert share == pytest.approx(0.5) and low <= share <= high


def test_a_student_near_its_teacher_and_better_than_alone_is_said_to_be_both():
    size = {"labelled": 16, "width": DESIGN.student}
    rows = [
        *rows_of(50.0, role="teacher", labelled=16, width=DESIGN.teacher),
        *rows_of(51.0, role="student", teacher=DESIGN.teacher, known=16, **size),
        *rows_of(56.0, role="alone", **size),
        *rows_of(50.5, role="alone", compute=1, **size),
        *rows_of(49.0, role="student", teacher=DESIGN.teacher, known=64, rest=48, loss="spikes", **size),
        *rows_of(51.0, role="student", teacher=DESIGN.teacher, known=64, rest=48, **size),
    ]
    text = answers(rows, DESIGN)
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("| 16 + 0")
    ]
    assert [row[7] for row in cells] == ["within 1.5 points", "better", "worse"]
    assert [row[3] for row in cells] == ["53.0"] * 3 and cells[0][5] == "52.0"
    assert any(line.startswith("| spikes | 51.0 | 53.0") for line in text.splitlines())
    assert "gap" not in text
    assert answers([], DESIGN) == "no question has its runs yet"


def test_the_law_of_students_forecasts_the_pair_that_it_was_not_fitted_to():
    sizes = {8: 4_407, 12: 8_567, 24: 22_967, 48: 81_911, 112: 529_319}

    def error(width: int, teacher: int) -> float:
        gain = sizes[teacher] / sizes[width] - 1.0
        return 20.0 + 300.0 * (sizes[width] * (1.0 + 2.0 * gain / (2.0 + gain))) ** -0.3

    members = {"labelled": 8, "rest": 56, "known": 64, "role": "student"}
    rows = [
        row
        for teacher in DESIGN.law_teachers
        for width in DESIGN.law_students
        for row in rows_of(error(width, teacher), width=width, teacher=teacher, params=sizes[width], **members)
    ]
    rows += [
        row
        for teacher in DESIGN.law_teachers
        for row in rows_of(30.0, role="teacher", labelled=64, width=teacher, params=sizes[teacher])
    ]
    line = next(line for line in answers(rows, DESIGN).splitlines() if line.startswith("| 8 | 22,967 from"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert float(cells[2].split()[0]) == pytest.approx(float(cells[3]), abs=0.7)
    assert cells[4] == "24"


@pytest.mark.slow
def test_a_small_study_resumes_and_judges_its_table(tmp_path):
    sizes = {"teacher": 8, "student": 6, "steps": 2, "student_steps": 2, "batch": 4}
    design = Design(seeds=(0,), crowd=2, labelled=(1,), minutes=0.2, **sizes)
    options = Options(out=tmp_path, questions=("labels",), design=design)
    words = study(options)
    path = tmp_path / "taught_people.csv"
    made = path.read_bytes()
    assert [line.split(b"-")[0] for line in made.splitlines()[1:]] == [
        b"alone",
        b"teacher",
        b"student",
        b"teacher",
        b"student",
        b"alone",
    ]
    assert study(options) == words == study(Options(table=path, design=design))
    assert path.read_bytes() == made


def test_figures_show_means_and_differences_of_their_rows():
    size = {"role": "student", "width": DESIGN.student, "teacher": DESIGN.teacher, "known": 64, "params": 22_967}
    rows = [
        *rows_of(40.0, labelled=16, rest=48, **size),
        *rows_of(41.0, labelled=8, rest=56, **size),
        *rows_of(38.0, labelled=16, rest=48, loss="spikes", **size),
        *rows_of(52.0, role="alone", labelled=16, width=DESIGN.student, params=22_967),
        *rows_of(35.0, role="teacher", labelled=64, width=DESIGN.teacher, params=529_319),
    ]
    (axes,) = labels_figure(rows, DESIGN).axes
    drawn = {bars.get_label(): bars.lines[0].get_xydata().tolist() for bars in axes.containers}
    assert sorted(map(len, drawn.values())) == [1, 2]
    assert [[8.0, pytest.approx(43.0)], [16.0, pytest.approx(42.0)]] in drawn.values()
    (axes,) = losses_figure(rows, DESIGN).axes
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["spikes"]
    assert axes.lines[1].get_xdata()[0] == pytest.approx(-2.0)
    first, second = (
        panel.lines for panel in sizes_figure([*rows, *rows_of(30.0, labelled=64, **size)], DESIGN).axes[:2]
    )
    assert first[0].get_xydata().tolist() == [[22_967.0, pytest.approx(43.0)]]
    assert second[0].get_xydata().tolist() != first[0].get_xydata().tolist()
