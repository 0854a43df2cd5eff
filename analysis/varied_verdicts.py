"""The bars of the study of varied people, each judged by its table: what was measured, and whether it holds."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from analysis.varied_plan import Design
from semgjax.scaling.ends import number, span
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import law_named
from semgjax.scaling.profile import parameter_intervals
from semgjax.scaling.table import Table

Row = Mapping[str, str]
Verdict = tuple[str, str, str]  # the bar, what was measured, "holds", "fails" or "not measured"

LEVEL = 0.95
FLAT = 5.0  # percent by which validation error may still fall in the last sixth of the steps
KNEE = 8  # users beyond which a floor is to be rejected


def verdicts(rows: Sequence[Row], design: Design) -> list[Verdict]:
    """One verdict for each bar; `rows` are of one decoder."""
    by_users = _curve([r for r in rows if r["axis"] == "users"], "users")
    sizes = [r for r in rows if r["axis"] == "sizes" or (r["axis"] == "users" and int(r["users"]) == design.crowd)]
    by_size = _curve(sizes if any(r["axis"] == "sizes" for r in rows) else [], "params")
    alone = [row for row in rows if row["axis"] == "alone"]
    zero_shot = by_users.get(32, [])
    own = [float(row["own"]) for row in alone]
    found = [
        _falls("error falls at every doubling of the users", by_users),
        _exponent("the exponent over users has an interval above 0", by_users, "U"),
        _no_floor(by_users),
        _falls("error falls at every size, by 25 % or more in all, over a factor of 20 or more", by_size, 0.25, 20.0),
        _between("a person's own other days: at most 0.35 of zero-shot at 32 users", _ratio(own, zero_shot), 0.0, 0.35),
        _between("a model of one person on others: 70 % or more", [float(r["others"]) for r in alone], 70.0, np.inf),
        _between("zero-shot of the middle size at 32 users: 35 to 60 %", zero_shot, 35.0, 60.0),
        _between("a person's own other days: 5 to 15 %", own, 5.0, 15.0),
    ]
    late = [float(row["late"]) for row in rows if row["late"]]
    if late:
        flat = max(late) <= FLAT
        words = f"at most {number(max(late))} % in the last sixth of the steps, {len(late)} runs"
        found.append((f"validation is flat: within {FLAT:g} %", words, "holds" if flat else "fails"))
    return found


def _curve(rows: Sequence[Row], name: str) -> dict[int, list[float]]:
    """Input -> errors of the seeds, sorted by the input."""
    found: dict[int, list[float]] = {}
    for row in sorted(rows, key=lambda row: int(row[name])):
        found.setdefault(int(row[name]), []).append(float(row["error"]))
    return found


def _falls(bar: str, curve: Mapping[int, list[float]], least: float = 0.0, reach: float = 0.0) -> Verdict:
    if len(curve) < 3:
        return bar, f"{len(curve)} places", "not measured"
    means = [float(np.mean(errors)) for errors in curve.values()]
    spread = [float(np.std(errors)) for errors in curve.values()]
    seeds = min(map(len, curve.values()))
    words = ", ".join(f"{place}: {m:.1f} ({s:.1f})" for place, m, s in zip(curve, means, spread, strict=True))
    holds = all(b < a for a, b in zip(means, means[1:], strict=False))
    holds = holds and means[-1] <= (1.0 - least) * means[0] and max(curve) >= reach * min(curve)
    return bar, f"{words}; mean (standard deviation) in percent, {seeds} or more seeds", "holds" if holds else "fails"


def _exponent(bar: str, curve: Mapping[int, list[float]], name: str) -> Verdict:
    if len(curve) < 3:
        return bar, f"{len(curve)} places", "not measured"
    x, y = _points(curve)
    fit = fit_law(Table({name: x}, y, "%", "error", {name: name}, "varied_people.csv"), law_named("power", (name,)))
    ends = (parameter_intervals(fit, LEVEL) or {}).get("alpha")
    if ends is None:
        return bar, "no interval", "fails"
    return bar, f"{LEVEL:.0%} interval {span(ends)}", "holds" if ends[0] > 0 else "fails"


def _no_floor(curve: Mapping[int, list[float]]) -> Verdict:
    """A line in log error over log users that may change its slope at KNEE: is the slope beyond it below 0? t-test."""
    bar = f"a floor reached at {KNEE} users is rejected"
    if not curve or min(curve) >= KNEE or max(curve) < 4 * KNEE:
        return bar, f"{len(curve)} places", "not measured"
    x, y = _points(curve)
    log_x = np.log(x / KNEE)
    design = np.stack([np.ones_like(log_x), np.minimum(log_x, 0.0), np.maximum(log_x, 0.0)], axis=1)
    slopes, *_ = np.linalg.lstsq(design, np.log(y), rcond=None)
    rest = len(y) - design.shape[1]
    if rest < 1:
        return bar, "too few runs", "not measured"
    variance = float(((np.log(y) - design @ slopes) ** 2).sum() / rest)
    error = float(np.sqrt(variance * np.linalg.inv(design.T @ design)[2, 2]))
    p = float(stats.t.cdf(slopes[2] / error, rest))
    return (
        bar,
        f"slope beyond {slopes[2]:.3f}, standard error {error:.3f}, p = {p:.2g}",
        "holds" if p < 0.05 else "fails",
    )


def _points(curve: Mapping[int, list[float]]) -> tuple[np.ndarray, np.ndarray]:
    pairs = [(place, error) for place, errors in curve.items() for error in errors]
    x, y = np.array(pairs, np.float64).T
    return x, y


def _ratio(own: Sequence[float], zero_shot: Sequence[float]) -> list[float]:
    return [float(np.mean(own) / np.mean(zero_shot))] if own and zero_shot else []


def _between(bar: str, values: Sequence[float], low: float, high: float) -> Verdict:
    if not values:
        return bar, "no run", "not measured"
    mean = float(np.mean(values))
    words = f"mean {mean:.3g} of {len(values)}, from {min(values):.3g} to {max(values):.3g}"
    return bar, words, "holds" if low <= mean <= high else "fails"
