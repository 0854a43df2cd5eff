"""What the study of distillation answers: paired differences over seeds and test people, with their intervals."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from analysis.study import markdown
from analysis.taught_plan import LOSSES, Design
from analysis.varied_plan import TEST
from semgjax.scaling.bootstrap import draw_interval
from semgjax.scaling.ends import span

Row = Mapping[str, str]
Errors = dict[int, np.ndarray]  # seed -> error of each test person, percent

LEVEL = 0.95
DRAWS = 4000
CLOSE = 1.5
"""points by which a student may err more than its teacher (the paper's figure)"""
TEACHER = "its teacher"


def answers(rows: Sequence[Row], design: Design) -> str:
    """The tables of all questions as Markdown; questions without runs are left out."""
    parts = (_proof(rows, design), _labels(rows, design), _losses(rows, design))
    return "\n\n".join(part for part in parts if part) or "no question has its runs yet"


def errors_of(rows: Sequence[Row], **where: object) -> Errors:
    """Errors of the runs of these members, by seed."""
    members = {"rest": 0, "compute": 0, "loss": "default"} | where
    chosen = [row for row in rows if all(row[name] == str(value) for name, value in members.items())]
    found = {int(row["seed"]): np.array([float(row[f"person{n}"]) for n in range(TEST)]) for row in chosen}
    assert len(found) == len(chosen), f"two runs of one seed under {where}"
    return found


def draws_of(statistic: Callable[..., float], *groups: Errors) -> tuple[float, np.ndarray]:
    """A statistic of mean errors, and its bootstrap: seeds, then people within them, the same ones in every group.

    Args:
        statistic: of the mean error of each group; seeds that some group lacks are left out.
    """
    seeds = sorted(set.intersection(*(set(group) for group in groups)))
    cube = np.array([[group[seed] for seed in seeds] for group in groups])  # [group, seed, person]
    random = np.random.default_rng(0)
    draws = np.empty(DRAWS)
    for draw in range(DRAWS):
        picked = random.integers(len(seeds), size=len(seeds))
        people = random.integers(TEST, size=(len(seeds), TEST))
        draws[draw] = statistic(*cube[:, picked[:, None], people].mean(axis=(1, 2)))
    return float(statistic(*cube.mean(axis=(1, 2)))), draws


def difference(one: Errors, other: Errors) -> tuple[float, tuple[float, float]]:
    """Mean of `one` minus that of `other` in points, and its interval."""
    value, draws = draws_of(lambda a, b: float(a - b), one, other)
    return value, _ends(draws)


def gap_closed(few: Errors, taught: Errors, many: Errors) -> tuple[float, tuple[float, float]]:
    """Share of the gap between few and many labelled people that unlabelled ones close, and its interval."""
    value, draws = draws_of(lambda a, b, c: float((a - b) / (a - c)), few, taught, many)
    return value, _ends(draws)


def _ends(draws: np.ndarray) -> tuple[float, float]:
    low, high = draw_interval(draws, LEVEL)
    return float(low), float(high)


def _proof(rows: Sequence[Row], design: Design) -> str:
    """Students against their teachers and against the same size alone, at each number of labelled people."""
    found = []
    for labelled in sorted(design.labelled):
        size = {"labelled": labelled, "width": design.student}
        others = {
            TEACHER: errors_of(rows, role="teacher", labelled=labelled, width=design.teacher),
            "alone, equal steps": errors_of(rows, role="alone", **size),
            "alone, equal operations": errors_of(rows, role="alone", compute=1, **size),
        }
        for rest in sorted({0, design.crowd - labelled}):
            student = errors_of(rows, role="student", rest=rest, **size)
            for name, other in others.items():
                if seeds := sorted(set(student) & set(other)):
                    mine, theirs = (float(np.mean([group[seed] for seed in seeds])) for group in (student, other))
                    value, ends = difference(student, other)
                    said = _verdict(name, value, ends)
                    people = f"{labelled} + {rest}"
                    found.append([people, f"{mine:.1f}", name, f"{theirs:.1f}", _points(value, ends), said, len(seeds)])
    head = ["labelled + unlabelled people", "student (%)", "against", "error (%)", "difference (points)", "", "seeds"]
    return markdown(head, [[str(cell) for cell in row] for row in found]) if found else ""


def _verdict(name: str, value: float, ends: tuple[float, float]) -> str:
    if name == TEACHER:
        return f"within {CLOSE:g} points" if value <= CLOSE else f"more than {CLOSE:g} points behind"
    return "better" if ends[1] < 0 else "worse" if ends[0] > 0 else "no difference seen"


def _labels(rows: Sequence[Row], design: Design) -> str:
    """How much of the gap between few and all labels unlabelled people close."""
    many = errors_of(rows, role="alone", labelled=design.crowd, width=design.student)
    found = []
    for labelled in sorted(set(design.labelled) - {design.crowd}):
        few = errors_of(rows, role="alone", labelled=labelled, width=design.student)
        rest = design.crowd - labelled
        taught = errors_of(rows, role="student", labelled=labelled, rest=rest, width=design.student)
        if seeds := sorted(set(few) & set(taught) & set(many)):
            share, ends = gap_closed(few, taught, many)
            means = [f"{np.mean([group[seed] for seed in seeds]):.1f}" for group in (few, taught, many)]
            found.append([str(labelled), *means, f"{share:.2f} {span(ends)}", str(len(seeds))])
    head = [
        "labelled people",
        "alone (%)",
        f"and the rest of {design.crowd} without labels (%)",
        f"{design.crowd} labelled, alone (%)",
        "share of the gap closed",
        "seeds",
    ]
    return markdown(head, found) if found else ""


def _losses(rows: Sequence[Row], design: Design) -> str:
    """Each loss against the default one, on the same labelled people."""
    found = []
    for labelled in sorted(design.labelled):
        size = {"role": "student", "labelled": labelled, "width": design.student}
        plain = errors_of(rows, **size)
        for loss in LOSSES:
            other = errors_of(rows, loss=loss, **size)
            if loss != "default" and (seeds := sorted(set(plain) & set(other))):
                value, ends = difference(other, plain)
                means = [f"{np.mean([group[seed] for seed in seeds]):.1f}" for group in (other, plain)]
                found.append([loss, str(labelled), *means, _points(value, ends), str(len(seeds))])
    head = ["loss", "labelled people", "error (%)", "default (%)", "difference (points)", "seeds"]
    return markdown(head, found) if found else ""


def _points(value: float, ends: tuple[float, float]) -> str:
    return f"{value:+.1f} {span(ends)}"
