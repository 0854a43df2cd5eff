"""Decisions from a fitted law: how much reaches a target, the best mix for a budget, what one input is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semgjax.errors import InputError
from semgjax.scaling.decide import design as designs
from semgjax.scaling.decide import exchange as exchanges
from semgjax.scaling.decide import frontier as frontiers
from semgjax.scaling.decide import inverse
from semgjax.scaling.decide import suggest as suggestions
from semgjax.scaling.decide import versus as recipes
from semgjax.scaling.decide.candidates import candidate_grid, open_grid
from semgjax.scaling.decide.cost_model import Cost, read_cost, table_cost
from semgjax.scaling.decide.decision import Decision
from semgjax.scaling.decide.decision import as_json as decision_json
from semgjax.scaling.decide.design import DesignCheck
from semgjax.scaling.decide.exchange import Exchange
from semgjax.scaling.decide.floors import FloorSensitivity, floor_sensitivity
from semgjax.scaling.decide.goals import goal_of
from semgjax.scaling.decide.prior import points_of_plan
from semgjax.scaling.decide.student import Student, smallest_student
from semgjax.scaling.decide.suggest import Suggestion
from semgjax.scaling.decide.versus import Versus
from semgjax.scaling.fit import Fit
from semgjax.scaling.law import Law
from semgjax.scaling.laws import law_for
from semgjax.scaling.profile import LEVEL

if TYPE_CHECKING:
    from semgjax.pages.style import Picture


@dataclass(frozen=True, eq=False, repr=False)
class Budgets:
    """The best mix of two inputs at each budget.

    Attributes:
        pair: the two inputs.
        cost: of a run.
        rows: one `Frontier` a budget, in rising order: `budget`, and the decisions `first`, `second` and `error`.
    """

    fit: Fit
    pair: tuple[str, str]
    cost: Cost
    rows: tuple[frontiers.Frontier, ...]

    def plot(self, path: str | Path | None = None, *, width: float = 183.0) -> "Picture":
        """Both inputs and the error over the budget; path: also write the figure here (.png, .svg or .pdf).

        width: in print, mm. The figure's `caption` says what it rests on.

        Raises:
            InputError: a name of another ending, or a width that no page has.
        """
        from semgjax.pages.law_budgets import frontier_figure
        from semgjax.pages.law_plot import check_figure_name, save_figure

        if path is not None:
            check_figure_name(Path(path))
        figure = frontier_figure(self.fit, self.rows, self.cost, self.pair, width)
        if path is not None:
            save_figure(figure, Path(path))
        return figure

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        rows = [
            {"budget": row.budget, **{name: decision_json(getattr(row, name)) for name in ("first", "second", "error")}}
            for row in self.rows
        ]
        return {"cost": self.cost.text, "unit": self.cost.unit, "misfit": self.cost.misfit, "frontier": rows}

    def __repr__(self) -> str:
        """One line."""
        return f"Budgets({' and '.join(self.pair)} for {self.cost.text} {self.cost.unit}: {len(self.rows)} budgets)"


class Decisions:
    """The questions that a fitted law answers. Every `Decision` carries its intervals and findings."""

    result: Fit

    def invert(
        self,
        of: str | None = None,
        target: float | None = None,
        *,
        at: Mapping[str, float] | None = None,
        most: float | None = None,
        level: float = LEVEL,
        force: bool = False,
        **error: float,
    ) -> Decision:
        """How much of an input reaches a target error: `invert(cer=20)`, named as the table's column, or y.

        Args:
            of: the input that is asked for (default: the law's first).
            target: the error to reach, in the unit of the table; in place of naming it.
            at: values of the other inputs.
            most: what needs more than this counts as out of reach (default: a million times the sweep's largest).
            level: of the intervals.
            force: give the number even where a finding of severity error says that it means nothing.

        Returns:
            The answer; its value is inf where the law does not reach the target, None where a finding blocks it.

        Raises:
            InputError: not exactly one target, another name than the table's, or a value out of range.

        Example:
            >>> sizes = [1e5, 2e5, 4e5, 8e5, 1.6e6, 3.2e6]
            >>> table = {"params": sizes, "cer": [3e3 * n**-0.5 for n in sizes]}
            >>> law = semgjax.fit(table, y="cer", N="params", law="power")
            >>> round(law.invert(cer=3).value, -3)
            1000000.0
        """
        fit = self.result
        unknown = set(error) - {"y", fit.table.y_name}
        if unknown or len(error) + (target is not None) != 1:
            given = ", ".join(sorted(unknown) or sorted(error)) or "none"
            raise InputError(
                f"target {given}: give one, such as y=NUMBER; the table's error is {fit.table.y_name!r}",
                "unknown-name" if unknown else "bad-option",
            )
        goal = next(iter(error.values())) if target is None else target
        return inverse.invert(fit, of or fit.law.input_names[0], goal, dict(at or {}), level, most, force)

    def frontier(
        self,
        *budgets: float,
        cost: str | Cost | None = None,
        measured: str | Path | None = None,
        unit: str = "FLOP",
        of: tuple[str, str] | None = None,
        at: Mapping[str, float] | None = None,
        level: float = LEVEL,
        force: bool = False,
    ) -> Budgets:
        """The mix of two inputs with the least error for each budget.

        Args:
            budgets: what may be spent, in the unit of the cost.
            cost: of a run, as a formula of the law's inputs: "6*N*D" or "300*U + 40*U*H".
            measured: instead of `cost`: the table that was fitted; its column flops is fitted by powers of the inputs.
            unit: of the cost.
            of: the two inputs (default: the law's first two).
            at: values of the law's other inputs.
            level, force: see `invert`.

        Raises:
            InputError: not exactly one of cost and measured, no budget or one out of range, or a law of one input.

        Example:
            >>> runs = [(n, d) for n in (1e5, 4e5, 1.6e6) for d in (1e6, 4e6, 1.6e7)]
            >>> table = {"N": [n for n, _ in runs], "D": [d for _, d in runs]}
            >>> table["cer"] = [5 + 3e3 * n**-0.5 + 2e4 * d**-0.5 for n, d in runs]
            >>> law = semgjax.fit(table, y="cer", N="N", D="D", law="chinchilla")
            >>> best = law.frontier(1e14, cost="6*N*D", force=True).rows[0]
            >>> round(best.second.value / best.first.value)
            44
        """
        chosen = self._cost(cost, measured, unit)
        if not budgets:
            raise InputError("budget: give at least one", "bad-option")
        rows = frontiers.frontier(self.result, chosen, sorted(budgets), of, dict(at or {}), level, force)
        return Budgets(self.result, of or frontiers.pair_of(self.result), chosen, rows)

    def exchange(
        self, give: str, get: str, at: Mapping[str, float], *, factor: float = 2.0, level: float = LEVEL,
        force: bool = False,
    ) -> Exchange:  # fmt: skip
        """By what `get` must grow to gain as much as `factor` times `give`, both from the point `at`.

        Args:
            give, get: two inputs of the law.
            at: a value of every input.
            factor: above 1.
            level, force: see `invert`.

        Returns:
            `rate`, and the relative effect of each input at the point, `given` and `other`.

        Raises:
            InputError: no such input, one without a value, or a factor that is not above 1.

        Example:
            >>> runs = [(n, d) for n in (1e5, 4e5, 1.6e6) for d in (1e6, 4e6, 1.6e7)]
            >>> table = {"N": [n for n, _ in runs], "D": [d for _, d in runs]}
            >>> table["cer"] = [5 + 3e3 * n**-0.5 + 2e4 * d**-0.5 for n, d in runs]
            >>> law = semgjax.fit(table, y="cer", N="N", D="D", law="chinchilla")
            >>> found = law.exchange("N", "D", at={"N": 1e6, "D": 1.6e7}, force=True)
            >>> round(found.rate.value, 2)  # twice the parameters are worth this many times the data
            1.47
        """
        return exchanges.exchange(self.result, give, get, dict(at), factor, level, force)

    def student(self, target: float, teacher: float, *, level: float = LEVEL, force: bool = False) -> Student:
        """The smallest student that reaches an error, with a teacher and without one; for the law "distilled".

        Args:
            target: the error to reach, in the unit of the table.
            teacher: its number of parameters.
            level, force: see `invert`.

        Returns:
            `alone`, `taught` and `saving` (alone over taught).

        Raises:
            InputError: a law without teachers, or a number out of range.

        Example:
            >>> runs = [(n, t) for n in (1e4, 3e4, 1e5, 3e5, 1e6) for t in (n, 1e6)]  # a teacher of size N is none
            >>> worth = [n * (1 + 3 * (t / n - 1) / (2 + t / n)) for n, t in runs]
            >>> table = {"N": [n for n, _ in runs], "T": [t for _, t in runs], "cer": [6e3 * n**-0.5 for n in worth]}
            >>> law = semgjax.fit(table, y="cer", N="N", T="T", law="distilled", fixed={"E": 0})
            >>> found = law.student(20, teacher=1e6, force=True)
            >>> round(found.alone.value, -3), round(found.saving.value, 1)
            (90000.0, 3.8)
        """
        return smallest_student(self.result, target, teacher, level=level, force=force)

    def versus(
        self, other: "Decisions", at: Mapping[str, float], *, level: float = LEVEL, force: bool = False, seed: int = 0
    ) -> Versus:
        """This recipe (a) against another (b): fits of the same law to two sweeps, with paired draws.

        Args:
            at: where they are compared: a value of every input.
            level, force: see `invert`.
            seed: of the draws.

        Returns:
            `ratio` (error of b over that of a), `multiple`, `b_better` and `paired`.

        Raises:
            InputError: another law or unit, or an input without a value.

        Example:
            >>> sizes = [1e5, 2e5, 4e5, 8e5, 1.6e6, 3.2e6]
            >>> tables = [{"N": sizes, "cer": [k * n**-0.5 for n in sizes]} for k in (3e3, 2.7e3)]
            >>> ours, theirs = (semgjax.fit(table, y="cer", N="N", law="power") for table in tables)
            >>> found = ours.versus(theirs, at={"N": 1e6})
            >>> round(found.ratio.value, 2), round(found.multiple.value, 2)
            (0.9, 1.23)
        """
        return recipes.versus(self.result, other.result, dict(at), level, force, seed)

    def floors(
        self,
        at: Mapping[str, float] | None = None,
        *,
        target: float | None = None,
        of: str | None = None,
        floors: Sequence[float] = (),
        level: float = LEVEL,
        force: bool = False,
    ) -> FloorSensitivity:
        """How an answer moves with the floor, for a floor that is fixed from outside (`fixed={"E": ...}`) or fitted.

        Args:
            at: the point of the prediction, or the other inputs where `target` is given.
            target: an error to reach: the answer is then the value of the input `of`.
            of: the input that is asked for with `target` (default: the law's first).
            floors: to try, in the unit of y (default: from 0 to just below the smallest error).
            level: below 1 - level a floor counts as rejected by the points.
            force: see `invert`.

        Raises:
            InputError: a law without a floor, a floor that is out of range, or an input without a value.
        """
        return floor_sensitivity(self.result, dict(at or {}), target, of, floors, level, force)

    def suggest(
        self,
        *,
        cost: str | Cost | None = None,
        rate: float,
        measured: str | Path | None = None,
        shrink: str = "prediction",
        at: Mapping[str, float] | None = None,
        target: float | None = None,
        vary: Mapping[str, Sequence[float]] | None = None,
        runs: int = 3,
        hours: float | None = None,
        overhead: float = 0.1,
        level: float = LEVEL,
        seed: int = 0,
        force: bool = False,
    ) -> Suggestion:
        """The next runs: new sizes, users or seeds that shrink a chosen interval most per hour of the device.

        Args:
            cost: of a run, as a formula of the law's inputs: "6*N*D".
            rate: cost that the device pays in an hour, in the same unit (a GPU at 50 TFLOP/s: 1.8e17).
            measured: instead of `cost`: the table that was fitted; its column flops is fitted by powers of the inputs.
            shrink: "prediction" (of the error at a point), a parameter of the law, "law" (all parameters), or an input
                that reaches `target`.
            at: the point of the prediction, or the other inputs where `shrink` names an input.
            target: error that the input named by `shrink` is to reach.
            vary: input -> values to choose from; inputs that it does not name keep those of the sweep. Default: the
                sweep's places, values between them, and values up to four times beyond the largest.
            runs: how many to choose.
            hours: limit on the device-hours in all.
            overhead: hours that any run takes beside its training.
            level: of the interval.
            seed: of the draws.
            force: choose even where a finding of severity error says that the law means nothing.

        Returns:
            Steps in the order to train them; `advice` says what else gives an interval where there is none.

        Raises:
            InputError: a goal that the law has not, something that it needs is missing, or a number out of range.

        Example:
            >>> sizes = [1e5, 2e5, 4e5, 8e5, 1.6e6, 3.2e6]
            >>> noise = [1.02, 0.98, 1.01, 0.99, 1.02, 0.98]
            >>> table = {"params": sizes, "cer": [3e3 * n**-0.5 * k for n, k in zip(sizes, noise)]}
            >>> law = semgjax.fit(table, y="cer", N="params", law="power")
            >>> found = law.suggest(cost="100*N", rate=1e9, at={"N": 1e7}, runs=2, overhead=0.5)
            >>> [step.x["N"] for step in found.steps]
            [6400000.0, 6400000.0]
        """
        fit = self.result
        goal = goal_of(fit, shrink, dict(at or {}), target)
        grid = candidate_grid(fit, {name: list(values) for name, values in vary.items()}) if vary else open_grid(fit)
        budget = suggestions.Budget(self._cost(cost, measured, "FLOP"), rate, overhead, hours)
        return suggestions.suggest(fit, goal, grid, budget, runs, level, seed, force)

    def _cost(self, cost: str | Cost | None, measured: str | Path | None, unit: str) -> Cost:
        """The cost of a run, from exactly one of both.

        Raises:
            InputError: both or none of them, or as `read_cost` and `table_cost`.
        """
        if (cost is None) == (measured is None):
            raise InputError("cost of a run: give either a formula, such as cost 6*N*D, or measured", "bad-option")
        if measured is not None:
            return table_cost(self.result.table, Path(measured), unit)
        assert cost is not None
        return cost if isinstance(cost, Cost) else read_cost(cost, unit)


def design(
    vary: Mapping[str, Sequence[float]],
    at: Mapping[str, float],
    *,
    law: str | Law = "floor_power",
    prior: Mapping[str, float] | Decisions,
    shape: Literal["star", "grid"] = "grid",
    seeds: int = 1,
    noise: float = 0.03,
    level: float = LEVEL,
    seed: int = 0,
) -> DesignCheck:
    """Check the plan of a sweep before training: the interval to expect, and what its runs cannot separate.

    Args:
        vary: input -> planned values, in the units of the prior.
        at: the point that the sweep is to predict.
        law: the assumed law; that of a fitted `prior` replaces it.
        prior: the law's parameters, such as published ones, or a fit of another sweep.
        shape: grid trains every combination; star varies one input at a time about the middle of the others.
        seeds: of each configuration.
        noise: relative scatter between seeds (error rates: 0.01 to 0.05).
        level: of the intervals.
        seed: of the simulated sweeps.

    Raises:
        InputError: an input or a parameter is missing, or a number is out of range.

    Example:
        >>> plan = {"N": [1e5, 2e5, 4e5, 8e5, 1.6e6]}
        >>> check = semgjax.design(plan, {"N": 1e7}, prior={"E": 8, "A": 2500, "alpha": 0.45}, seeds=2)
        >>> check.runs, round(check.value, 2)
        (10, 9.77)
    """
    plan = points_of_plan({name: list(values) for name, values in vary.items()}, shape, seeds)
    if isinstance(prior, Decisions):
        fit = prior.result
        return designs.check_design(fit.law, fit.parameters, plan, dict(at), noise, level, fit.table.unit, seed)
    chosen = law if isinstance(law, Law) else law_for(law, tuple(vary))
    return designs.check_design(chosen, dict(prior), plan, dict(at), noise, level, "", seed)
