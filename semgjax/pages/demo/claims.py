"""What the demo is built to show, and whether its numbers show it."""

from collections.abc import Sequence

from semgjax.pages.demo.number_text import difference, digits, percent, ratio, signed_points
from semgjax.pages.demo.views import ReportInputs, RunView, heldout_cer, is_number
from semgjax.scaling.fit import Fit
from semgjax.scaling.store import fit_document

CLAIMS = {"ratio": 4.0}
"""The student has at least so many times fewer parameters than its teacher."""


def claims(inputs: ReportInputs) -> list[tuple[str, str, bool]]:
    """(claim, what was measured, whether it holds); a claim about a missing number does not hold."""
    _, distilled, scratch = (heldout_cer(run) for _, run in inputs.trio)
    saved = ratio(inputs.teacher.result["params"], inputs.distilled.result["params"])
    gained = difference(scratch, distilled)
    return [
        ("The error falls with every step up the ladder of sizes", *_falls(inputs.ladder)),
        ("The exponent of the law of sizes is above 0", *_exponent(inputs.fit)),
        ("The error falls with every doubling of the training users", *_falls(inputs.crowds)),
        ("The exponent of the law of users is above 0", *_exponent(inputs.users_fit)),
        (
            f"The student has at least {CLAIMS['ratio']:g} times fewer parameters than its teacher",
            f"{digits(saved)} times",
            saved is not None and saved >= CLAIMS["ratio"],
        ),
        (
            "The student is better than its size from scratch with equal operations, each at its better rate",
            signed_points(gained),
            gained is not None and gained > 0,
        ),
    ]


def _falls(runs: Sequence[RunView]) -> tuple[str, bool]:
    rates = [heldout_cer(run) for run in runs]
    known = [cer for cer in rates if is_number(cer)]
    falls = len(known) == len(rates) and all(b < a for a, b in zip(known, known[1:], strict=False))
    return ", ".join(map(percent, rates)), falls


def _exponent(fit: Fit) -> tuple[str, bool]:
    """Exponent with its interval, and whether all of it is above 0."""
    found = fit_document(fit, force=False)
    exponent = next(p for p in found["parameters"] if p["name"] == "alpha")
    if exponent["value"] is None:
        return "not determined", False
    low, high = ("no end" if end in exponent.get("unbounded", ()) else digits(exponent[end]) for end in ("low", "high"))
    above = not found["blocked"] and "low" not in exponent.get("unbounded", ()) and (exponent["low"] or 0.0) > 0
    return f"{digits(exponent['value'])}, {found['level']:.0%} interval {low} to {high}", above
