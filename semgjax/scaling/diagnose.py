"""What a reader of a fit must know before trusting it: codes with a severity and a sentence each."""

from collections.abc import Mapping

import numpy as np

from semgjax.scaling.about_curve import about_curve
from semgjax.scaling.about_rates import about_rates
from semgjax.scaling.about_table import about_table
from semgjax.scaling.ends import place_text
from semgjax.scaling.estimable import open_parameters
from semgjax.scaling.finding import Diagnostic as Diagnostic
from semgjax.scaling.finding import Severity
from semgjax.scaling.finding import blocks as blocks
from semgjax.scaling.fit import Fit, parameter_values, predict
from semgjax.scaling.noise import NoiseTrend, evaluation_variance, lack_p, noise_models, noise_trend
from semgjax.scaling.objective import robust_scale
from semgjax.scaling.profile import LEVEL, Interval, no_interval_reason
from semgjax.scaling.quantiles import f_tail
from semgjax.scaling.size_effect import size_effect
from semgjax.scaling.table import Table
from semgjax.scaling.user_groups import user_groups

# Below a factor of 10 in size the curve's bend, and with it floor and exponent, rests on little.
SHORT_RANGE = 10.0
# Seeds differ by 1 to 5 % in error rate; 10 % of scatter says that the law misses something.
LARGE_SCATTER = 0.1
# In normal noise one fit in a hundred or fewer has a point this many robust standard deviations off.
OUTLIER = 6.0
COUNTED = 0.3  # weight below which a run is named


def diagnose(fit: Fit, intervals: Mapping[str, Interval] | None, level: float = LEVEL) -> tuple[Diagnostic, ...]:
    """Findings about a fit; intervals: of its parameters at `level` (`parameter_intervals`)."""
    return (
        *about_table(fit.table, fit),
        *about_rates(fit.table),
        *_about_levels(fit),
        *_about_search(fit),
        *_about_parameters(fit, intervals, level),
        *_about_scatter(fit),
        *about_curve(fit),
    )


def _about_levels(fit: Fit) -> list[Diagnostic]:
    found = []
    reason = no_interval_reason(fit)
    parameters = fit.free_count
    if reason is not None:
        text = f"no interval: {reason}; measure {parameters + 1} sizes or more"
        found.append(Diagnostic("few-levels", "error", text))
    elif fit.levels == parameters + 1:
        text = f"{fit.levels} different sizes for {parameters} parameters: intervals are wide"
        found.append(Diagnostic("few-levels", "warning", text))
    if reason is None and (lacking := open_parameters(fit)) is not None:
        found.append(Diagnostic("not-identified", "warning", lacking))
    if (runs := len(fit.table.y)) < fit.law.least_runs:
        text = f"{runs} runs; law {fit.law.name} bends in more ways than fewer than {fit.law.least_runs} can tell"
        found.append(Diagnostic("few-runs", "error", text))
    for name, least in fit.law.least_levels.items():
        if (levels := fit.table.levels(name)) < least:
            text = f"{fit.table.column(name)} has {levels} different values; law {fit.law.name} wants {least} or more"
            found.append(Diagnostic("few-levels", "error", text))
    for declared in fit.law.inputs:
        values = fit.table.x[declared.name]
        levels, column = fit.table.levels(declared.name), fit.table.column(declared.name)
        if levels == 2 and fit.free_count > 2 and fit.law.terms:
            text = f"{column} has two values only: an exponent and a floor cannot both be determined from them"
            severe = "error" if len(fit.law.inputs) == 1 else "warning"
            found.append(Diagnostic("two-levels", severe, text))  # type: ignore[arg-type]
        positive = values[values > 0]
        factor = float(positive.max() / positive.min())
        if factor < SHORT_RANGE and declared.centred and not declared.default and not fit.law.rising:
            text = f"{column} spans a factor of {factor:.3g} only; a factor of {SHORT_RANGE:g} or more shows the bend"
            found.append(Diagnostic("short-range", "warning", text))
    return found


def _about_search(fit: Fit) -> list[Diagnostic]:
    found = []
    if not fit.converged:
        text = f"the search did not end in a minimum (gradient norm {fit.gradient_norm:.2g})"
        found.append(Diagnostic("not-converged", "error", text))
    if fit.starts_agree < 0.5:
        text = f"only {fit.starts_agree:.0%} of {fit.starts} starts reached the best minimum; there are others"
        found.append(Diagnostic("starts-disagree", "warning", text))
    if fit.second_gap is not None and fit.second_gap < 0.05:
        text = f"another minimum is only {100 * fit.second_gap:.2g} % worse: two different curves fit about as well"
        found.append(Diagnostic("second-minimum", "warning", text))
    return found


