"""`semgjax.fit` and `FittedLaw`: from a table of results to predictions with intervals, figures and a report."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from semgjax.api.columns import filters_of, law_of, mapping_of
from semgjax.api.comparison import report_place
from semgjax.api.decisions import Decisions
from semgjax.errors import InputError
from semgjax.files import write_atomic
from semgjax.notebook import facts
from semgjax.scaling import better, store
from semgjax.scaling import choices as choice
from semgjax.scaling.answer import Prediction, predict_at
from semgjax.scaling.drift import MODEL
from semgjax.scaling.ends import listed
from semgjax.scaling.enough import check_part
from semgjax.scaling.fit import STARTS, Fit, fit_law
from semgjax.scaling.law import Law, load_law
from semgjax.scaling.ledger.ledger_file import read_ledger
from semgjax.scaling.ledger.record import record_of
from semgjax.scaling.objective import Objective, ObjectiveKind
from semgjax.scaling.profile import LEVEL
from semgjax.scaling.quote import weighted
from semgjax.scaling.read import read_table, read_user_points
from semgjax.scaling.solver import SMALL
from semgjax.scaling.table import Table

if TYPE_CHECKING:
    from semgjax.pages.style import Picture


@dataclass(frozen=True, eq=False, repr=False)
class FittedLaw(Decisions):
    """A law fitted to a table of results.

    Attributes:
        result: the fit with its points (see `semgjax.scaling.fit.Fit`).
        source: table, columns and filters that the points were read from; None of a fit read from a file.
    """

    result: Fit
    source: tuple[Any, Mapping[str, str], Mapping[str, str]] | None = None

    @property
    def law(self) -> Law:
        """The law: its formula, inputs and parameters."""
        return self.result.law

    @property
    def parameters(self) -> dict[str, float]:
        """The parameters of the law's formula, in the units of the table."""
        return self.result.parameters

    @property
    def table(self) -> Table:
        """The points that the law was fitted to."""
        return self.result.table

    def predict(
        self,
        at: Mapping[str, float] | None = None,
        /,
        *,
        level: float = LEVEL,
        force: bool = False,
        ledger: str | Path | None = None,
        **inputs: float,
    ) -> Prediction:
        """The error at a point, in the unit of the table: value, interval, layers, and what to know about them.

        Args:
            at: values of the law's inputs in the units of the table; the same as naming them, `predict(N=1e8)`.
            level: of the intervals, between 0 and 1.
            force: give the number even where a finding of severity error says that it means nothing; `value` is None
                there else.
            ledger: of your forecasts (`semgjax.forecast`): what its settled ones missed widens or narrows the quote
                and the extrapolation beyond the sweep, which otherwise follow published sweeps alone.

        Raises:
            InputError: an input that the law has not, one without value, a number out of range, or a ledger that was
                changed.

        Example:
            >>> sizes = [1e5, 2e5, 4e5, 8e5, 1.6e6, 3.2e6]
            >>> table = {"params": sizes, "cer": [3e3 * n**-0.5 for n in sizes]}
            >>> law = semgjax.fit(table, y="cer", N="params", law="power")
            >>> round(law.predict(N=1e6).value, 2)
            3.0
        """
        model = MODEL if ledger is None else record_of(read_ledger(Path(ledger))).model
        return self._predict_with(model, {**(at or {}), **inputs}, level, force)

    def _predict_with(self, model: float, at: Mapping[str, float], level: float, force: bool = False) -> Prediction:
        """`predict` with what laws miss beyond their sweeps (`semgjax.scaling.drift.MODEL`)."""
        return predict_at(self.result, _point(self.law, at), level, force, model=model)

    def plot(
        self,
        path: str | Path | None = None,
        *,
        over: str | None = None,
        users: bool = False,
        title: str = "",
        level: float = LEVEL,
        width: float = 183.0,
        force: bool = False,
    ) -> "Picture":
        """Points, curve and interval over one input, the others in the middle of the sweep.

        Where a finding of severity error says that the curve means nothing, the points alone are drawn. The figure's
        `caption` says what it rests on: runs, seeds, test users, and what its intervals are.

        Args:
            path: also write the figure here (.png, .svg or .pdf).
            over: an input of a law of several (default: the first).
            users: draw the single held-out users too (a sweep's table, and a law of one input).
            title: above the axes.
            level: of the interval.
            width: in print, mm: 89 for one column of a journal, 183 for two; all type is 8 pt or larger there.
            force: draw the curve in spite of findings of severity error.

        Raises:
            InputError: no such input, no users known, a width that no page has, or a name of another ending; nothing is
                written then.
        """
        from semgjax.pages.law_plot import plot_size_curve, save_figure

        check_plot(self.law, path, over, users and self.source is not None)
        if users and self.source is None:
            raise InputError("users: a fit read from a file has none; leave it out, or fit a sweep's table", "conflict")
        if len(self.law.inputs) == 1:
            points = read_user_points(*self.source, runs=self.table.runs) if users and self.source else None
            figure = plot_size_curve(self.result, points, title=title, level=level, width=width, force=force)
        else:
            from semgjax.pages.law_curves import curve_figure
            from semgjax.scaling.decide.evidence import gather

            figure = curve_figure(gather(self.result, level), over, title=title, width=width, force=force)
        if path is not None:
            save_figure(figure, Path(path))
        return figure

    def report(
        self,
        path: str | Path,
        *,
        at: Mapping[str, float] | None = None,
        target: float | None = None,
        title: str = "",
        level: float = LEVEL,
        force: bool = False,
    ) -> Path:
        """Write one HTML page that needs no other file: verdict, other laws beside this one, answers and figures.

        The numbers are those of this fit; the laws are ranked by how well they predict larger runs.

        Args:
            path: ends in .html.
            at: where the error is predicted (default: ten times the largest value of the first input).
            target: also say what reaches this error.
            title: of the page.
            level, force: see `predict`.

        Raises:
            InputError: another ending, or a place that cannot be written.
        """
        from semgjax.pages.law_report import Ask, report_page
        from semgjax.scaling.compare import default_laws

        place = report_place(path)
        laws = {law.name: law for law in (self.law, *default_laws(self.law.input_names))}
        asked = Ask(at, target, None, title, level, force)
        page = report_page(self.table, tuple(laws.values()), asked, self.result)
        write_atomic(place, page)
        return place

    def document(self, level: float = LEVEL, force: bool = False) -> dict[str, Any]:
        """The fit as plain JSON values, what fit.json holds: parameters with intervals, findings, points, rival laws.

        Args:
            level: of the intervals.
            force: give the numbers even where a finding of severity error says that they mean nothing; null else.
        """
        body = store.fit_document(self.result, level, force)
        others = better.rivals(self.result)
        body["laws"] = {**better.as_json(others), **_compared(self.result)}
        body["diagnostics"] += [asdict(found) for found in better.about_law(self.result, others)]
        spreads = {} if body["blocked"] else choice.parameter_spreads(self.result)
        body["choice"] = None if body["blocked"] else {name: listed(ends) for name, ends in spreads.items()}
        return store.sealed(body)

    def save(self, path: str | Path, level: float = LEVEL, force: bool = False) -> Path:
        """Write fit.json, which `semgjax.load_fit` and `semgjax scaling predict` read; it replaces an older fit alone.

        Raises:
            InputError: another file is there, or the place cannot be written.
        """
        place = Path(path)
        store.check_replaces(place)
        store.write_document(place, self.document(level, force))
        return place

    def __repr__(self) -> str:
        """One line."""
        values = ", ".join(f"{name}={value:.4g}" for name, value in self.parameters.items())
        return f"FittedLaw({self.law.name} on {len(self.table.y)} points of {self.table.source}: {values})"

    def _repr_html_(self) -> str:
        rows = [(p.name, f"{self.parameters[p.name]:.6g}  {p.meaning}") for p in self.law.parameters]
        return facts(repr(self), [("law", self.law.formula), *rows])


