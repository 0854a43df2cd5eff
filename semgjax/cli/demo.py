"""`semgjax demo`: the whole pipeline on simulated sessions; writes a folder with a report."""

from pathlib import Path

from semgjax.cli.parse import run_commands


def demo(*, out: Path = Path("out/demo"), seed: int = 0) -> None:
    """Simulate sessions, train a ladder of sizes, fit a law, distil, export, and write a report.

    The same command after a stop resumes.

    Args:
        out: folder of the demo: new, empty, or of a stopped demo
        seed: seed of the simulated people, the split and the training
    """
    from semgjax.demo.demo_plan import DemoPlan
    from semgjax.demo.stages import run_demo

    summary = run_demo(DemoPlan(seed=seed), out)
    print("Simulated data; character error rate (CER) on held-out users, mean over users:")
    for name in ("teacher", "scratch", "distilled", "exported"):
        row = summary[name]
        print(f"  {name:<9} {row['preset']:<10} {row['params']:>9,} parameters  CER {row['cer']:.1f} %")
    print(f"{summary['seconds']:.0f} s. Report: {(out / 'report.html').resolve()}")


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("demo", {"": demo}, words)
