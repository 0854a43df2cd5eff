"""What laws miss beyond their sweeps, from published ones, and how often intervals for larger runs then hold them.

Each published table is cut at several sizes; a law is fitted to the smaller runs and asked for the larger ones. The
scale of `semgjax.scaling.drift.MODEL` is the largest with which the intervals hold at most 97 % of the larger runs,
every source counted alike: sources whose runs follow the law hold 100 % whatever the scale, and would hide those that
fall short. Each source is also tried with the scale that the others choose. Run it with
`python -m analysis.ladders --data FOLDER`. The tables of three sources are among those of the tests; chinchilla_points
and emg_force_users are not, and without them the rule chooses a smaller scale.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from analysis.command import run
from semgjax.errors import InputError
from semgjax.files import write_atomic
from semgjax.scaling.drift import drift_of, mixture_quantiles, prediction_mixture
from semgjax.scaling.fit import Fit, fit_law, predict
from semgjax.scaling.laws import LAWS
from semgjax.scaling.read import read_table
from semgjax.scaling.table import Table

Array = np.ndarray

DATA = Path(__file__).parents[1] / "tests" / "scaling" / "data"
FAR = (2.0, 4.0, 10.0, 30.0)  # times beyond the smaller runs, in compute or in the only input
LEVEL, MOST = 0.95, 0.97
SCALES = (0.0, 0.02, 0.05, 0.08, 0.1, 0.12, 0.14, 0.16, 0.2, 0.3)


@dataclass(frozen=True, eq=False)
class Ladder:
    """A published table of one law; family: ladders of one source, which leave the library together."""

    name: str
    family: str
    table: Table
    law: str


@dataclass(frozen=True, eq=False)
class Trial:
    """Larger runs predicted from smaller ones: the fit, the larger runs' places and log(measured / law) [m]."""

    ladder: Ladder
    fit: Fit
    x: dict[str, Array]
    apart: Array


def ladders(folder: Path) -> list[Ladder]:
    """The tables of a folder that are known here."""
    found = []

    def add(file: str, family: str, mapping: dict[str, str], law: str, where: dict[str, str] | None = None) -> None:
        if (folder / file).exists():
            table = read_table(folder / file, mapping, where or {}, None, LAWS[law].input_names)
            name = ", ".join([mapping["y"], *(where or {}).values()])
            found.append(Ladder(f"{file}: {name}", family, table, law))

    for dataset in ("c4_original", "rw_original"):
        mapping = {"N": "N", "D": "D", "y": "loss_c4_val"}
        add("gadre_c4_refinedweb.csv", "gadre", mapping, "chinchilla", {"dataset": dataset})
    add("kyo_takano_llm.csv", "kyo-takano", {"N": "N", "D": "D", "y": "loss"}, "chinchilla")
    for y in ("c4_loss", "mmlu_avg_test_5shot__bpb", "hellaswag_val_5shot__bpb", "piqa_val_5shot__bpb"):
        add("olmo_ladder_train.csv", "olmo", {"N": "N", "D": "D", "y": y}, "chinchilla")
    mapping = {"N": "Model Size", "D": "Training FLOP/6/Model Size", "y": "loss"}
    add("chinchilla_points.csv", "chinchilla", mapping, "chinchilla")
    mapping = {"N": "n_train_subjects", "y": "mae"}
    add("emg_force_users.csv", "emg force", mapping, "power", {"arm": "zero_shot"})
    return found


def trials(ladder: Ladder) -> Iterator[Trial]:
    """Cuts of a ladder at which the smaller runs determine the law."""
    table = ladder.table
    size = np.exp(sum(np.log(v) for v in table.x.values()))
    for far in FAR:
        small = np.flatnonzero(size <= size.max() / far)
        large = np.flatnonzero(size > size.max() / far * 1.2)
        try:
            fit = fit_law(table.rows(small), LAWS[ladder.law], starts=32)
        except (InputError, ValueError):
            continue
        if fit.degrees_of_freedom < 2 or fit.levels <= fit.free_count or not len(large):
            continue
        x = {name: v[large] for name, v in table.x.items()}
        yield Trial(ladder, fit, x, np.log(table.y[large] / predict(fit, x)))


def held(trial: Trial) -> list[float]:
    """Share of the larger runs within their intervals, noise of a run included, for each of SCALES."""
    drift = drift_of(trial.fit)
    assert drift is not None
    found = []
    for scale in SCALES:
        mix = prediction_mixture(drift, trial.x, scale)
        spread = np.sqrt(mix.sampling + mix.drift + drift.sigmas[:, None] ** 2)
        low, high = mixture_quantiles(mix.shares, mix.means, spread, LEVEL)
        found.append(float(np.mean((low <= trial.apart) & (trial.apart <= high))))
    return found


def shares(found: list[Trial]) -> dict[str, Array]:
    """Family -> mean share held at each of SCALES; the cuts of one ladder, then its ladders, counted alike."""
    every: dict[str, dict[str, list[list[float]]]] = {}
    for trial in found:
        every.setdefault(trial.ladder.family, {}).setdefault(trial.ladder.name, []).append(held(trial))
    return {f: np.mean([np.mean(rows, axis=0) for rows in names.values()], axis=0) for f, names in every.items()}


def chosen(by_family: dict[str, Array], without: str = "") -> int:
    """Index of the largest scale that holds at most MOST over the families (but one)."""
    mean = np.mean([row for family, row in by_family.items() if family != without], axis=0)
    enough = np.flatnonzero(np.round(mean, 3) <= MOST)
    return int(enough[-1]) if len(enough) else 0


def table(found: list[Trial]) -> str:
    """The calibration as Markdown."""
    by_family = shares(found)
    lines = [
        f"{len(found)} cuts of published sweeps; share of the larger runs held by their 95 % intervals.",
        "",
        "| what laws miss, in shares of their slope | " + " | ".join(f"{scale:g}" for scale in SCALES) + " |",
        "|---|" + "---|" * len(SCALES),
    ]
    rows = {**by_family, "mean": np.mean(list(by_family.values()), axis=0)}
    lines += [f"| {name} | " + " | ".join(f"{100 * v:.0f} %" for v in row) + " |" for name, row in rows.items()]
    left = {family: chosen(by_family, family) for family in by_family}
    lines += ["", "| left out | chosen on the others | held |", "|---|---|---|"]
    lines += [f"| {f} | {SCALES[k]:g} | {100 * by_family[f][k]:.0f} % |" for f, k in left.items()]
    mean = np.mean([by_family[family][k] for family, k in left.items()])
    lines += [f"| mean | | {100 * mean:.1f} % |", "", f"Chosen on all: {SCALES[chosen(by_family)]:g}."]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Calibration:
    """Where the published tables are, and where the result goes."""

    data: Annotated[Path, tyro.conf.arg(help="folder of published tables (default: three of the five sources)")] = DATA
    out: Annotated[Path | None, tyro.conf.arg(help="Markdown file to write")] = None


def calibrate(options: Calibration) -> str:
    """The calibration as Markdown.

    Raises:
        InputError: a folder without any of the tables, or a file that cannot be written.
    """
    found = [trial for ladder in ladders(options.data) for trial in trials(ladder)]
    if not found:
        raise InputError(f"{options.data}: none of the published tables is there", "no-file")
    text = table(found)
    if options.out is not None:
        write_atomic(options.out, text)
    return text


if __name__ == "__main__":
    run(calibrate, Calibration, __doc__)