def fit(
    table: Any,
    columns: Mapping[str, str] | None = None,
    /,
    *,
    y: str | None = None,
    law: str | Law = "floor_power",
    where: Mapping[str, str] | None = None,
    unit: str | None = None,
    objective: ObjectiveKind | None = None,
    delta: float | None = None,
    reduction: Literal["sum", "mean"] = "sum",
    fixed: Mapping[str, float] | None = None,
    starts: int = STARTS,
    **inputs: str,
) -> FittedLaw:
    """Fit a law of error against sizes, data or users.

    Args:
        table: path of a CSV or JSON Lines file, a sweep's folder, a dict of columns, or a pandas or polars frame.
        columns: input of the law -> column; the same as naming them, N="params".
        y: column of the error (a sweep's table: cer).
        law: name of a built-in law, file.py:NAME of your own, or a `Law`.
        where: column -> value that a row must have (a sweep's table: the test rows averaged over users).
        unit: of y; "%" caps predictions at 100 (a sweep's table: %).
        objective: of the residuals; the default mm_log counts runs far off the others less and names them (with a
            delta: huber_log, Huber's loss), log_ls is least squares of logarithms.
        delta: where Huber's loss turns straight (default: by the scatter of the points).
        reduction: of the losses in the objective's value; the fit is the same.
        fixed: parameters held at a value.
        starts: first guesses of the search.
        inputs: input of the law -> column or a quotient of columns, as N="params"; a sweep's table needs none. Also sd
            (relative noise), run (ids), cluster (rows with shared noise), keys (tested keys of each error rate) and
            rate (learning rates, of which each rung's best is fitted; learning_rate and lr are known).

    Raises:
        InputError: no such table or column, values that cannot be fitted, or an unknown law.

    Example:
        >>> sizes = [1e5, 2e5, 4e5, 8e5, 1.6e6, 3.2e6]
        >>> cer = [10 + 30 * (n / 1e5) ** -0.5 for n in sizes]
        >>> law = semgjax.fit({"params": sizes, "cer": cer}, y="cer", N="params")
        >>> round(law.predict(N=6.4e6, force=True).value, 2)
        13.75
    """
    mapping = mapping_of(columns, inputs, y)
    chosen = law_of(law, mapping)
    defaults = {declared.name: declared.default for declared in chosen.inputs if declared.default}
    filters = filters_of(where)
    points = read_table(table, mapping, filters, unit, chosen.input_names, defaults)
    found = fit_law(points, chosen, Objective(objective or "", delta, reduction=reduction), fixed, starts)
    return FittedLaw(found, (table, mapping, filters))


