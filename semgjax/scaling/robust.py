"""Runs far off a law's curve: found from a high-breakdown start, tested one by one, and counted less.

MM-estimation (Yohai 1987, Annals of Statistics 15) of log residuals, for sweeps in which up to one run in six is bad:

* an S-estimate (Rousseeuw and Yohai 1984) from many small subsets ranks the runs by how far off they are;
* of a small table the farthest runs are left out, k = 0, 1, ... of them, and each further one is tested by what it adds
  to the sum of squares, from the most to the fewest (Rosner 1983, Technometrics 25), so that two bad runs cannot hide
  each other. The scale is that of the runs kept, with their degrees of freedom;
* with that scale fixed, the M step: Tukey's bisquare, whose weights are then those of the rows.

Where the test is not clear, both answers are kept: `Judged.other` is the set that is left out in the second one.
"""

from dataclasses import dataclass, replace

import numpy as np

from semgjax.scaling.law import Law
from semgjax.scaling.quantiles import f_tail, t_quantile
from semgjax.scaling.solver import SMALL, Problems, curves, solve

Array = np.ndarray

LEAST_FREEDOM = 3  # with fewer degrees of freedom one run off cannot be distinguished from the others
OFF, DOUBT, SURE, PICKED = (
    0.02,
    0.2,
    0.002,
    10.0,
)  # adjusted p: left out below the first; both answers kept from SURE to DOUBT
SHARE = 6  # one bad run in so many
_S_TUNING, _M_TUNING = 1.547645, 4.685061  # bisquare: breakdown of one half; 95 % efficiency under normal noise
_SUBSETS, _REFINED, _ROUNDS = 24, 3, 3
_NOISELESS = 1e-4  # log: no table is more precise than that
_MOST = 60


@dataclass(frozen=True, eq=False)
class Judged:
    """k sweeps: coordinates theta [k, p], cut [k] (residuals beyond it weigh nothing; inf: all count fully), runs left
    out [k, n], those left out in the second answer [k, n] (the same where there is none), with its theta and cut."""

    theta: Array
    cut: Array
    out: Array
    other: Array
    other_theta: Array
    other_cut: Array

    @property
    def doubtful(self) -> Array:
        """Whether a sweep has two answers [k]."""
        return (self.out != self.other).any(axis=1)


def bisquare_weights(residuals: Array, cut: Array | float) -> Array:
    """Weights of residuals [..., n]: (1 - (r / cut)^2)^2, 0 beyond cut (inf: all 1)."""
    return np.clip(1.0 - (residuals / cut) ** 2, 0.0, None) ** 2


def bisquare_losses(residuals: Array, cut: float) -> Array:
    """Tukey's loss, half the square near 0 and constant beyond cut."""
    if not np.isfinite(cut):
        return 0.5 * residuals**2
    return cut**2 / 6.0 * (1.0 - np.clip(1.0 - (residuals / cut) ** 2, 0.0, None) ** 3)


def weighted_scale(residuals: Array, weights: Array, cut: float, parameters: int) -> float:
    """kappa of a profile of squares under bisquare weights [n]: the variance that makes its F statistic hold.

    E psi^2 E w / (E psi')^2 over the runs that count, with their degrees of freedom (Huber 1981, 7.6).
    """
    kept = weights > 0
    r, w = residuals[kept], weights[kept]
    dof = max(len(r) - parameters, 1)
    ratio = (r / cut) ** 2
    bend = max(float(np.mean((1.0 - ratio) * (1.0 - 5.0 * ratio))), 0.2)
    return float(np.sum((w * r) ** 2)) / dof * float(np.mean(w)) / bend**2


