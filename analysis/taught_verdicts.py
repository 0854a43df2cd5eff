"""What the study of distillation answers: paired differences over seeds and test people, with their intervals."""

import functools
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analysis.study import markdown
from analysis.taught_plan import LOSSES, Design
from analysis.varied_plan import TEST
from semgjax.scaling.bootstrap import draw_interval
from semgjax.scaling.ends import span
from semgjax.scaling.fit import fit_law, predict
from semgjax.scaling.laws import law_named
from semgjax.scaling.profile import prediction_interval
from semgjax.scaling.table import Table

Row = Mapping[str, str]
Errors = dict[int, np.ndarray]  # seed -> error of each test person, percent

LEVEL = 0.95
DRAWS = 4000
CLOSE = 1.5
"""points by which a student may err more than its teacher (the paper's figure)"""
TEACHER = "its teacher"


def answers(rows: Sequence[Row], design: Design) -> str:
    """The tables of all questions as Markdown; questions without runs are left out."""
    parts = [part(rows, design) for part in (_proof, _labels, _losses, _streaming, _law)]
    return "\n\n".join(part for part in parts if part) or "no question has its runs yet"


def errors_of(rows: Sequence[Row], **where: object) -> Errors:
    """Errors of the runs of these members, by seed."""
    members = {"rest": 0, "compute": 0, "loss": "default", "ahead": 0, "times": 1} | where
    chosen = [row for row in rows if all(row[name] == str(value) for name, value in members.items())]
    found = {int(row["seed"]): np.array([float(row[f"person{n}"]) for n in range(TEST)]) for row in chosen}
    assert len(found) == len(chosen), f"two runs of one seed under {where}"
    return found


def taught_of(rows: Sequence[Row], design: Design, labelled: int, **more: object) -> Errors:
    """Students of the design's sizes, which meet the whole crowd, and whose teachers had every label."""
    people = {"rest": design.crowd - labelled, "known": design.crowd}
    size = {"width": design.student, "teacher": design.teacher}
    return errors_of(rows, **({"role": "student", "labelled": labelled} | size | people | more))


def mean_of(errors: Errors) -> tuple[float, float, float]:
    """(mean, low, high) of one group."""
    value, draws = draws_of(lambda mean: mean, errors)
    return value, *_ends(draws)


def draws_of(statistic: Callable[..., np.ndarray], *groups: Errors) -> tuple[float, np.ndarray]:
    """A statistic of mean errors, and its bootstrap: seeds, then people within them, the same ones in every group.

    Args:
        statistic: of the mean error of each group, elementwise over draws; seeds that some group lacks are left out.
    """
    seeds = sorted(set.intersection(*(set(group) for group in groups)))
    cube = np.array([[group[seed] for seed in seeds] for group in groups])  # [group, seed, person]
    picked, people = _resamples(*cube.shape[1:])
    means = cube[:, picked[..., None], people].mean(axis=(2, 3))
    return float(statistic(*cube.mean(axis=(1, 2)))), statistic(*means)


@functools.cache
def _resamples(seeds: int, people: int) -> tuple[np.ndarray, np.ndarray]:
    """Seeds [draw, seed] of each draw, and people [draw, seed, person] of each of its seeds."""
    random = np.random.default_rng(0)
    drawn = [(random.integers(seeds, size=seeds), random.integers(people, size=(seeds, people))) for _ in range(DRAWS)]
    return np.array([pair[0] for pair in drawn]), np.array([pair[1] for pair in drawn])


def difference(one: Errors, other: Errors) -> tuple[float, tuple[float, float]]:
    """Mean of `one` minus that of `other` in points, and its interval."""
    value, draws = draws_of(lambda a, b: a - b, one, other)
    return value, _ends(draws)


def gap_closed(few: Errors, taught: Errors, many: Errors) -> tuple[float, tuple[float, float]]:
    """Share of the gap between few and many labelled people that unlabelled ones close, and its interval."""
    value, draws = draws_of(lambda a, b, c: (a - b) / (a - c), few, taught, many)
    return value, _ends(draws)


def _ends(draws: np.ndarray) -> tuple[float, float]:
    low, high = draw_interval(draws, LEVEL)
    return float(low), float(high)


def _proof(rows: Sequence[Row], design: Design) -> str:
    """Students against their teachers and against the same size alone, at each number of labelled people."""
    found = []
    for labelled, rest, known, times in _settings(rows, design):
        student = taught_of(rows, design, labelled, rest=rest, known=known, times=times)
        size = {"role": "alone", "width": design.student}
        alone = {
            "alone, equal steps": errors_of(rows, labelled=labelled, times=times, **size),
            "alone, equal operations": errors_of(rows, labelled=labelled, compute=1, **size) if times == 1 else {},
        }
        others = {
            TEACHER: errors_of(rows, role="teacher", labelled=known, width=design.teacher),
            **alone,
        }
        if labelled < design.crowd:
            others["alone, every label"] = errors_of(rows, labelled=design.crowd, times=times, **size)
        for name, other in others.items():
            if seeds := sorted(set(student) & set(other)):
                mine, theirs = (float(np.mean([group[seed] for seed in seeds])) for group in (student, other))
                value, ends = difference(student, other)
                said = _verdict(name, value, ends)
                people = [f"{labelled} + {rest}", str(known), f"{times * design.student_steps:,}"]
                found.append([*people, f"{mine:.1f}", name, f"{theirs:.1f}", _points(value, ends), said, len(seeds)])
    head = [
        "student's labelled + unlabelled people", "teacher's labelled people", "steps", "student (%)", "against",
        "error (%)", "difference (points)", "", "seeds",
    ]  # fmt: skip
    return markdown(head, [[str(cell) for cell in row] for row in found]) if found else ""


