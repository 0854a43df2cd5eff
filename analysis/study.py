"""What the studies share: words of the command line, the centre of a star, captions; writes OUT/NAME.png and .md."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from analysis import command
from semgjax.files import write_atomic
from semgjax.pages.law_plot import save_figure
from semgjax.pages.style import Picture
from semgjax.scaling.decide.cost_model import Cost, table_cost
from semgjax.scaling.diagnose import Diagnostic
from semgjax.scaling.ends import number
from semgjax.scaling.read import read_table
from semgjax.scaling.table import Table

STAR = Path(__file__).resolve().parent / "data" / "star.csv"
STAR_COLUMNS = {"N": "params", "U": "users", "H": "hours"}


@dataclass(frozen=True)
class Study:
    """A table of a sweep and where the results of a study go."""

    table: Annotated[Path, tyro.conf.arg(help="results.csv of a sweep")] = STAR
    out: Annotated[Path, tyro.conf.arg(help="folder for figures and captions")] = Path("out/analysis")
    decoder: Annotated[str, tyro.conf.arg(help="whose error rates")] = "greedy"
    level: Annotated[float, tyro.conf.arg(help="of the intervals")] = 0.95

    @property
    def simulated(self) -> str:
        """What a caption begins with: the repository's own table is of simulated people."""
        return "Simulated data. " if self.table.resolve() == STAR else ""

    def read(self, inputs: Mapping[str, str], where: Mapping[str, str] | None = None) -> Table:
        """Points of supervised runs (or as `where` says) over inputs {input: column}."""
        filters = {"kind": "supervised", "decoder": self.decoder, **(where or {})}
        return read_table(self.table, inputs, filters, inputs=tuple(inputs))


def run(study: Callable[[Study], Path]) -> None:
    """Run a study by the words of the command line."""
    command.run(study, Study, study.__doc__)


def centre(study: Study) -> dict[str, float]:
    """The configuration {N, U, H} that shares its other inputs with the most sizes, users and hours."""
    table = study.read(STAR_COLUMNS)
    rows = sorted(set(zip(*(v.tolist() for v in table.x.values()), strict=True)))
    shared = {row: sum(_differing(row, other) == 1 for other in rows) for row in rows}
    return dict(zip(table.x, max(shared, key=lambda row: shared[row]), strict=True))


def _differing(row: tuple[float, ...], other: tuple[float, ...]) -> int:
    return sum(a != b for a, b in zip(row, other, strict=True))


def star_cost(study: Study, table: Table, data: str) -> tuple[Cost, str]:
    """(FLOPs of a run by the table's inputs, how they were got); data: the input that stands for hours.

    Where runs of more data took no more FLOPs (equal steps), a run is taken to grow with its data: as many passes
    over it as at the geometric middle of the sweep.
    """
    cost = table_cost(table, study.table)
    ((factor, powers),) = cost.terms
    if abs(powers.get(data, 0.0)) > 0.1:
        return cost, f"FLOPs as measured, {cost.text} within {100 * cost.misfit:.2g} %"
    middle = float(np.exp(np.log(table.x[data]).mean()))
    factor *= middle ** powers.get(data, 0.0) / middle
    powers = {**powers, data: 1.0}
    text = "*".join([f"{factor:.4g}", *(f"{name}^{power:.4g}" for name, power in powers.items())])
    return Cost(
        ((factor, powers),), text
    ), f"{text} FLOP: measured by size, and one equal number of passes over the data"


def data_words(table: Table) -> str:
    """Data and seeds, for a caption."""
    groups = np.bincount(table.groups)
    seeds = f"{groups.min()}" if groups.min() == groups.max() else f"{groups.min()} to {groups.max()}"
    ranges = ", ".join(
        f"{table.column(n)} {number(float(v.min()))} to {number(float(v.max()))}" for n, v in table.x.items()
    )
    return (
        f"{len(table.y)} runs of {table.source} ({ranges}): {len(groups)} configurations, {seeds} seeds each; "
        f"{table.y_name} is the mean over the held-out users"
    )


def finding_words(found: tuple[Diagnostic, ...]) -> str:
    """Warnings and errors, for a caption."""
    kept = dict.fromkeys(f"{d.code} ({d.message})" for d in found if d.severity != "info")
    return f" Findings: {'; '.join(kept)}." if kept else ""


def write_study(study: Study, name: str, caption: str, figure: Picture | None = None, table: str = "") -> Path:
    """Write OUT/NAME.md (table and caption) and OUT/NAME.png; the path of the first."""
    picture = ""
    if figure is not None:
        save_figure(figure, study.out / f"{name}.png")
        picture = f"![{name}]({name}.png)\n\n"
    path = study.out / f"{name}.md"
    write_atomic(path, f"{picture}{table}{study.simulated}{caption}\n")
    return path


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
    return "\n".join(lines) + "\n\n"
