"""Laws against their peers: simple-scaling-laws 0.2.0 and scipy's delta method on the same simulated tables.

`semgjax bench laws_against_peers` compares the times; `python -m benchmarks.laws_against_peers [--tables 40]
[--quote] [--out FILE.md]` prints the whole table: in each of five settings the share of 95 % intervals, ten times
beyond the sweep, that hold the true curve, their median width, the share of tables on which a tool gives no number or
says that something is wrong, and the time of a fit with its interval. SEMGJAX_PEER_PYTHON names the interpreter that
has the peer installed (it needs Python 3.12: python3.12 -m venv DIR; DIR/bin/pip install
simple-scaling-laws==0.2.0); without it the peer's rows are left out.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from scipy.optimize import curve_fit
from scipy.stats import t as student

import semgjax
from benchmarks.measure import Comparison
from semgjax.errors import InputError
from semgjax.scaling.diagnose import blocks, diagnose
from semgjax.scaling.profile import prediction_interval

Array = np.ndarray

TABLES = 40
LEVEL = 0.95
BEYOND = 10.0
# Findings that stand on every table here, such as that the point lies beyond the sweep: they say nothing about one.
USUAL = ("extrapolating", "extrapolation", "single_run_per_configuration", "no_repeated_evaluations")
PEER = Path(__file__).with_name("_laws_peer.py")
VARIABLE = "SEMGJAX_PEER_PYTHON"


@dataclass(frozen=True)
class Setting:
    """Sweeps of one kind: sizes [n], and noise(random, sizes [n]) -> factors of the true curve [n]."""

    name: str
    sizes: Array
    noise: Callable[[np.random.Generator, Array], Array]


@dataclass(frozen=True)
class Answer:
    """What a tool says of one table: interval (None: no number is given), seconds, and whether it warns."""

    interval: tuple[float, float] | None
    seconds: float
    warns: bool


def truth(sizes: Array | float) -> Array:
    """The curve of all tables: 68 % at the smallest size to 15.5 % at the largest, floor 8 %."""
    return 8.0 + 60.0 * (np.asarray(sizes, np.float64) / 2e4) ** -0.45


def settings() -> tuple[Setting, ...]:
    """Clean sweeps, and three ways in which real ones are not."""
    single, seeds, nine = (np.geomspace(2e4, 2e6, n) for n in (8, 6, 9))

    def steady(random: np.random.Generator, sizes: Array) -> Array:
        return np.exp(0.03 * random.standard_normal(len(sizes)))

    def growing(random: np.random.Generator, sizes: Array) -> Array:
        place = np.log(sizes / sizes.min()) / np.log(sizes.max() / sizes.min())
        return np.exp(0.01 * 6.0**place * random.standard_normal(len(sizes)))

    def shared(random: np.random.Generator, sizes: Array) -> Array:
        effects = 0.03 * random.standard_normal(len(np.unique(sizes)))
        return np.exp(np.repeat(effects, 3) + 0.02 * random.standard_normal(len(sizes)))

    def outlier(random: np.random.Generator, sizes: Array) -> Array:
        factors = np.exp(0.02 * random.standard_normal(len(sizes)))
        factors[random.integers(len(sizes))] *= 1.5
        return factors

    return (
        Setting("8 sizes, noise 3 %", single, steady),
        Setting("6 sizes x 3 seeds, noise 3 %", np.repeat(seeds, 3), steady),
        Setting("8 sizes, noise 1 to 6 % with size", single, growing),
        Setting("6 sizes x 3 seeds, 3 % shared by a size's seeds", np.repeat(seeds, 3), shared),
        Setting("9 sizes, one run 50 % off", nine, outlier),
    )


def tables_of(setting: Setting, count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Simulated tables {"N", "y", "at"}; at is ten times the largest size."""
    random = np.random.default_rng([seed, len(setting.name)])
    return [
        {
            "N": setting.sizes.tolist(),
            "y": (truth(setting.sizes) * setting.noise(random, setting.sizes)).tolist(),
            "at": BEYOND * float(setting.sizes.max()),
        }
        for _ in range(count)
    ]


