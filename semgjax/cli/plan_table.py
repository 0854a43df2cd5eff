"""The table of a sweep's plan on the terminal: trials, or rungs whose learning rates are searched, with their cost."""

from collections.abc import Sequence

from semgjax.cli.terminal import say, say_columns
from semgjax.sweep.plan import FILE, Sweep, flops_of
from semgjax.sweep.resolve import Resolved
from semgjax.sweep.subset import Subset
from semgjax.sweep.trial_cost import Rate, parameters_of


def print_plan(sweep: Sweep, subsets: Sequence[Subset], rate: Rate | None, known: bool) -> None:
    """One line a trial, and their sum."""
    partial = any(subset != Subset() for subset in subsets)
    withheld = any(subset.labelled_users is not None for subset in subsets)
    data = ("users", "hours each", *(("labelled",) if withheld else ())) if partial else ()
    extra = () if rate is None else (f"{rate.machine.name} hours", *(() if rate.price is None else ("cost",)))
    rows: list[tuple[str, ...]] = [("trial", "preset", "parameters", *data, "steps", "training FLOPs", *extra)]
    total = sum(trial.flops for trial in sweep.trials)

    def cost_cells(flops: float) -> tuple[str, ...]:
        if rate is None:
            return ()
        cost = rate.cost(flops)
        return (f"{rate.hours(flops):,.3g}", *(() if cost is None else (f"{cost:,.2f}",)))

    for trial, subset in zip(sweep.trials, subsets, strict=True):
        config = trial.config
        limits = (subset.users, subset.hours_per_user, *((subset.labelled_users,) if withheld else ()))
        parts = ("all" if value is None else f"{value:g}" for value in limits)
        size = f"{parameters_of(config.model):,}"
        flops = f"{trial.flops:.3g}"
        shown = (*(parts if partial else ()), f"{config.train.steps:,}", flops)
        rows.append((trial.id, config.preset, size, *shown, *cost_cells(trial.flops)))
    rows.append(
        ("total", f"{len(sweep.trials)} trials", "", *("" for _ in data), "", f"{total:.3g}", *cost_cells(total))
    )
    say_columns(rows)
    if rate is not None:
        print(
            f"one {rate.machine.name}: {rate.machine.peak:.3g} FLOP/s at {rate.utilisation:.0%} "
            f"({rate.machine.source}); training steps only"
        )
    say(f"{sweep.folder / FILE}{' (the same plan already existed)' if known else ''}")


def print_rungs(sweep: Sweep, resolved: Resolved, rate: Rate | None, known: bool) -> None:
    """One line a rung: its first rate, and the operations of one run and of the longest search."""
    of_data = {config.data: subset for config, subset in zip(resolved.configs, resolved.subsets, strict=True)}
    hours = () if rate is None else (f"{rate.machine.name} hours at most",)
    rows: list[tuple[str, ...]] = [
        ("rung", "preset", "parameters", "users", "seeds", "steps", "first rate", "FLOPs a run", "at most", *hours)
    ]
    for rung in sweep.rungs:
        config, users = rung.config, of_data[rung.config.data].users
        one, most = flops_of(rung)
        rows.append(
            (
                f"{rung.number:03d}", config.preset, f"{parameters_of(config.model):,}",
                "all" if users is None else str(users), str(1 + len(rung.seeds)), f"{config.train.steps:,}",
                f"{rung.start:g}", f"{one:.3g}", f"{most:.3g}",
                *(() if rate is None else (f"{rate.hours(most):,.3g}",)),
            )
        )  # fmt: skip
    say_columns(rows)
    search = sweep.rungs[0].search
    say(
        f"3 to {search.most} rates a rung with its first seed, until both neighbours of the best are within a factor "
        f"of {search.tolerance:g}; then its other seeds at the best rate"
    )
    say(f"{sweep.folder / FILE}{' (the same plan already existed)' if known else ''}")
