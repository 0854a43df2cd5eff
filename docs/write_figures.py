"""Write docs/figures/scaling.png, and report.png where a Chromium is installed, from the repository's own table."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import semgjax as sj

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "figures"
STAR = ROOT / "analysis" / "data" / "star.csv"
ROWS = {"kind": "supervised", "users": "16", "hours": "0.8"}


def write_curve(law: sj.FittedLaw, folder: Path = FIGURES) -> str:
    """The size curve with the single held-out users; its caption, which the README quotes."""
    return law.plot(folder / "scaling.png", users=True).caption


def write_page(law: sj.FittedLaw, browser: str, folder: Path = FIGURES) -> None:
    """A screenshot of the top of the report."""
    with tempfile.TemporaryDirectory() as made:
        page = law.report(Path(made) / "law.html", title="Simulated data: error against model size")
        words = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            f"--user-data-dir={made}/profile", "--window-size=1000,1300", f"--screenshot={folder / 'report.png'}",
            page.as_uri(),
        ]  # fmt: skip
        subprocess.run(words, check=True, capture_output=True)


if __name__ == "__main__":
    fitted = sj.fit(STAR, N="params", where=ROWS)
    print(write_curve(fitted))
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        sys.exit("no Chromium here: report.png is left as it was")
    write_page(fitted, found)