def ours(table: dict[str, Any]) -> Answer:
    """A fit, its findings and the sampling interval of the curve, as the peers give one."""
    begun = time.perf_counter()
    fit = semgjax.fit({"N": table["N"], "y": table["y"]}, y="y", N="N", law="floor_power", unit="%").result
    interval = prediction_interval(fit, table["at"], LEVEL)
    found = diagnose(fit, None)
    seconds = time.perf_counter() - begun
    warns = any(d.severity != "info" and d.code not in USUAL for d in found)
    return Answer(None if blocks(found) else interval, seconds, warns)


def to_quote(table: dict[str, Any]) -> Answer:
    """The whole prediction of the public API, with its interval to quote."""
    begun = time.perf_counter()
    law = semgjax.fit({"N": table["N"], "y": table["y"]}, y="y", N="N", law="floor_power", unit="%")
    found = law.predict(N=table["at"], level=LEVEL)
    seconds = time.perf_counter() - begun
    warns = found.blocked or any(d.severity != "info" and d.code not in USUAL for d in found.diagnostics)
    return Answer(None if found.blocked else found.quote, seconds, warns)


def scipys(table: dict[str, Any]) -> Answer:
    """scipy's curve_fit on log y from three starts, and the delta method with t of n - 3 degrees of freedom."""
    sizes, logs = np.array(table["N"]), np.log(table["y"])
    middle = float(np.exp(np.log(sizes).mean()))

    def curve(n: Array, e: float, a: float, b: float) -> Array:
        return np.log(np.exp(e) + np.exp(a) * (n / middle) ** -np.exp(b))

    begun = time.perf_counter()
    best: tuple[float, Array, Array] | None = None
    for exponent in (0.2, 0.5, 1.0):
        low = float(np.exp(logs.min()))
        start = [np.log(0.5 * low), np.log(max(np.exp(logs).mean() - 0.5 * low, 1e-3)), np.log(exponent)]
        try:
            with np.errstate(all="ignore"):
                theta, covariance = curve_fit(curve, sizes, logs, p0=start, maxfev=5000)
        except RuntimeError:
            continue
        squares = float(np.sum((logs - curve(sizes, *theta)) ** 2))
        if best is None or squares < best[0]:
            best = (squares, theta, covariance)
    interval = None
    if best is not None and np.isfinite(best[2]).all():
        _, theta, covariance = best
        at = np.array([table["at"]])
        with np.errstate(all="ignore"):
            slope = np.array([
                (curve(at, *(theta + step))[0] - curve(at, *(theta - step))[0]) / 2e-5 for step in 1e-5 * np.eye(3)
            ])  # fmt: skip
            half = float(student.ppf(0.5 + LEVEL / 2.0, len(sizes) - 3) * np.sqrt(slope @ covariance @ slope))
        value = float(curve(at, *theta)[0])
        if np.isfinite(half):
            with np.errstate(over="ignore"):
                interval = (float(np.exp(value - half)), float(np.exp(value + half)))
    return Answer(interval, time.perf_counter() - begun, best is None or interval is None)