def judge(law: Law, problems: Problems, thetas: Array, groups: Array | None = None, seed: int = 0) -> Judged:
    """Judge the runs of k sweeps with y [k, n] and weights [1, n] from their least-squares fits thetas [k, p].

    problems: of squares (delta inf), scaled; bounds [p] shared. groups [n]: rows with one number are replicates; they
    are never left out all together, as a level at which all agree speaks against the law.
    """
    count, n = len(thetas), problems.y.shape[-1]
    full = replace(
        problems, y=np.broadcast_to(np.atleast_2d(problems.y), (count, n)), weights=np.atleast_2d(problems.weights)
    )
    freedom = n - int((np.asarray(problems.low) < np.asarray(problems.high)).sum())
    none = np.zeros((count, n), bool)
    if freedom < LEAST_FREEDOM:
        infinite = np.full(count, np.inf)
        return Judged(thetas, infinite, none, none, thetas, infinite)
    if n > SMALL:
        return _large(law, full, thetas, freedom, seed)
    most = max(min(-(-n // SHARE), freedom - 2), 1)
    groups = np.arange(n) if groups is None else groups
    out, other, spread, starts = _tested(law, full, thetas, freedom, most, groups, seed)
    both = np.concatenate([out, other])
    theta, cut = _m_step(law, full, np.tile(np.arange(count), 2), both, starts, spread, freedom)
    return Judged(theta[:count], cut[:count], out, other, theta[count:], cut[count:])


def residuals_of(law: Law, problems: Problems, which: Array, thetas: Array) -> Array:
    """Log residuals [m, n] times the root of the stated weights, of sweeps `which` [m] at thetas [m, p]."""
    with np.errstate(all="ignore"):
        logs = np.log(curves(law, problems.x, thetas))
    return np.nan_to_num(np.log(problems.y[which]) - logs, nan=50.0, posinf=50.0, neginf=-50.0) * np.sqrt(
        problems.weights
    )


def m_scale(residuals: Array, parameters: int) -> Array:
    """Scale [m] of residuals [m, n] that half of them may not bend: the sum of rho is half the degrees of freedom."""
    goal = 0.5 * max(residuals.shape[1] - parameters, 1)
    scale = np.maximum(np.median(np.abs(residuals), axis=1) / 0.6745, 1e-12)
    for _ in range(40):
        rho = 1.0 - np.clip(1.0 - (residuals / (_S_TUNING * scale[:, None])) ** 2, 0.0, None) ** 3
        scale = np.maximum(scale * np.sqrt(rho.sum(axis=1) / goal), 1e-12)
    return scale


def _fitted(
    law: Law, problems: Problems, which: Array, weights: Array, starts: Array, most: int = _MOST
) -> tuple[Array, Array]:
    """(thetas [m, p], sums of squares [m]) of sweeps `which` [m] with the stated weights times weights [m, n]."""
    many = replace(problems, y=problems.y[which], weights=problems.weights * weights)
    ends = solve(law, many, starts, most)
    good = np.isfinite(ends.value) & np.isfinite(ends.theta).all(axis=1)
    return np.where(good[:, None], ends.theta, starts), np.where(good, 2.0 * ends.value, np.inf)


def s_estimates(law: Law, problems: Problems, thetas: Array, parameters: int, seed: int) -> tuple[Array, Array]:
    """S-estimates of k sweeps: (thetas [k, p], scales [k]), from subsets of one run more than parameters."""
    count, n = len(thetas), problems.y.shape[-1]
    random = np.random.default_rng(seed)
    size = min(parameters + 1, n)
    member = np.zeros((_SUBSETS, n))
    for row in member:
        row[random.choice(n, size, replace=False)] = 1.0
    which = np.repeat(np.arange(count), _SUBSETS)
    found, _ = _fitted(law, problems, which, np.tile(member, (count, 1)), np.repeat(thetas, _SUBSETS, axis=0), 30)
    found = np.concatenate([found.reshape(count, _SUBSETS, -1), thetas[:, None]], axis=1)
    which = np.repeat(np.arange(count), _SUBSETS + 1)
    scale = m_scale(residuals_of(law, problems, which, found.reshape(len(which), -1)), parameters)
    order = np.argsort(scale.reshape(count, -1), axis=1, kind="stable")[:, :_REFINED]
    best = np.take_along_axis(found, order[..., None], axis=1).reshape(count * _REFINED, -1)
    which = np.repeat(np.arange(count), _REFINED)
    residuals = residuals_of(law, problems, which, best)
    scale = m_scale(residuals, parameters)
    for _ in range(_ROUNDS):
        weights = bisquare_weights(residuals, _S_TUNING * scale[:, None])
        moved, _ = _fitted(law, problems, which, weights, best, 10)
        residuals = residuals_of(law, problems, which, moved)
        lower = m_scale(residuals, parameters)
        better = lower < scale
        best, scale = np.where(better[:, None], moved, best), np.where(better, lower, scale)
        residuals = residuals_of(law, problems, which, best)
    place = scale.reshape(count, -1).argmin(axis=1)
    rows = np.arange(count)
    return best.reshape(count, _REFINED, -1)[rows, place], scale.reshape(count, -1)[rows, place]


def _tested(
    law: Law, problems: Problems, thetas: Array, freedom: int, most: int, groups: Array, seed: int
) -> tuple[Array, Array, Array, Array]:
    """(left out [k, n], left out in the second answer [k, n], scales [2 k], thetas [2 k, p])."""
    count, n = len(thetas), problems.y.shape[-1]
    rows = np.arange(count)
    sets = np.zeros((most + 1, count, n), bool)
    found = [thetas]
    squares = [np.sum(residuals_of(law, problems, rows, thetas) ** 2, axis=1)]
    which = np.repeat(rows, n)
    one, sums = _fitted(law, problems, which, np.tile(1.0 - np.eye(n), (count, 1)), np.repeat(thetas, n, axis=0))
    one, sums = one.reshape(count, n, -1), sums.reshape(count, n)
    worst = sums.argmin(axis=1)
    sets[1, rows, worst] = True
    found.append(one[rows, worst])
    squares.append(np.minimum(sums[rows, worst], squares[0]))
    if most > 1:
        start, _ = s_estimates(law, problems, thetas, n - freedom, seed)
        far = np.abs(residuals_of(law, problems, rows, start))
        ranked = np.zeros((count, n), bool)
        ranked = _with_farthest(ranked, far, groups)
        for k in range(2, most + 1):
            # The k farthest from the S-estimate, or the set before and the run farthest from its own curve.
            ranked = _with_farthest(ranked, far, groups)
            grown = _with_farthest(sets[k - 1], np.abs(residuals_of(law, problems, rows, found[-1])), groups)
            tried = [
                _fitted(law, problems, rows, 1.0 - chosen, begin)
                for chosen, begin in ((ranked, start), (grown, found[-1]))
            ]
            first = tried[0][1] < tried[1][1]
            sets[k] = np.where(first[:, None], ranked, grown)
            found.append(np.where(first[:, None], tried[0][0], tried[1][0]))
            squares.append(np.minimum(np.where(first, tried[0][1], tried[1][1]), squares[-1]))
    left = freedom - np.arange(most + 1)
    variance = np.array(squares) / left[:, None] + _NOISELESS**2  # [most + 1, k]
    gained = (np.array(squares)[:-1] - np.array(squares)[1:]) / variance[1:]
    tails = np.array([(n - k) * f_tail(gained[k], 1, left[k + 1]) for k in range(most)])  # of leaving out k + 1
    chosen, second = _decided(tails)
    spread = np.sqrt(np.concatenate([variance[chosen, rows], variance[second, rows]]))
    begin = np.array(found)
    starts = np.concatenate([begin[chosen, rows], begin[second, rows]])
    return sets[chosen, rows], sets[second, rows], spread, starts


def _with_farthest(chosen: Array, far: Array, groups: Array) -> Array:
    """The sets [k, n] with one more run each: the farthest that is no level's last of several."""
    member = np.equal.outer(groups, np.arange(groups.max() + 1)).astype(float)  # [n, levels]
    left = (~chosen).astype(float) @ member
    last = (left[:, groups] <= 1.0) & (member.sum(axis=0)[groups] > 1.0)
    score = np.where(chosen | last, -1.0, far)
    return chosen | (np.arange(len(groups)) == score.argmax(axis=1)[:, None])


def _decided(tails: Array) -> tuple[Array, Array]:
    """(number left out, number in the second answer) [k] from adjusted p [most, k] of leaving out 1, 2, ... runs."""
    most, count = tails.shape
    rows = np.arange(count)
    # A pair is picked from far more candidates than the second of two runs: more must speak for it.
    number = np.arange(1, most + 1)[:, None]
    chosen = np.where(tails < np.where(number == 1, OFF, OFF / PICKED), number, 0).max(axis=0)
    second = np.where((chosen == 0) & (tails[0] < DOUBT), 1, chosen)
    unsure = (chosen > 0) & (tails[np.maximum(chosen - 1, 0), rows] > SURE)
    return chosen, np.where(unsure, chosen - 1, second)


def _m_step(
    law: Law, problems: Problems, which: Array, out: Array, thetas: Array, spread: Array, freedom: int | Array
) -> tuple[Array, Array]:
    """(thetas [m, p], cut [m]) of the bisquare fit with fixed scales [m] and no weight for runs `out` [m, n]."""
    left = np.maximum(freedom - out.sum(axis=1), 1)
    # A scale from few degrees of freedom is badly known: a run must be farther off to count less.
    most = _M_TUNING * t_quantile(0.995, left) / t_quantile(0.995, 1e9) * spread
    theta, cut = thetas, most
    for _ in range(30):
        size = np.abs(residuals_of(law, problems, which, theta))
        cut = np.minimum(most, (1.0 - 1e-6) * np.where(out, size, np.inf).min(axis=1))
        moved, _ = _fitted(law, problems, which, bisquare_weights(size, cut[:, None]) * ~out, theta, 20)
        change = float(np.abs(moved - theta).max(initial=0.0))
        theta = moved
        if change < 1e-10:
            break
    return theta, cut


def _large(law: Law, problems: Problems, thetas: Array, freedom: int, seed: int) -> Judged:
    """`judge` of a large table, whose S-scale is well known: no single run is tested."""
    count, n = len(thetas), problems.y.shape[-1]
    parameters, rows = n - freedom, np.arange(count)
    part = np.sort(np.random.default_rng(seed).permutation(n)[:SMALL])
    few = replace(
        problems, x={name: v[part] for name, v in problems.x.items()}, y=problems.y[:, part],
        weights=np.broadcast_to(problems.weights, (1, n))[:, part],
    )  # fmt: skip
    start, _ = s_estimates(law, few, thetas, parameters, seed)
    scale = m_scale(residuals_of(law, problems, rows, start), parameters)
    own = m_scale(residuals_of(law, problems, rows, thetas), parameters)
    start, scale = np.where((own <= scale)[:, None], thetas, start), np.minimum(own, scale)
    spread, none = np.maximum(scale, _NOISELESS), np.zeros((count, n), bool)
    theta, cut = _m_step(law, problems, rows, none, start, spread, freedom)
    out = np.abs(residuals_of(law, problems, rows, theta)) >= cut[:, None]
    return Judged(theta, cut, out, out, theta, cut)
