"""The tables of the study of real people: written from finished pieces, read back, and made into curves.

real_people.csv has a row for each trained model and way to turn test sessions; real_people_persons.csv the errors
of each test person in it; real_people_calibration.csv a row for each model calibrated to one person.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from semgjax.errors import InputError
from semgjax.files import read_json, read_text, write_atomic
from semgjax.scaling.table import Table

Array = np.ndarray
Row = dict[str, str]

SCHEMA, VERSION = "semgjax/real-people", 1
MODELS, PERSONS, CALIBRATION = "real_people.csv", "real_people_persons.csv", "real_people_calibration.csv"
RATE = "event_error_rate"
WORN, BY_DECODER, BY_DISCRIMINANT = "worn", "decoder", "discriminant"
"""how a test session is turned: as worn, or where the decoder or the discriminant prefers it"""
_CONFIG = (
    "fold", "seed", "people", "width", "sessions", "repetitions", "hours", "steps", "aligned", "teacher_params",
    "spliced",
)  # fmt: skip
_MODEL_COLUMNS = ("run", "method", *_CONFIG, "params", "turn", "test_people", "events", RATE)
_EDITS = ("events", "substitutions", "deletions", "insertions")
_PERSON_COLUMNS = ("run", "method", "turn", "person", *_EDITS, RATE)
_CALIBRATION_COLUMNS = ("run", "fold", "seed", "person", "start", "events_a_class", "steps", "spliced", *_EDITS, RATE)


def write_tables(pieces: Path, out: Path) -> int:
    """Write the three tables of the finished pieces of a folder, ordered by name; the number of runs in them.

    Rows that the tables of `out` have of other runs stay, so that a study resumes from its tables alone.

    Raises:
        InputError: no finished piece and no row, or a file that is none.
    """
    documents = [read_json(path, SCHEMA, VERSION) for path in sorted(pieces.glob("*.json"))]
    earlier = earlier_rows(out)
    if not documents and not earlier[MODELS]:
        raise InputError(
            f"{pieces}: no finished piece; run python -m analysis.real_people --data FOLDER", "not-finished"
        )
    models: list[dict[str, Any]] = []
    persons: list[dict[str, Any]] = []
    calibrated: list[dict[str, Any]] = []
    for document in documents:
        if "calibrations" in document:
            calibrated += [_calibration_row(document, one) for one in document["calibrations"]]
            continue
        for result in document["results"]:
            head = {"run": document["run"], **{name: result[name] for name in ("method", "turn")}}
            rows = [{**head, "person": person, **_edits(counts)} for person, counts in result["persons"].items()]
            persons += rows
            models.append(
                {
                    **head,
                    **{name: document[name] for name in _CONFIG},
                    "params": result["params"],
                    "test_people": len(rows),
                    "events": sum(row["events"] for row in rows),
                    RATE: float(np.mean([row[RATE] for row in rows])),
                }
            )
    for name, columns, found in (
        (MODELS, _MODEL_COLUMNS, models),
        (PERSONS, _PERSON_COLUMNS, persons),
        (CALIBRATION, _CALIBRATION_COLUMNS, calibrated),
    ):
        fresh = {row["run"] for row in found}
        kept = [dict(row) for row in earlier[name] if row["run"] not in fresh]
        write_atomic(out / name, _csv(columns, sorted(kept + found, key=lambda row: row["run"])))
    return len({document["run"] for document in documents} | runs_in(earlier))


def earlier_rows(out: Path) -> dict[str, list[Row]]:
    """The rows of the three tables of a folder; of a table that is not there, none.

    Raises:
        InputError: a file that is no such table.
    """
    return {n: read_rows(out / n) if (out / n).exists() else [] for n in (MODELS, PERSONS, CALIBRATION)}


def runs_in(tables: Mapping[str, Sequence[Row]]) -> set[str]:
    """Names of the runs that tables have rows of."""
    return {row["run"] for rows in tables.values() for row in rows}


def _calibration_row(document: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    shared = {name: document[name] for name in ("run", "fold", "seed", "spliced")}
    return {**shared, **{n: one[n] for n in ("person", "start", "events_a_class", "steps")}, **_edits(one["counts"])}


def _edits(counts: Sequence[int]) -> dict[str, Any]:
    """Events, substitutions, deletions and insertions by name, with the error rate in percent."""
    events, *edits = (int(count) for count in counts)
    return {**dict(zip(_EDITS, (events, *edits), strict=True)), RATE: 100.0 * sum(edits) / events}


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def read_rows(path: Path) -> list[Row]:
    """The rows of one of the tables.

    Raises:
        InputError: no such file, or no table.
    """
    try:
        reader = csv.DictReader(
            io.StringIO(read_text(path, "a table of analysis/real_people.py"), newline=""), strict=True
        )
        rows = [{name: value or "" for name, value in row.items()} for row in reader]
    except csv.Error as error:
        raise InputError(f"{path}: is no CSV ({error}); write it again", "bad-row") from None
    names = {MODELS: _MODEL_COLUMNS, PERSONS: _PERSON_COLUMNS, CALIBRATION: _CALIBRATION_COLUMNS}.get(path.name, ())
    for name in names:
        if name not in (reader.fieldnames or ()):
            raise InputError(f"{path}: no column {name!r}; write it with analysis/real_people.py", "no-column")
    return rows


@dataclass(frozen=True, eq=False)
class Curve:
    """Errors of one input's values, by seed and person; every person is tested once per seed, in its fold.

    Attributes:
        values: of the input, ascending [v].
        seeds: [s].
        people: test persons [m].
        errors: percent [v, s, m].
        rows: of the models behind each value, for their other columns.
    """

    values: tuple[float, ...]
    seeds: tuple[str, ...]
    people: tuple[str, ...]
    errors: Array
    rows: tuple[tuple[Row, ...], ...]

    def column(self, name: str) -> Array:
        """Mean of another column for each value [v]."""
        return np.array([np.mean([float(row[name]) for row in rows]) for rows in self.rows])

    def at(self, value: float) -> Array:
        """Errors [s, m] at one value."""
        return self.errors[self.values.index(value)]

    def of(self, people: Iterable[str]) -> "Curve":
        """The same of some test persons."""
        kept = [place for place, person in enumerate(self.people) if person in set(people)]
        chosen = tuple(self.people[place] for place in kept)
        return Curve(self.values, self.seeds, chosen, self.errors[:, :, kept], self.rows)

    def only(self, seeds: Iterable[str]) -> "Curve":
        """The same of some seeds."""
        kept = [place for place, seed in enumerate(self.seeds) if seed in set(seeds)]
        chosen = tuple(self.seeds[place] for place in kept)
        rows = tuple(tuple(row for row in rows if row["seed"] in chosen) for rows in self.rows)
        return Curve(self.values, chosen, self.people, self.errors[:, kept], rows)

    def table(self, name: str, values: Sequence[float] | Array, column: str, source: str) -> Table:
        """The points for a law over input `name`: a point per value and seed, with the errors of all test persons.

        values: of the input at each of the curve's values [v]; column: their name.
        """
        seeds = len(self.seeds)
        users = self.errors.reshape(-1, len(self.people))
        return Table(
            {name: np.repeat(np.array(values, np.float64), seeds)},
            users.mean(axis=1),
            "%",
            RATE,
            {name: column},
            source,
            {"averaging": "macro"},
            runs=tuple(f"{value:g}-{seed}" for value in values for seed in self.seeds),
            users=self.people,
            users_y=users,
        )


def of_shared_seeds(*curves: Curve) -> tuple[Curve, ...]:
    """The curves of the seeds that all of them have, so that differences between them are paired.

    Raises:
        InputError: they share none ("not-finished").
    """
    shared = [seed for seed in curves[0].seeds if all(seed in curve.seeds for curve in curves)]
    if not shared:
        raise InputError(f"{MODELS}: the compared models share no seed; train the missing ones", "not-finished")
    return tuple(curve.only(shared) for curve in curves)


@dataclass(frozen=True, eq=False)
class Results:
    """The tables of models and persons."""

    models: tuple[Row, ...]
    persons: Mapping[tuple[str, str, str], Mapping[str, float]]
    source: str

    def curve(self, column: str, where: Mapping[str, str | float], keep: Callable[[Row], bool] | None = None) -> Curve:
        """Errors over a column's values among the models that `where` and `keep` choose.

        A seed counts where all its folds are there for all values, so that every value has the same test persons.

        Raises:
            InputError: no model is left ("no-row"), or no seed is complete ("not-finished").
        """
        rows = [row for row in self.models if _matches(row, where) and (keep is None or keep(row))]
        if not rows:
            raise InputError(f"{self.source}: no model has {_words(where)}; train these first", "no-row")
        values = sorted({float(row[column]) for row in rows})
        cells: dict[tuple[str, float], dict[str, Row]] = {}
        for row in rows:
            found = cells.setdefault((row["seed"], float(row[column])), {})
            if row["fold"] in found:
                raise InputError(
                    f"{self.source}: runs {found[row['fold']]['run']} and {row['run']} have the same {column}, fold "
                    "and seed; choose one",
                    "duplicate-run",
                )
            found[row["fold"]] = row
        folds = {row["fold"] for row in self.models}
        seeds = sorted({row["seed"] for row in rows}, key=int)
        whole = [s for s in seeds if all(set(cells.get((s, value), ())) == folds for value in values)]
        if not whole:
            raise InputError(
                f"{self.source}: no seed has all {len(folds)} folds of each {column} with {_words(where)}; train them",
                "not-finished",
            )
        errors: dict[tuple[float, str], dict[str, float]] = {}
        for value in values:
            for seed in whole:
                tested = (self.persons[r["run"], r["method"], r["turn"]] for r in cells[seed, value].values())
                errors[value, seed] = {person: error for part in tested for person, error in part.items()}
        people = tuple(sorted(next(iter(errors.values()))))
        return Curve(
            tuple(values),
            tuple(whole),
            people,
            np.array([[[errors[value, seed][p] for p in people] for seed in whole] for value in values]),
            tuple(tuple(row for seed in whole for row in cells[seed, value].values()) for value in values),
        )


def read_results(folder: Path) -> Results:
    """The tables of models and persons of a folder.

    Raises:
        InputError: a table is missing or is none, a model's persons are missing, or a cell is no number.
    """
    models = read_rows(folder / MODELS)
    persons: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in read_rows(folder / PERSONS):
        persons.setdefault((row["run"], row["method"], row["turn"]), {})[row["person"]] = _number(folder / PERSONS, row)
    for row in models:
        _number(folder / MODELS, row)
        if len(persons.get((row["run"], row["method"], row["turn"]), ())) != int(row["test_people"]):
            raise InputError(
                f"{folder / PERSONS}: lacks test persons of run {row['run']}; write both tables again", "no-row"
            )
    return Results(tuple(models), persons, MODELS)


def _number(path: Path, row: Row) -> float:
    try:
        return float(row[RATE])
    except ValueError:
        raise InputError(f"{path}: run {row['run']} has {RATE} {row[RATE]!r}; write it again", "bad-number") from None


def _matches(row: Row, where: Mapping[str, str | float]) -> bool:
    return all(row[n] == v if isinstance(v, str) else row[n] != "" and float(row[n]) == v for n, v in where.items())


def _words(where: Mapping[str, str | float]) -> str:
    return ", ".join(f"{name} {value}" for name, value in where.items())