def _about_parameters(fit: Fit, intervals: Mapping[str, Interval] | None, level: float) -> list[Diagnostic]:
    found = []
    if len(fit.law.inputs) == 1 and not fit.law.rising:
        ends = predict(fit, [fit.table.sizes.min(), fit.table.sizes.max()])
        if ends[1] > 0.999 * ends[0]:
            text = f"the error does not fall with {fit.table.size_name} in these points"
            found.append(Diagnostic("not-falling", "error", text))
    for of, (_, exponent) in fit.law.terms.items():
        declared = fit.law.parameter(exponent)
        column = fit.table.column(of)
        if exponent in fit.fixed:
            continue
        if intervals is not None and intervals[exponent][0] <= 1e-9:
            text = f"the {level:.0%} interval of {exponent} reaches 0: "
            text += f"an error constant in {column} fits the points as well"
            found.append(Diagnostic("not-falling", "warning", text))
        if exponent in fit.at_bound and declared.high and parameter_values(fit)[exponent] >= 0.99 * declared.high:
            text = f"{exponent} is at its limit of {declared.high:g}: the points show a step in {column}, not a slope"
            found.append(Diagnostic("step", "error", text))
    floor = parameter_values(fit).get("E")
    if "E" in fit.at_bound and floor == 0.0:
        text = "the best floor is 0: the curve still falls as a pure power law, and its end is not in sight"
        found.append(Diagnostic("floor-at-bound", "warning", text))
    elif floor is not None and intervals is not None and "E" in intervals and intervals["E"][0] <= 1e-3 * floor:
        text = f"the {level:.0%} interval of the floor reaches 0: do not quote E as what no size removes"
        found.append(Diagnostic("floor-not-identified", "warning", text))
    others = [n for n in fit.at_bound if n != "E" and n not in {e for _, e in fit.law.terms.values()}]
    if others:
        text = f"{', '.join(others)} at an end of the range: the points do not determine it"
        found.append(Diagnostic("at-bound", "warning", text))
    return found


def _about_scatter(fit: Fit) -> list[Diagnostic]:
    found = []
    if fit.scatter is not None and fit.scatter > LARGE_SCATTER:
        text = f"points scatter by {100 * fit.scatter:.0f} % about the curve; look at them before using it"
        found.append(Diagnostic("poor-fit", "warning", text))
    test = lack_of_fit(fit)
    effect = size_effect(fit) if test is not None and test[1] < 0.01 else None
    if test is not None and effect is not None and effect.declared and effect.random:
        text = (
            f"the means of the configurations scatter by {100 * effect.effect:.2g} % beyond their seeds' "
            f"{100 * effect.seeds:.2g} % (p = {test[1]:.1g}), as their clusters say: intervals rest on the clusters; "
            "run more sizes, not more seeds"
        )
        found.append(Diagnostic("size-effect", "warning", text))
    elif test is not None and test[1] < 0.01:
        severity: Severity = "error" if test[1] < 1e-3 else "warning"
        text = (
            f"replicates scatter by {100 * test[2]:.2g} %, but their means miss the curve by more (F = {test[0]:.3g}, "
            f"p = {test[1]:.1g}): the law is wrong here, or the runs of a size share an effect"
        )
        if effect is not None and effect.random:
            text += f" of {100 * effect.effect:.2g} %; no one bend explains it, so if they do share one, name the size"
            text += " as cluster (cluster=COLUMN) and run more sizes; else compare laws"
        else:
            text += "; compare laws, and run more sizes"
        found.append(Diagnostic("lack-of-fit", severity, text))
    clusters = fit.table.clusters
    if clusters is not None and (clusters == clusters[0]).all():
        text = "all rows are of one cluster: what they share moves the whole curve, and no interval can contain it"
        found.append(Diagnostic("one-cluster", "warning", text + "; run some of the sizes in another cluster"))
    return found + _about_noise(noise_trend(fit)) + _about_keys(fit) + _about_users(fit.table) + _outliers(fit)


def _about_noise(trend: NoiseTrend | None) -> list[Diagnostic]:
    if trend is None or not trend.found:
        return []
    grows = trend.slope > 0
    times = max(trend.ratio, 1.0 / trend.ratio)
    text = (
        f"the scatter {'grows' if grows else 'shrinks'} with {trend.along}, about {times:.2g} times "
        f"from one end of the sweep to the other (p = {trend.p:.1g}): intervals are widened for it; "
        "give the noise of each row (column sd), the number of its tested keys (column keys), or more seeds where it "
        "is large"
    )
    return [Diagnostic("noise-grows" if grows else "noise-shrinks", "warning", text)]


