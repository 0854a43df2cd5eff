"""The peer of `semgjax bench laws_against_peers`: simple-scaling-laws on tables from a JSON file.

Run by its own interpreter (Python 3.12 or later), `PYTHON benchmarks/_laws_peer.py IN.json OUT.json`: reads
{"tables": [{"N": [...], "y": [...], "at": ...}]} and writes {"version", "rows": [{"low", "value", "high", "seconds",
"notes": [[code, severity], ...]} or null where it gives nothing]}. It imports nothing of semgjax.
"""

import importlib.metadata
import json
import sys
import time
import warnings

import polars as pl
from simple_scaling_laws import fit


def answer(table):
    """Fit E + A N^-alpha with the default 1,000 draws, and its 95 % interval of the mean at one point."""
    sizes = table["N"]
    frame = pl.DataFrame(
        {
            "training_run_id": [f"run{i}" for i in range(len(sizes))],
            "test_set_id": ["test"] * len(sizes),
            "model_size__n_params": sizes,
            "test_loss__error": table["y"],
        }
    )
    points = pl.DataFrame({"point_id": ["asked"], "model_size__n_params": [table["at"]]})
    begun = time.perf_counter()
    model = fit(frame, law="separable-power", seed=0)
    (row,) = model.predict(points, quantiles=[0.025, 0.5, 0.975]).iter_rows(named=True)
    seconds = time.perf_counter() - begun
    return {
        "low": row["test_loss__error__q025"],
        "value": row["test_loss__error__median"],
        "high": row["test_loss__error__q975"],
        "seconds": seconds,
        "notes": [[note.code, note.severity] for note in model.warnings],
    }


def main(source, out):
    """All tables of one file."""
    with open(source, encoding="utf-8") as file:
        tables = json.load(file)["tables"]
    rows = []
    for table in tables:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                rows.append(answer(table))
            except ValueError as error:
                print(f"no answer: {error}", file=sys.stderr)
                rows.append(None)
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"version": importlib.metadata.version("simple-scaling-laws"), "rows": rows}, file)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