def check_plot(law: Law, path: str | Path | None = None, over: str | None = None, users: bool = False) -> None:
    """Check the arguments of `FittedLaw.plot`, which need no fit.

    Raises:
        InputError: a name of another ending, no such input, or users of a law of several inputs.
    """
    from semgjax.pages.law_plot import check_figure_name

    if path is not None:
        check_figure_name(Path(path))
    names = law.input_names
    if over is not None and over not in names:
        raise InputError(f"over {over!r}: {law.name} has the inputs {', '.join(names)}", "unknown-name")
    if users and len(names) > 1:
        raise InputError(
            f"users: they are drawn over one input, and {law.name} has {', '.join(names)}; leave them out", "conflict"
        )


def load_fit(path: str | Path, law: str | None = None) -> FittedLaw:
    """The fit of a fit.json, written by `FittedLaw.save` or `semgjax scaling fit --out`.

    Args:
        law: file.py:NAME, where the fit has a law of your own.

    Raises:
        InputError: no such file, or it was changed.
    """
    return FittedLaw(store.read_fit(Path(path), load_law(law) if law else None))


def _compared(found: Fit) -> dict[str, dict[str, float]]:
    """Weights of the laws that the points do not reject, and p of those that they do; of a small table."""
    if len(found.table.y) > SMALL:
        return {"weights": {}, "rejected": {}}
    beside = choice.laws_beside(found)
    laws = weighted([found, *(one.fit for one in beside if not one.rejected)])
    return {
        "weights": {law.fit.law.name: law.weight for law in laws},
        "rejected": {one.fit.law.name: one.p for one in beside if one.rejected and one.p is not None},
    }


def _point(law: Law, at: Mapping[str, float]) -> dict[str, float]:
    """A place to ask a law at.

    Raises:
        InputError: an input that the law has not: its value would change nothing, unseen; or no number.
    """
    for name, value in at.items():
        if name not in law.input_names:
            raise InputError(
                f"law {law.name} has no input {name!r}; it has {', '.join(law.input_names)}", "unknown-name"
            )
        if isinstance(value, bool | str) or np.ndim(value):
            raise InputError(f"{name} = {value!r}: give one number", "bad-value")
    for part, whole in law.at_most.items():
        if part in at and whole in at:
            check_part(np.array([at[part]]), np.array([at[whole]]), part, whole, "the point")
    return {name: float(value) for name, value in at.items()}
