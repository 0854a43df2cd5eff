"""`semgjax check`: whether a learning rate tuned on a small network suits larger ones."""

import json as jsonlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semgjax.cli.parse import run_commands
from semgjax.cli.terminal import say, say_columns

if TYPE_CHECKING:
    from semgjax.api.transfer import TransferCheck


def transfer(
    *,
    data: Path,
    out: Path,
    family: Literal["keys", "ladder", "gesture"] = "keys",
    parametrization: Literal["standard", "completep", "completep-fixed-gains"] = "completep",
    widths: tuple[int, ...] = (16, 32, 64, 128),
    depths: tuple[int, ...] = (3, 6, 12, 24),
    steps: int = 8,
    batch: int = 4,
    learning_rate: float = 1e-3,
    seeds: tuple[int, ...] = (0, 1, 2),
    rates: tuple[float, ...] = (),
    rate_steps: int = 300,
    splits: Path | None = None,
    json: bool = False,
) -> None:
    """Do activations keep their size over widths and depths (coordinate check), and does the best rate stay?

    Args:
        data: folder of sessions whose training part gives the batches
        out: folder that gets transfer.json, transfer.png and the runs of --rates, which resume
        family: networks FAMILY-WIDTH
        parametrization: standard, completep, or completep with the gains of norms held at 1
        widths: of networks of three layers
        depths: layers of networks of the first width
        steps: steps of the coordinate check
        batch: windows per step
        learning_rate: of the coordinate check, constant from its first step on
        seeds: of parameters and runs
        rates: learning rates that every width is trained at; none: coordinate check only
        rate_steps: steps of these runs
        splits: split file (default: splits.json in the folder of sessions)
        json: print one JSON object
    """
    from semgjax.api.robustness import check_folder
    from semgjax.api.transfer import check_transfer

    check_folder(out)
    found = check_transfer(
        data, family, parametrization=parametrization, widths=widths, depths=depths, steps=steps, batch=batch,
        learning_rate=learning_rate, seeds=seeds, rates=rates, rate_steps=rate_steps, out=out, splits=splits,
    )  # fmt: skip
    paths = found.save(out)
    if json:
        print(jsonlib.dumps(found.as_json()))
        return
    _say(found)
    for path in paths:
        say(f"wrote {path}")


def _say(found: "TransferCheck") -> None:
    from semgjax.api.transfer import GRID
    from semgjax.transfer.optimum import drift
    from semgjax.transfer.sizes import BOUND, HIDDEN

    say(f"{found.parametrization}, learning rate {found.rate:.3g}: largest ratio of activations between two networks")
    rows = [[row, *(f"{found.spreads[axis][row]:.2f}" for axis in found.spreads)] for row in (*HIDDEN, "logits")]
    say_columns([["", *(f"over {axis}s" for axis in found.spreads)], *rows], [0])
    verdict = "keep their size" if found.coordinates_hold else "change with the network"
    say(f"hidden rows {verdict} (bound {BOUND:g})")
    if not found.tried:
        return
    table = [
        [str(width), f"{one.rate:.3g}", "" if one.interval is None else "{:.2g} to {:.2g}".format(*one.interval),
         "at the edge of the rates tried" if one.edge else ""]
        for width, one in found.optima.items()
    ]  # fmt: skip
    say_columns([["width", "best rate", "95 %", ""], *table], [3])
    moved = f"best rates differ by a factor of {drift(list(found.optima.values())):.2f}"
    held = {True: f"one step of {GRID:g} at most", False: f"more than a step of {GRID:g}", None: "not judged: an edge"}
    say(f"{moved} ({held[found.rates_hold]})")


def run(words: list[str]) -> int:
    """The command group."""
    return run_commands("check", {"transfer": transfer}, words)
