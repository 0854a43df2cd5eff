"""What the study of transfer answers: where the best rate is at each width, and what a transferred rate costs."""

import math
from collections.abc import Mapping, Sequence

from analysis.pieces import Row
from analysis.study import markdown
from analysis.transfer_plan import Design
from semgjax.transfer.optimum import Optimum, drift, optimum

Tried = list[Mapping[float, float]]


def tried_of(rows: Sequence[Row], design: Design, parametrization: str, width: int) -> Tried:
    """Rate -> loss of each seed that has all of the design's rates, at the rates that these seeds share.

    A run that diverged has an infinite loss.
    """
    found = []
    for seed in design.seeds:
        losses = {
            float(row["rate"]): float(row["loss"])
            for row in rows
            if (row["parametrization"], int(row["width"]), int(row["seed"])) == (parametrization, width, seed)
        }
        if set(design.rates) <= set(losses):
            found.append(losses)
    shared = set.intersection(*map(set, found)) if found else set()
    return [{rate: losses[rate] for rate in sorted(shared)} for losses in found]


def wanted_rates(rows: Sequence[Row], design: Design, parametrization: str, width: int) -> list[float]:
    """The next rates to try: one beyond the highest, where the lowest loss is there and `design.highest` allows it."""
    tried = tried_of(rows, design, parametrization, width)
    if len(tried) < len(design.seeds):
        return []
    top = max(tried[0])
    return [2 * top] if best_at(rows, design, parametrization, width) == top < design.highest else []


def best_at(rows: Sequence[Row], design: Design, parametrization: str, width: int) -> float:
    """The tried rate with the lowest mean loss."""
    tried = tried_of(rows, design, parametrization, width)
    return min(tried[0], key=lambda rate: sum(losses[rate] for losses in tried))


def answers(rows: Sequence[Row], design: Design) -> str:
    """Tables in Markdown: best rates by width with their drift, and the cost of a rate that was tuned elsewhere."""
    table, moved, costs = [], [], []
    for one in design.parametrizations:
        optima: list[Optimum] = []
        for width in design.widths:
            if tried := tried_of(rows, design, one, width):
                found = optimum(tried)
                optima.append(found)
                ends = "" if found.interval is None else "[{:.2g}, {:.2g}]".format(*found.interval)
                table.append([one, str(width), f"{found.rate:.2f} {ends}", "edge" if found.edge else "bracketed",
                              f"{min(_mean(tried).values()):.3f}", str(len(tried))])  # fmt: skip
                near = best_at(rows, design, one, design.tuned) if tried_of(rows, design, one, design.tuned) else None
                if near is not None:
                    loss = _mean(tried)
                    costs.append([one, str(width), f"{near:g}", f"{loss[near]:.3f}", f"{min(loss.values()):.3f}"])
        if len(optima) > 1:
            moved.append([one, f"{drift(optima):.2f}", f"{math.log2(drift(optima)):.1f}"])
    heads = (
        ["parametrization", "width", "best rate, of the base's", "", "loss there", "seeds"],
        ["parametrization", "best rate moves by a factor of", "grid steps of 2"],
        ["parametrization", "width", f"rate tuned at {design.tuned}", "loss", "loss at its own best rate"],
    )
    return "\n\n".join(markdown(head, body) for head, body in zip(heads, (table, moved, costs), strict=True) if body)


def _mean(tried: Tried) -> dict[float, float]:
    return {rate: sum(losses[rate] for losses in tried) / len(tried) for rate in tried[0]}
