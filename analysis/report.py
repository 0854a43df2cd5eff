"""The full report on a sweep over sizes, users and hours: one page with verdict and pictures; writes report.html."""

from pathlib import Path

from analysis.study import Study, run
from semgjax.files import write_atomic
from semgjax.pages.law_report import Ask, report_page
from semgjax.scaling.laws import law_named

INPUTS = {"N": "params", "U": "users", "H": "hours/users"}


def report(study: Study) -> Path:
    """Three laws over all inputs, and what reaches the error of the best run."""
    table = study.read(INPUTS)
    laws = [law_named(name, tuple(INPUTS)) for name in ("additive", "saturating", "rational")]
    target = round(float(table.y.min()), 1)
    title = f"{study.simulated}Sizes, users and hours: {table.source}"
    path = study.out / "report.html"
    write_atomic(path, report_page(table, laws, Ask(target=target, title=title, level=study.level)))
    return path


if __name__ == "__main__":
    run(report)
