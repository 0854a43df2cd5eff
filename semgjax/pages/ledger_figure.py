"""Figure of a ledger's record: what each settled forecast allowed, and what came."""

import math

from semgjax.pages.style import BLUE, DOUBLE, GREY, ORANGE, SKY, Picture, name_axes, new_figure
from semgjax.scaling.ledger.record import Record, Score

_MOST = 40  # forecasts drawn, the newest


def ledger_figure(record: Record) -> Picture:
    """A row for each settled forecast, the farthest beyond its sweep at the top: intervals and result over its value.

    Raises:
        ValueError: no forecast is settled.
    """
    if not record.scores:
        raise ValueError("no forecast of this ledger is settled")
    drawn = sorted(record.scores[-_MOST:], key=lambda one: one.forecast.body["beyond"])
    figure, (axes,) = new_figure(DOUBLE, 26.0 + 6.0 * len(drawn))
    for place, one in enumerate(drawn):
        body = one.forecast.body
        for layer, width, color in (("quote", 5.0, SKY), ("sampling", 2.0, BLUE)):
            if body[layer] is not None:
                ends = [_percent(end, body["value"], side) for end, side in zip(body[layer], (-1, 1), strict=True)]
                axes.plot(ends, [place, place], color=color, lw=width, solid_capstyle="butt")
        held = one.inside.get("quote", False)
        axes.plot(
            [_percent(one.result.body["value"], body["value"], 0)], [place], ls="none",
            color=GREY if held else ORANGE, marker="o" if held else "X", ms=6, zorder=3,
        )  # fmt: skip
    axes.axvline(0.0, color=GREY, lw=0.8)
    axes.set_yticks(range(len(drawn)), [_label(one) for one in drawn])
    axes.set_ylim(-0.7, len(drawn) - 0.3)
    name_axes(axes, "Result and intervals over the forecast (%)")
    inside, of, share = record.cover["quote"]
    figure.caption = (
        f"{len(drawn)} settled forecasts of {len(record.scores)}. Wide bars: the interval to quote; narrow: sampling; "
        f"point: the result (cross: outside the quote). {inside} of {of} results lie in the quote "
        f"({100 * share[0]:.0f} to {100 * share[1]:.0f} % of forecasts, 95 % exact binomial)."
    )
    return figure


def _percent(value: float | None, of: float, side: int) -> float:
    """Change against the forecast; an end that nothing bounds is drawn at half or twice."""
    return 100.0 * (value / of - 1.0) if value is not None else (-50.0, 0.0, 100.0)[side + 1]


def _label(one: Score) -> str:
    body = one.forecast.body
    place = ", ".join(f"{name} {value:.3g}" for name, value in body["at"].items())
    return f"{one.forecast.number}: {place} ({math.floor(body['beyond'] * 10) / 10:g}x)"