def _settings(rows: Sequence[Row], design: Design) -> list[tuple[int, int, int, int]]:
    """Labelled, unlabelled and teacher's people of the students of the design's sizes, and how long they train."""
    usual = {"role": "student", "width": design.student, "teacher": design.teacher, "ahead": 0, "loss": "default"}
    chosen = [row for row in rows if all(row[name] == str(value) for name, value in usual.items())]
    names = ("labelled", "rest", "known", "times")
    return sorted({tuple(int(row[name]) for name in names) for row in chosen})


def _verdict(name: str, value: float, ends: tuple[float, float]) -> str:
    if name == TEACHER:
        return f"within {CLOSE:g} points" if value <= CLOSE else f"more than {CLOSE:g} points behind"
    return "better" if ends[1] < 0 else "worse" if ends[0] > 0 else "no difference seen"


def _labels(rows: Sequence[Row], design: Design) -> str:
    """How much of the gap between few and all labels unlabelled people close."""
    many = errors_of(rows, role="alone", labelled=design.crowd, width=design.student)
    found = []
    for labelled in sorted(design.labelled):
        few = errors_of(rows, role="alone", labelled=labelled, width=design.student)
        for known in (labelled, design.crowd):
            taught = taught_of(rows, design, labelled, known=known)
            if seeds := sorted(set(few) & set(taught) & set(many)):
                if difference(few, many)[1][0] > 0:
                    share, ends = gap_closed(few, taught, many)
                    closed = f"{share:.2f} [{ends[0]:.2f}, {ends[1]:.2f}]"
                else:
                    closed = "no gap seen"
                means = [f"{np.mean([group[seed] for seed in seeds]):.1f}" for group in (few, taught, many)]
                found.append([str(labelled), str(known), *means, closed, str(len(seeds))])
    head = [
        "labelled people",
        "teacher's labelled people",
        "alone (%)",
        f"student, and the rest of {design.crowd} without labels (%)",
        f"{design.crowd} labelled, alone (%)",
        "share of the gap closed",
        "seeds",
    ]
    return markdown(head, found) if found else ""


def _losses(rows: Sequence[Row], design: Design) -> str:
    """Each loss against the default one, on the same labelled people."""
    found = []
    plain = taught_of(rows, design, design.few)
    for loss in LOSSES:
        other = taught_of(rows, design, design.few, loss=loss)
        if loss != "default" and (seeds := sorted(set(plain) & set(other))):
            value, ends = difference(other, plain)
            means = [f"{np.mean([group[seed] for seed in seeds]):.1f}" for group in (other, plain)]
            found.append([loss, *means, _points(value, ends), str(len(seeds))])
    head = ["loss", "error (%)", "default (%)", "difference (points)", "seeds"]
    return markdown(head, found) if found else ""


def _streaming(rows: Sequence[Row], design: Design) -> str:
    """Causal students of a teacher that looks ahead against those of a causal one, and alone."""
    found = []
    against = {
        "student of a causal teacher": taught_of(rows, design, design.few),
        "alone": errors_of(rows, role="alone", labelled=design.few, width=design.student),
        "its teacher": errors_of(rows, role="teacher", labelled=design.crowd, width=design.teacher, ahead=1),
    }
    for loss in LOSSES:
        ahead = taught_of(rows, design, design.few, ahead=1, loss=loss)
        for name, other in against.items():
            if seeds := sorted(set(ahead) & set(other)):
                means = [f"{np.mean([group[seed] for seed in seeds]):.1f}" for group in (ahead, other)]
                found.append([loss, means[0], name, means[1], _points(*difference(ahead, other)), str(len(seeds))])
    head = ["loss", "student (%)", "against", "error (%)", "difference (points)", "seeds"]
    return markdown(head, found) if found else ""


def _law(rows: Sequence[Row], design: Design) -> str:
    """The law of distilled students at each number of labels, without the largest pair, which it then forecasts."""
    found = []
    for labelled in sorted({int(row["labelled"]) for row in rows}):
        size = {int(row["width"]): int(row["params"]) for row in rows}
        pairs = [
            (width, teacher, seed, float(errors[seed].mean()))
            for teacher in design.law_teachers
            for width in design.law_students
            for errors in [taught_of(rows, design, labelled, width=width, teacher=teacher)]
            for seed in errors
        ]
        held = (max(design.law_students), max(design.law_teachers))
        kept = [pair for pair in pairs if pair[:2] != held]
        if len({pair[:2] for pair in kept}) < len(design.law_students) * len(design.law_teachers) - 1:
            continue
        n, t = (np.array([size[pair[place]] for pair in kept], np.float64) for place in (0, 1))
        y = np.array([pair[3] for pair in kept])
        names = {"N": "params", "T": "teacher's params"}
        fit = fit_law(Table({"N": n, "T": t}, y, "%", "error", names, "taught_people.csv"), law_named("distilled"))
        at = {"N": float(size[held[0]]), "T": float(size[held[1]])}
        ends = prediction_interval(fit, at, LEVEL)
        measured = [pair[3] for pair in pairs if pair[:2] == held]
        found.append(
            [
                str(labelled),
                f"{at['N']:,.0f} from {at['T']:,.0f}",
                f"{predict(fit, at):.1f} {span(ends) if ends else 'no interval'}",
                f"{np.mean(measured):.1f}" if measured else "",
                str(len(kept)),
            ]
        )
    head = ["labelled people", "held-out pair, parameters", "forecast (%)", "measured (%)", "students in the fit"]
    return markdown(head, found) if found else ""


def _points(value: float, ends: tuple[float, float]) -> str:
    return f"{value:+.1f} [{ends[0]:+.1f}, {ends[1]:+.1f}]"
