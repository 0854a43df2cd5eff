"""`semgjax.check_transfer` and `TransferCheck`: will a learning rate tuned on a small network suit a large one?"""

import contextlib
import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.api.models import read_corpus
from semgjax.data.batching.batches import stream, train_data
from semgjax.data.corpus import Corpus
from semgjax.errors import InputError
from semgjax.notebook import facts
from semgjax.parallel.cores import use_cores
from semgjax.training.run_config import RunConfig
from semgjax.transfer.coordinates import coordinate_sizes
from semgjax.transfer.last_loss import last_loss
from semgjax.transfer.members import BASE, Family, Parametrization, member
from semgjax.transfer.optimum import Optimum, drift, optimum
from semgjax.transfer.sizes import BOUND, HIDDEN, ROWS, Sizes, spread

SCHEMA, VERSION = "semgjax.transfer", 1
GRID = 2.0
"""best rates that differ by no more than this factor, a step of the usual grid, are said to stay"""


@dataclass(frozen=True, repr=False)
class TransferCheck:
    """What a check of transfer measured.

    Attributes:
        parametrization: standard, completep, or completep-fixed-gains.
        rate: learning rate of the coordinate check.
        settings: family, seeds, batch, steps of the coordinate check, and rate_steps with a sweep of rates.
        widths, depths: sizes of activations over widths at the base's depth, and over depths at the first width.
        tried: width -> (rate -> loss) of each seed; empty without a sweep of rates.
    """

    parametrization: Parametrization
    rate: float
    settings: Mapping[str, Any]
    widths: tuple[Sizes, ...]
    depths: tuple[Sizes, ...]
    tried: Mapping[int, Sequence[Mapping[float, float]]]

    @property
    def spreads(self) -> dict[str, dict[str, float]]:
        """Largest ratio of activations between two networks: axis -> row -> ratio."""
        axes = {"width": self.widths, "depth": self.depths}
        return {axis: {row: spread(sizes, row) for row in ROWS} for axis, sizes in axes.items()}

    @property
    def coordinates_hold(self) -> bool:
        """Whether no hidden row changes by more than `BOUND` over widths and depths."""
        return all(self.spreads[axis][row] <= BOUND for axis in ("width", "depth") for row in HIDDEN)

    @property
    def optima(self) -> dict[int, Optimum]:
        """The best rate at each width."""
        return {width: optimum(losses) for width, losses in self.tried.items()}

    @property
    def rates_hold(self) -> bool | None:
        """Whether best rates differ by one step of the grid at most; None without rates, or with one at the edge."""
        optima = list(self.optima.values())
        if len(optima) < 2 or any(found.edge for found in optima):
            return None
        return drift(optima) <= GRID

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values: the body of transfer.json."""

        def sizes(members: Sequence[Sizes]) -> list[dict[str, Any]]:
            return [
                {"width": one.width, "depth": one.depth}
                | {row: {"size": size, "moved": moved}
                   for row, size, moved in zip(ROWS, one.size.tolist(), one.moved.tolist(), strict=True)}
                for one in members
            ]  # fmt: skip

        return {
            "parametrization": self.parametrization,
            "learning_rate": self.rate,
            **self.settings,
            "bound": BOUND,
            "widths": sizes(self.widths),
            "depths": sizes(self.depths),
            "spreads": self.spreads,
            "coordinates_hold": self.coordinates_hold,
            "rates": [
                {"width": width, **dataclasses.asdict(found),
                 "tried": [[[rate, loss if loss < float("inf") else None] for rate, loss in one.items()]
                           for one in self.tried[width]]}
                for width, found in self.optima.items()
            ],
            "rates_hold": self.rates_hold,
        }  # fmt: skip

    def save(self, folder: str | Path) -> list[Path]:
        """Write transfer.json and transfer.png into a folder, which is made if it is missing; their paths."""
        from semgjax.files import write_json
        from semgjax.pages.law_plot import save_figure
        from semgjax.pages.transfer_figure import transfer_figure

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / "transfer.json", folder / "transfer.png"]
        write_json(paths[0], SCHEMA, VERSION, self.as_json())
        save_figure(transfer_figure(self.widths, self.depths, self.optima, self.tried), paths[1])
        return paths

    def __repr__(self) -> str:
        """One line."""
        worst = {axis: max(rows[row] for row in HIDDEN) for axis, rows in self.spreads.items()}
        rates = "" if not self.tried else f"; best rate moves {drift(list(self.optima.values())):.2f}x"
        return (
            f"TransferCheck({self.parametrization}: hidden rows {worst['width']:.2f}x over widths, "
            f"{worst['depth']:.2f}x over depths{rates})"
        )

    def _repr_html_(self) -> str:
        rows = {
            f"{row}, over {axis}s": f"{ratio:.2f}x" for axis, one in self.spreads.items() for row, ratio in one.items()
        }
        return facts(f"Transfer check, {self.parametrization}", rows.items())


def check_transfer(
    data: str | Path,
    family: Family = "keys",
    *,
    parametrization: Parametrization = "completep",
    widths: Sequence[int] = (16, 32, 64, 128),
    depths: Sequence[int] = (3, 6, 12, 24),
    steps: int = 8,
    batch: int = 4,
    learning_rate: float = 1e-3,
    seeds: Sequence[int] = (0, 1, 2),
    rates: Sequence[float] = (),
    rate_steps: int = 300,
    out: str | Path | None = None,
    splits: str | Path | None = None,
) -> TransferCheck:
    """Coordinate check over widths and depths, and with `rates` the best learning rate at each width.

    Args:
        data: folder of sessions whose training part gives the batches.
        family: keys, ladder or gesture: networks FAMILY-WIDTH, of the base's depth but for the axis of depths.
        depths: layers of networks of the first width.
        steps: steps of the coordinate check, at one rate without warm-up.
        learning_rate: of the coordinate check, constant; a warm-up's first steps are smaller than its peak.
        seeds: of the parameters, and of the runs of the sweep of rates.
        rates: learning rates of the sweep; none: no sweep.
        rate_steps: steps of its runs.
        out: folder of its runs, which resume; needed with rates.

    Raises:
        InputError: fewer than two widths or depths, one given twice, an unknown family, or unusable data.
    """
    _check(widths, depths, steps, batch, learning_rate, seeds, rates, rate_steps)
    if rates and out is None:
        raise InputError("rates: give out, a folder for their runs", "bad-value")
    use_cores(8)
    corpus = read_corpus(data, splits)
    coordinates = [
        member(family, width, layers, parametrization, corpus)
        for width, layers in (*((width, BASE.base_layers) for width in widths), *((widths[0], one) for one in depths))
    ]
    batches = _batches(corpus, coordinates[0], batch, steps)
    # The first width at the base's depth is on both axes, and computed once.
    known: dict[str, Sizes] = {}
    for config in coordinates:
        if config.hash not in known:
            known[config.hash] = coordinate_sizes(_constant(config, learning_rate, batch), batches, seeds)
    sizes = [known[config.hash] for config in coordinates]
    tried: dict[int, list[dict[float, float]]] = {}
    for width in widths if rates else ():
        tried[width] = []
        for seed in seeds:
            config = member(family, width, BASE.base_layers, parametrization, corpus, seed)
            runs = {one: _run(config, one, rate_steps, batch) for one in sorted(rates)}
            assert out is not None
            tried[width].append(
                {one: last_loss(run, corpus, Path(out) / f"runs/{parametrization}-{width}-{one:g}-{seed}")
                 for one, run in runs.items()}
            )  # fmt: skip
    found, settings = tuple(sizes), {"family": family, "seeds": list(seeds), "batch": batch, "steps": steps}
    settings |= {"rate_steps": rate_steps} if rates else {}
    return TransferCheck(parametrization, learning_rate, settings, found[: len(widths)], found[len(widths) :], tried)


def _check(
    widths: Sequence[int],
    depths: Sequence[int],
    steps: int,
    batch: int,
    learning_rate: float,
    seeds: Sequence[int],
    rates: Sequence[float],
    rate_steps: int,
) -> None:
    # A network or a seed that is given twice would count twice, and narrow the intervals.
    for name, values, fewest in (("widths", widths, 2), ("depths", depths, 2), ("seeds", seeds, 1)):
        least = 0 if name == "seeds" else 1
        if len(values) < fewest or len(set(values)) < len(values) or min(values) < least:
            raise InputError(
                f"{name} {list(values)}: give {fewest} or more different ones, of {least} at least", "bad-value"
            )
    if rates and (len(rates) < 3 or len(set(rates)) < len(rates) or not all(0 < rate < math.inf for rate in rates)):
        raise InputError(f"rates {list(rates)}: give three or more different positive ones", "bad-value")
    for name, value, most in (("steps", steps, 1000), ("batch", batch, 10**6), ("rate_steps", rate_steps, 10**9)):
        if not 1 <= value <= most:
            raise InputError(f"{name} {value}: give 1 to {most}", "bad-value")
    if not 0 < learning_rate < 1:
        raise InputError(f"learning_rate {learning_rate}: give a value between 0 and 1", "bad-value")


def _batches(corpus: Corpus, config: RunConfig, batch: int, steps: int) -> list[Any]:
    with contextlib.closing(stream(train_data(corpus.train, config.window, config.augment, batch, 0), 0)) as batches:
        return [next(batches) for _ in range(steps + 2)]


def _constant(config: RunConfig, rate: float, batch: int) -> RunConfig:
    """At one rate from the first step on: without warm-up, at the beginning of a long decay."""
    optimizer = dataclasses.replace(config.optimizer, learning_rate=rate, warmup=0.0, schedule="wsd")
    train = dataclasses.replace(config.train, batch=batch, steps=1_000_000)
    return dataclasses.replace(config, optimizer=optimizer, train=train)


def _run(config: RunConfig, rate: float, steps: int, batch: int) -> RunConfig:
    optimizer = dataclasses.replace(config.optimizer, learning_rate=rate)
    train = dataclasses.replace(
        config.train, steps=steps, batch=batch, evaluate_every=steps, checkpoint_every=steps,
        log_every=max(1, steps // 30),
    )  # fmt: skip
    return dataclasses.replace(config, optimizer=optimizer, train=train)
