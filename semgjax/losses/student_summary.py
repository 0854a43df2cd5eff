"""How a student answers as its teacher does at the end of its training, from the lines of metrics.jsonl."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LAST = 0.1
"""Share of a run's steps, at its end, whose lines are put together: a single line may hold a few dozen symbols."""


@dataclass(frozen=True)
class StudentSummary:
    """A student beside its teacher, on training batches; each number is None where nothing was counted.

    Attributes:
        steps: steps of the first and of the last line.
        agreement: share of the teacher's key frames with the same class, mean of the lines, as the next ones are.
        kl_spikes: KL(teacher || student) where the teacher's likeliest class is a key, nats per frame.
        kl_blanks: the same where it is the blank.
        confidence: the student's mean probability where it emits.
        overconfidence: that less the share of these frames where the teacher says the same.
        offsets: counts of the teacher's symbols by the frames to the student's nearest one of the same class, from
            -R (the student is R frames early) to R.
        unmatched: the teacher's symbols without one.
    """

    steps: tuple[int, int]
    agreement: float | None
    kl_spikes: float | None
    kl_blanks: float | None
    confidence: float | None
    overconfidence: float | None
    offsets: tuple[int, ...]
    unmatched: int

    @property
    def symbols(self) -> int:
        """The teacher's symbols."""
        return sum(self.offsets) + self.unmatched

    @property
    def without(self) -> float | None:
        """The share of the teacher's symbols that the student has not within R frames; None without any."""
        return self.unmatched / self.symbols if self.symbols else None

    @property
    def median(self) -> int | None:
        """Median offset in frames, the lower of two; positive: the student is later. None without a match."""
        total, reach = sum(self.offsets), len(self.offsets) // 2
        seen = 0
        for offset, count in enumerate(self.offsets, start=-reach):
            seen += count
            if total and 2 * seen >= total:
                return offset
        return None

    def within(self, frames: int) -> float | None:
        """The share of the matched symbols that are at most so many frames apart; None without a match."""
        total, reach = sum(self.offsets), len(self.offsets) // 2
        near = sum(count for offset, count in enumerate(self.offsets, start=-reach) if abs(offset) <= frames)
        return near / total if total else None


def summary_of(lines: Sequence[Mapping[str, Any]]) -> StudentSummary | None:
    """Of the last LAST of a run's steps, and at least its last line; None without a teacher and of older versions."""
    known = [line for line in lines if "offsets" in line]
    if not known:
        return None
    last = [line for line in known if line["step"] > (1 - LAST) * known[-1]["step"]]

    def mean(name: str) -> float | None:
        values = [line[name] for line in last if line[name] is not None]
        return statistics.fmean(values) if values else None

    return StudentSummary(
        steps=(last[0]["step"], last[-1]["step"]),
        agreement=mean("agreement"),
        kl_spikes=mean("kl_spikes"),
        kl_blanks=mean("kl_blanks"),
        confidence=mean("confidence"),
        overconfidence=mean("overconfidence"),
        offsets=tuple(map(sum, zip(*(line["offsets"] for line in last), strict=True))),
        unmatched=sum(line["unmatched"] for line in last),
    )


def summary_words(found: StudentSummary) -> list[str]:
    """Lines of text for the terminal."""
    lines = []
    if found.agreement is not None:
        kl = " and ".join(
            f"{value:.2g} nats a frame on its {where}"
            for value, where in ((found.kl_spikes, "keys"), (found.kl_blanks, "blanks"))
            if value is not None
        )
        lines.append(f"same class as the teacher in {100 * found.agreement:.1f} % of its key frames; KL {kl}")
    near, without = found.within(1), found.without
    if near is not None and without is not None:
        lines.append(
            f"its symbols lie {found.median or 0:d} frames after the teacher's (median), {100 * near:.0f} % within "
            f"one; {100 * without:.0f} % of the teacher's have none"
        )
    if found.confidence is not None and found.overconfidence is not None:
        lines.append(
            f"confidence where it emits {100 * found.confidence:.1f} %, {100 * found.overconfidence:+.1f} points over "
            "its agreement with the teacher"
        )
    return lines
