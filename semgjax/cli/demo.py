"""`semgjax demo`: the whole pipeline on simulated or given sessions; writes a folder with a report."""

from pathlib import Path

from semgjax.cli.parse import run_commands


def demo(*, out: Path = Path("out/demo"), seed: int = 0, data: Path | None = None) -> None:
    """Simulate people, train sizes and numbers of users, fit both laws, distil, export, and write a report.

    The same command after a stop resumes.

    Args:
        out: folder of the demo: new, empty, or of a stopped demo
        seed: seed of the simulated people, the split and the training
        data: folder of your own sessions or shards to use instead; their splits.json is used if they have one
    """
    from semgjax.demo.demo_plan import DemoPlan
    from semgjax.demo.stages import run_demo
    from semgjax.measures import measure_in, rate_in

    summary = run_demo(DemoPlan(seed=seed, data=None if data is None else str(data.resolve())), out)
    source = "Given sessions" if summary["real"] else "Simulated data"
    if summary["people"] is not None:
        source += f", {summary['people']} people"
    measure = measure_in(summary["teacher"])
    print(f"{source}; {measure.words} on held-out users, mean over users:")
    for name in ("teacher", "scratch", "distilled", "exported"):
        row = summary[name]
        print(f"  {name:<9} {row['preset']:<10} {row['params']:>9,} parameters  {rate_in(row):>5.1f} %")
    for users in summary["users_axis"]:
        print(f"  {users['users']:>9} training users{rate_in(users):>28.1f} %")
    for name, law in summary["laws"].items():
        if law["identified"]:
            print(f"  exponent of {name}: {law['exponent']:.2g}, 95 % interval {law['low']:.2g} to {law['high']:.2g}")
        else:
            print(f"  exponent of {name}: not identified by these runs")
    print(f"{summary['seconds']:.0f} s. Report: {(out / 'report.html').resolve()}")


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("demo", {"": demo}, words)