def peers(tables: list[dict[str, Any]], interpreter: str) -> tuple[str, list[Answer]]:
    """(version, answers) of simple-scaling-laws, run once for all tables in its own interpreter.

    Raises:
        InputError: the interpreter cannot run it.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "tables.json", Path(folder) / "answers.json"
        source.write_text(json.dumps({"tables": tables}))
        try:
            done = subprocess.run(
                [interpreter, str(PEER), str(source), str(out)], capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise InputError(
                f"{VARIABLE}={interpreter}: {error.strerror}; name a Python 3.12", "bad-environment"
            ) from None
        if done.returncode or not out.exists():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise InputError(
                f"{VARIABLE}={interpreter}: {last}; install simple-scaling-laws==0.2.0 there", "bad-environment"
            )
        found = json.loads(out.read_text())
    answers = []
    for row in found["rows"]:
        if row is None:
            answers.append(Answer(None, float("nan"), True))
            continue
        serious = any(severity in ("warning", "error") and code not in USUAL for code, severity in row["notes"])
        answers.append(Answer((row["low"], row["high"]), row["seconds"], serious))
    return found["version"], answers


def row_of(answers: list[Answer], value: float) -> dict[str, float]:
    """cover and median width (over the true value) of the intervals that are given, shares without one and with a
    warning, and median seconds."""
    given = [a.interval for a in answers if a.interval is not None]
    return {
        "cover": float(np.mean([low <= value <= high for low, high in given])) if given else float("nan"),
        "width": float(np.median([(high - low) / value for low, high in given])) if given else float("nan"),
        "withheld": 1.0 - len(given) / len(answers),
        "warns": float(np.mean([a.warns for a in answers])),
        "seconds": float(np.nanmedian([a.seconds for a in answers])),
    }


def measure(count: int = TABLES, quote: bool = False) -> tuple[list[tuple[str, str, dict[str, float]]], str]:
    """Rows (setting, tool, figures) and a sentence about the peer; quote: the whole prediction too, which takes seconds
    a table."""
    interpreter = os.environ.get(VARIABLE, "")
    note = f"{VARIABLE} is not set: simple-scaling-laws is left out (see the module's docstring)"
    rows: list[tuple[str, str, dict[str, float]]] = []
    ours(tables_of(settings()[0], 1, seed=1)[0])  # compiles what a first fit compiles
    for setting in settings():
        tables = tables_of(setting, count)
        value = float(truth(tables[0]["at"]))
        rows.append((setting.name, "semgjax", row_of([ours(table) for table in tables], value)))
        if quote:
            rows.append((setting.name, "semgjax, to quote", row_of([to_quote(table) for table in tables], value)))
        rows.append((setting.name, "scipy, delta method with t", row_of([scipys(table) for table in tables], value)))
        if interpreter:
            version, answers = peers(tables, interpreter)
            note = f"simple-scaling-laws {version} with its default 1,000 draws"
            rows.append((setting.name, f"simple-scaling-laws {version}", row_of(answers, value)))
    return rows, note


def markdown(rows: list[tuple[str, str, dict[str, float]]], note: str, count: int) -> str:
    """The table as Markdown."""
    error = 100 * np.sqrt(0.95 * 0.05 / count)
    shown = [
        f"{count} tables a setting, the same for all tools; truth y = 8 + 60 (N / 2e4)^-0.45; 95 % intervals of the "
        f"curve at ten times the largest size; standard error of a cover {error:.1f} points. {note}.",
        "",
        "| setting | tool | cover | median width | no interval | warns | time |",
        "|---|---|---|---|---|---|---|",
    ]
    for setting, tool, row in rows:
        cells = [f"{100 * row[name]:.0f} %" for name in ("cover", "width", "withheld", "warns")]
        shown.append(f"| {setting} | {tool} | {' | '.join(cells)} | {1000 * row['seconds']:.3g} ms |")
    return "\n".join(shown) + "\n"


def run() -> dict[str, Comparison]:
    """Times of a fit with its interval, beside each peer's."""
    rows, note = measure(10)
    found = {}
    for setting, tool, row in rows:
        if not tool.startswith("semgjax"):
            own = next(r for s, name, r in rows if s == setting and name == "semgjax")
            key = f"laws.{tool.split(',')[0].split(' ')[0]}.{setting}"
            text = f"fit and interval; cover {100 * own['cover']:.0f} against {100 * row['cover']:.0f} %; {note}"
            found[key] = Comparison(own["seconds"], row["seconds"], "s", text)
    return found


def main(tables: int = TABLES, quote: bool = False, out: Path | None = None) -> None:
    """Print the whole table.

    Args:
        tables: simulated tables of each setting
        quote: one more row: the interval to quote
        out: Markdown file to write
    """
    text = markdown(*measure(tables, quote), tables)
    print(text)
    if out is not None:
        out.write_text(text)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
