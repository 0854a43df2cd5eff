"""What the device kit's figures say together: ratios of figures of different checks, beside what is hoped for."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks._device_figures import Figure, Outcome


@dataclass(frozen=True)
class Mark:
    """One comparison.

    Attributes:
        key: what is compared, such as "large: windows a second, of PyTorch's".
        value: the ratio; None while one of its two checks is left, was skipped or broke.
        hoped: smallest ratio that is hoped for; missing it breaks nothing.
        note: the two figures.
    """

    key: str
    value: float | None
    hoped: float
    note: str

    @property
    def met(self) -> bool | None:
        """None: not measured."""
        return None if self.value is None else self.value >= self.hoped

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "met": self.met}


def marks(outcomes: Sequence[Outcome], networks: Sequence[str]) -> list[Mark]:
    """All marks, of checks that are done and of others.

    Args:
        networks: those whose steps the kit measures.
    """
    figures = {(outcome.item, figure.key): figure for outcome in outcomes for figure in outcome.figures}
    return list(_marks(figures, networks))


def _marks(figures: dict[tuple[str, str], Figure], networks: Sequence[str]) -> Iterator[Mark]:
    def ratio(key: str, hoped: float, above: tuple[str, str], below: tuple[str, str]) -> Mark:
        one, other = (figures.get(place) for place in (above, below))
        known = one is not None and other is not None and other.value > 0
        note = f"{': '.join(above)} / {': '.join(below)}"
        return Mark(key, one.value / other.value if known and one and other else None, hoped, note)

    for name in networks:
        step, torch = f"speed.step.{name}", f"speed.torch.{name}"
        used = figures.get((step, "utilisation"))
        share = 0.4 if name == "large" else 0.0
        yield Mark(f"{name}: share of the bfloat16 peak", used.value if used else None, share, f"{step}: utilisation")
        yield ratio(f"{name}: windows a second, of PyTorch's", 1.0, (step, "windows"), (torch, "windows"))
    for form in ("scan", "fused"):
        for peer in ("native", "cudnn"):
            place = ("speed.torch_ctc", peer)
            yield ratio(f"CTC {form}: PyTorch's {peer} time, of ours", 1.0, place, ("speed.ctc", form))
    gain = figures.get(("speed.packed", "16.gain"))
    yield Mark("16 trials packed: trials an hour, of one by one", gain.value if gain else None, 4.0, "speed.packed")
    for name in networks:
        fed = figures.get(("speed.feed", f"{name}.fed"))
        yield Mark(f"{name}: pace of steps that wait for their windows", fed.value if fed else None, 0.97, "speed.feed")
