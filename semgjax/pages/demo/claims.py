"""What the demo is built to show, and whether its numbers show it."""

from semgjax.pages.demo.number_text import difference, digits, percent, ratio, signed_points
from semgjax.pages.demo.views import ReportInputs, heldout_cer, is_number

CLAIMS = {"teacher": 20.0, "ratio": 6.0, "behind": 4.0, "gain": 20.0}
"""The teacher's CER is below, the student has at least so many times fewer parameters, is at most so many points
behind the teacher, and at least so many better than from scratch."""


def claims(inputs: ReportInputs) -> list[tuple[str, str, bool]]:
    """(claim, what was measured, whether it holds); a claim about a missing number does not hold."""
    teacher, distilled, scratch = (heldout_cer(run) for _, run in inputs.trio)
    saved = ratio(inputs.teacher.result["params"], inputs.distilled.result["params"])
    behind, gained = difference(distilled, teacher), difference(scratch, distilled)
    rates = [heldout_cer(run) for run in inputs.ladder]
    known = [cer for cer in rates if is_number(cer)]
    falls = len(known) == len(rates) and all(b < a for a, b in zip(known, known[1:], strict=False))

    def holds(value: float | None, least: float, sign: float) -> bool:
        return value is not None and sign * value >= sign * least

    below = holds(teacher, CLAIMS["teacher"], -1.0) and teacher != CLAIMS["teacher"]
    return [
        ("The error falls with every step up the ladder of sizes", ", ".join(map(percent, rates)), falls),
        (f"The teacher's error is below {CLAIMS['teacher']:g} %", percent(teacher), below),
        (
            f"The student has at least {CLAIMS['ratio']:g} times fewer parameters",
            f"{digits(saved)} times",
            holds(saved, CLAIMS["ratio"], 1.0),
        ),
        (
            f"The student is within {CLAIMS['behind']:g} points of the teacher",
            signed_points(behind),
            holds(behind, CLAIMS["behind"], -1.0),
        ),
        (
            f"The student is at least {CLAIMS['gain']:g} points better than its size from scratch after equal steps",
            signed_points(gained),
            holds(gained, CLAIMS["gain"], 1.0),
        ),
    ]
