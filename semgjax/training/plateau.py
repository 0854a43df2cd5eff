"""The blank plateau: whether a run emits symbols yet, and since which step, from the lines of metrics.jsonl.

A CTC decoder first learns that nearly every frame is blank, and for a while outputs nothing else. An error rate that is
measured there (near 100 %) says nothing about the decoder's size or data.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

LEAST, MOST = 0.1, 2.0
"""Symbols per label between which a run emits. Outside, its greedy error rate is bad whatever it emits: below a tenth
at least 90 % of the labels are missed, which is the plateau, and above two at least one symbol per label is too much,
as with the random parameters at the start."""
ENOUGH = 100
"""Labels of a stretch of lines before it counts: a run that emits one symbol for twenty labels at random is above
LEAST in three of a hundred stretches of 100 labels (binomial), but in forty of a hundred stretches of ten."""


@dataclass(frozen=True)
class Plateau:
    """Where a run stands after some lines.

    Attributes:
        left_at: step of the first line of the stretch in which the run emits; None while it does not.
        seen: whether it was on the plateau before: a run that emits from its first line has left nothing.
        emitted: symbols per label in the last line with labels; None before it.
    """

    left_at: int | None = None
    seen: bool = False
    emitted: float | None = None
    _since: int | None = None
    _labels: float = 0.0

    def after(self, line: Mapping[str, Any]) -> "Plateau":
        """With one more line; lines of validations, and those without labels, change nothing."""
        emitted = line.get("emitted")
        if emitted is None:
            return self
        emits, now = LEAST <= emitted <= MOST, self.left_at is not None
        found = replace(self, emitted=emitted)
        if emits == now or emitted > MOST:  # as before, or at random: a stretch on the other side ends here
            return replace(found, seen=found.seen or emitted < LEAST, _since=None, _labels=0.0)
        since, labels = self._since if self._since is not None else line["step"], self._labels + line["expected"]
        if labels < ENOUGH:
            return replace(found, _since=since, _labels=labels)
        return replace(found, left_at=since if emits else None, seen=found.seen or not emits, _since=None, _labels=0.0)


def plateau_after(lines: Iterable[Mapping[str, Any]]) -> Plateau:
    """After these lines of metrics.jsonl; those without `emitted`, of earlier versions, are skipped."""
    found = Plateau()
    for line in lines:
        found = found.after(line)
    return found


def change_words(before: Plateau, now: Plateau) -> str | None:
    """A note for the user after a line; None: nothing has changed, or a random start has settled on the plateau."""
    if before.left_at is None and now.left_at is not None and now.seen:
        return f"left the blank plateau at step {now.left_at}"
    if before.left_at is not None and now.left_at is None and before.seen:
        return f"fell back to the blank plateau: {now.emitted:.2g} symbols per label"
    return None


def end_words(last: Plateau) -> str | None:
    """A warning about a finished run that never left the plateau; None if it did, or if its lines say nothing."""
    if last.left_at is not None or last.emitted is None:
        return None
    return (
        f"warning: the run had not left the blank plateau by its end ({last.emitted:.2g} symbols per label): its error "
        "rate says nothing about its size or data; train for more steps or at another optimizer.learning_rate"
    )


def result_words(result: Mapping[str, Any]) -> str:
    """What a result.json says of the plateau; empty for one of a version that does not say."""
    if "left_blank_at" not in result:
        return ""
    step = result["left_blank_at"]
    return "never left the blank plateau" if step is None else f"emits symbols since step {step}"
