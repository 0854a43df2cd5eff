"""`semgjax.compare` and `semgjax.report`: several laws on one table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from semgjax.api.columns import laws_and_points, mapping_of
from semgjax.errors import InputError
from semgjax.files import write_atomic
from semgjax.notebook import facts
from semgjax.scaling.answer import predict_at
from semgjax.scaling.compare import Comparison, average_prediction, compare_laws, test_users_or_hours
from semgjax.scaling.decide.cost_model import Cost, read_cost
from semgjax.scaling.diagnose import Diagnostic, diagnose
from semgjax.scaling.law import Law
from semgjax.scaling.objective import Objective, ObjectiveKind
from semgjax.scaling.profile import LEVEL


@dataclass(frozen=True, eq=False, repr=False)
class LawComparison:
    """Several laws on one table.

    Attributes:
        found: laws in falling order of weight (`scores`), those that were refused, nested tests and the verdict.
        average: (weighted mean, lowest, highest) of the laws' predictions at the point asked for; None without one.
        users_or_hours: whether users or hours count, in words; None for a law of other inputs.
        withheld: laws whose value at the point is withheld, as a finding of severity error says that it means nothing.
        findings: of severity error on the law that ranks first; where every law has some, there is no number.
    """

    found: Comparison
    average: tuple[float, float, float] | None
    users_or_hours: str | None
    withheld: tuple[str, ...] = ()
    findings: tuple[Diagnostic, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether all laws are withheld."""
        return len(self.withheld) == len(self.found.scores)

    @property
    def verdict(self) -> str:
        """Which law predicts larger runs best, in words."""
        return self.found.verdict

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each law by its record of predicting larger runs; they sum to 1."""
        return {score.name: score.weight for score in self.found.scores}

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        scores = [
            {n: getattr(s, n) for n in ("name", "aicc", "rolling_error", "largest_error", "weight", "value")}
            | {"parameters": None if s.name in self.withheld else s.fit.parameters}
            for s in self.found.scores
        ]
        return {
            "scores": scores,
            "refused": [list(refused) for refused in self.found.refused],
            "tests": [asdict(test) for test in self.found.tests],
            "verdict": self.verdict,
            "users_or_hours": self.users_or_hours,
            "average": None if self.average is None else dict(zip(("value", "low", "high"), self.average, strict=True)),
            "withheld": list(self.withheld),
            "blocked": self.blocked,
            "diagnostics": [asdict(found) for found in self.findings],
        }

    def __repr__(self) -> str:
        """One line."""
        return f"LawComparison({', '.join(f'{name} {weight:.2f}' for name, weight in self.weights.items())})"

    def _repr_html_(self) -> str:
        return facts(self.verdict, [(name, f"weight {weight:.2f}") for name, weight in self.weights.items()])


def compare(
    table: Any,
    laws: Sequence[str | Law] = (),
    columns: Mapping[str, str] | None = None,
    /,
    *,
    y: str | None = None,
    where: Mapping[str, str] | None = None,
    unit: str | None = None,
    objective: ObjectiveKind | None = None,
    delta: float | None = None,
    at: Mapping[str, float] | None = None,
    force: bool = False,
    **inputs: str,
) -> LawComparison:
    """Fit several laws to one table and rank them by how well they predict larger runs from smaller ones.

    Args:
        table, columns, y, where, unit, objective, delta, inputs: see `semgjax.fit`.
        laws: names or `Law`s over the same inputs (default: those that the inputs allow).
        at: predict here with each law.
        force: give the values even of laws of which a finding of severity error says that they mean nothing.

    Raises:
        InputError: no law can be fitted, no such table or column, or values that cannot be used.

    Example:
        >>> sizes = [1e5, 2e5, 4e5, 8e5, 1.6e6, 3.2e6, 6.4e6]
        >>> table = {"params": sizes, "cer": [9 + 3e3 * n**-0.5 for n in sizes]}
        >>> found = semgjax.compare(table, ["power", "floor_power"], y="cer", N="params")
        >>> max(found.weights, key=found.weights.get)
        'floor_power'
    """
    chosen, points = laws_and_points(table, laws, mapping_of(columns, inputs, y), where, unit)
    point = dict(at) if at else None
    found = compare_laws(points, chosen, Objective(objective or "", delta), point)
    errors = {s.name: tuple(d for d in diagnose(s.fit, None) if d.severity == "error") for s in found.scores}
    withheld = () if force else tuple(name for name, wrong in errors.items() if wrong)
    shown = [score for score in found.scores if score.name not in withheld]
    average = average_prediction(replace(found, scores=tuple(shown)), point) if point is not None and shown else None
    hidden = [replace(s, value=None) if s.name in withheld else s for s in found.scores]
    users_hours = test_users_or_hours(points)[0] if set(points.x) == {"U", "H"} else None
    first = errors[found.scores[0].name]
    return LawComparison(replace(found, scores=tuple(hidden)), average, users_hours, withheld, first)


def report(
    table: Any,
    path: str | Path,
    laws: Sequence[str | Law] = (),
    columns: Mapping[str, str] | None = None,
    /,
    *,
    y: str | None = None,
    where: Mapping[str, str] | None = None,
    unit: str | None = None,
    at: Mapping[str, float] | None = None,
    target: float | None = None,
    cost: str | Cost | None = None,
    title: str = "",
    level: float = LEVEL,
    force: bool = False,
    **inputs: str,
) -> Path:
    """Write one HTML page on a table that needs no other file: verdict, laws, predictions with intervals, figures.

    Args:
        table, columns, y, where, unit, inputs: see `semgjax.fit`.
        path: ends in .html.
        laws: names or `Law`s to compare (default: those that the inputs allow).
        at: predict the error here (default: ten times the largest value of the first input).
        target: also say what reaches this error.
        cost: of a run, as "6*N*D": also draws the error over two inputs and the frontier.
        title: of the page.
        level: of the intervals.
        force: show numbers even where a finding of severity error says that they mean nothing.

    Raises:
        InputError: another ending, a place that cannot be written, or see `compare`; nothing is written then.

    Example:
        >>> sizes = [1e5, 2e5, 4e5, 8e5, 1.6e6, 3.2e6]
        >>> table = {"params": sizes, "cer": [3e3 * n**-0.5 for n in sizes]}
        >>> semgjax.report(table, "law.html", ["power"], y="cer", N="params").suffix
        '.html'
    """
    from semgjax.pages.law_report import Ask, report_page

    place = report_place(path)
    chosen, points = laws_and_points(table, laws, mapping_of(columns, inputs, y), where, unit)
    formula = read_cost(cost) if isinstance(cost, str) else cost
    write_atomic(
        place, report_page(points, chosen, Ask(dict(at) if at else None, target, formula, title, level, force))
    )
    return place


def best_is_blocked(
    table: Any, laws: Sequence[str | Law], columns: Mapping[str, str], at: Mapping[str, float], **options: Any
) -> bool:
    """Whether the prediction of a report, at `at` or its default place, is withheld. options: where, unit and level."""
    from semgjax.pages.law_report import asked_point

    level = options.pop("level", LEVEL)
    chosen, points = laws_and_points(table, laws, columns, options.get("where"), options.get("unit"))
    fit = compare_laws(points, chosen).scores[0].fit
    return predict_at(fit, dict(at) or asked_point(fit), level).blocked


def report_place(path: str | Path) -> Path:
    """`path`, the name of a report.

    Raises:
        InputError: it does not end in .html.
    """
    place = Path(path)
    if place.suffix != ".html":
        raise InputError(f"{place}: a report's name ends in .html", "bad-value")
    return place