def _about_keys(fit: Fit) -> list[Diagnostic]:
    variance, scatter = evaluation_variance(fit), fit.scatter
    if variance is None or scatter is None or np.median(variance) < 0.5 * scatter**2 or fit.table.keys is None:
        return []
    text = (
        f"{np.median(fit.table.keys):.3g} tested keys alone scatter an error rate by "
        f"{100 * np.sqrt(np.median(variance)):.2g} %, of {100 * scatter:.2g} % in all: test every run on more keys"
    )
    return [Diagnostic("few-keys", "warning", text)]


def _about_users(table: Table) -> list[Diagnostic]:
    groups = user_groups(table)
    if groups is None or not groups.found:
        return []
    text = (
        f"the test users are two groups, {groups.low} and {groups.high}, whose errors differ {groups.ratio:.2g}-fold "
        f"(p = {groups.p:.1g}); the mean lies where few users are, the median user at {groups.median_to_mean:.2g} of "
        "it: quote both, and fit each group (--where user=...)"
    )
    return [Diagnostic("users-bimodal", "warning", text)]


def lack_of_fit(fit: Fit) -> tuple[float, float, float] | None:
    """(F, p, standard deviation of replicates, log) against the scatter of replicates; None without any.

    Draper and Smith 1998, Applied Regression Analysis, 2.1.
    """
    # Residuals and not y: a level is up to 1 % wide, and the law's own fall within it is no scatter.
    kept = fit.weights > 0  # runs that count nothing say nothing of the law either
    groups = np.unique(fit.table.groups[kept], return_inverse=True)[1]
    logs, weights = fit.residuals[kept], fit.weights[kept]
    n, levels = len(logs), int(groups.max()) + 1
    if n - levels < 2 or levels <= fit.free_count:
        return None
    means = np.bincount(groups, weights * logs) / np.bincount(groups, weights)
    pure = float(np.sum(weights * (logs - means[groups]) ** 2))
    total = float(np.sum(weights * logs**2))
    if pure <= 0:
        return None
    spread = pure / (n - levels)
    statistic = max(total - pure, 0.0) / (levels - fit.free_count) / spread
    p = float(f_tail(statistic, levels - fit.free_count, n - levels))
    trend, models = noise_trend(fit), noise_models(fit)
    if trend is not None and trend.found and models is not None:
        p = max(p, lack_p(fit, models, statistic))
    return statistic, p, float(np.sqrt(spread))


def _outliers(fit: Fit) -> list[Diagnostic]:
    """Points far off the bulk; a fit with few points to spare bends towards them and cannot tell."""
    if fit.objective.kind == "mm_log":
        return _counted_less(fit)
    if fit.degrees_of_freedom < 4:
        return []
    residuals = fit.residuals * np.sqrt(fit.weights)
    scale = max(robust_scale(residuals, fit.free_count), 1e-3)
    far = np.flatnonzero(np.abs(residuals) > OUTLIER * scale)
    return [Diagnostic("outlier", "warning", f"far off the curve: {_runs(fit, far)}")] if len(far) else []


def _counted_less(fit: Fit) -> list[Diagnostic]:
    """Runs that the fit counts less, those of which the points do not decide it, and whether any could be noticed."""
    if fit.delta is None:
        text = f"{len(fit.table.y)} runs do not show whether one of them is off: the others determine too little"
        return [Diagnostic("few-to-judge", "info", f"{text}; add sizes or seeds")]
    found = []
    off = np.flatnonzero(fit.run_weights < COUNTED)
    if len(off):
        text = f"far off the curve of the other runs, and counted less: {_runs(fit, off)}; see whether they went wrong"
        found.append(Diagnostic("outlier", "warning", text))
    other = fit.second_answer
    if other is not None:
        changed = np.flatnonzero((other.run_weights < COUNTED) != (fit.run_weights < COUNTED))
        away = fit if fit.run_weights[changed].sum() < other.run_weights[changed].sum() else other
        text = f"perhaps off, which the other runs do not decide: {_runs(away, changed)}; intervals hold for both cases"
        found.append(Diagnostic("doubtful-run", "info", f"{text}; repeat the run"))
    return found


def _runs(fit: Fit, rows: np.ndarray) -> str:
    """Inputs, residual and weight of up to five runs, in words."""
    table, weights, off = fit.table, fit.run_weights, 100 * np.expm1(fit.residuals)
    words = []
    for i in rows[:5]:
        place = place_text(table.column, {name: table.x[name][i] for name in fit.law.input_names})
        weight = f", weight {weights[i]:.2g}" if fit.objective.kind == "mm_log" else ""
        words.append(f"{place} ({off[i]:+.0f} %{weight})")
    return ", ".join(words) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
