"""Tables and further rates of the study of transfer, from made-up losses."""

import math

import pytest

from analysis.transfer_plan import Design, ladder_pieces, rate_pieces
from analysis.transfer_verdicts import answers, best_at, tried_of, wanted_rates

DESIGN = Design()


def rows_of(best: dict[tuple[str, int], float], rates=DESIGN.rates) -> list[dict[str, str]]:
    return [
        {
            "parametrization": one, "width": str(width), "rate": f"{rate:g}", "seed": str(seed),
            "loss": f"{1.0 + math.log(rate / place) ** 2:.6f}",
        }
        for (one, width), place in best.items()
        for rate in rates
        for seed in DESIGN.seeds
    ]  # fmt: skip


def test_the_rates_are_tried_at_every_width_without_and_with_completep():
    assert len(rate_pieces(DESIGN)) == len({piece.name for piece in rate_pieces(DESIGN)}) == 3 * 2 * 3 * 6
    assert {piece.parametrization for piece in ladder_pieces(DESIGN, (8, 16), 2.0)} == {"completep"}


def test_the_drift_is_told_in_steps_of_two():
    best = {("standard", 8): 4.0, ("standard", 32): 2.0, ("standard", 128): 0.5}
    best |= {("completep", width): 2.0 for width in (8, 32, 128)}
    found = answers(rows_of(best), DESIGN)
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in found.splitlines()]
    assert ["standard", "8.00", "3.0"] in lines and ["completep", "1.00", "0.0"] in lines


def test_rates_are_added_only_beyond_the_highest_and_up_to_the_limit():
    rows = rows_of({("standard", 8): 16.0, ("completep", 8): 2.0, ("standard", 128): 0.01})
    assert wanted_rates(rows, DESIGN, "standard", 8) == [16.0]
    assert wanted_rates(rows, DESIGN, "completep", 8) == wanted_rates(rows, DESIGN, "standard", 128) == []
    assert wanted_rates([], DESIGN, "standard", 8) == []
    most = rows_of({("standard", 8): 100.0}, (*DESIGN.rates, 16.0, 32.0))
    assert wanted_rates(most, DESIGN, "standard", 8) == []


def test_seeds_without_all_rates_are_left_out():
    rows = [row for row in rows_of({("standard", 8): 2.0}) if not (row["seed"] == "2" and row["rate"] == "1")]
    assert len(tried_of(rows, DESIGN, "standard", 8)) == 2
    assert best_at(rows, DESIGN, "standard", 8) == pytest.approx(2.0)
