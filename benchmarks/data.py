"""`semgjax bench data`: our pipeline on shards against a torch DataLoader on the HDF5 files; and the ingest's speed.

SEMGJAX_BENCH_HOURS (default 1) is the size of the corpus; 20 is the size of the quoted figures. It takes 6 GB of disk
at most: of more than 4 hours the rest are links to the first files, under other names. SEMGJAX_BENCH_DATA names a
folder to build the corpus in and keep it; without it a temporary one is removed afterwards. Needs
`pip install .[bench]`.
"""

import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks._data_corpus import base_session, write_sessions
from benchmarks.measure import Comparison
from semgjax.data.shards.ingest import ingest
from semgjax.data.shards.manifest import SHARDS, read_manifest, write_manifest
from semgjax.errors import InputError
from semgjax.files import read_json, write_json

BATCH, BATCHES, ROUNDS, WORKERS = 40, 25, 3, 2
PER_HOUR = 4
DISTINCT_HOURS = 4.0
LARGE_STEPS, HOST_CORES = 10, 16


@dataclass(frozen=True)
class Load:
    """One run of a loader in processes of its own: rates, and the most memory of all of them together."""

    windows_per_s: float
    bytes_per_s: float
    peak_mb: float


def run() -> dict[str, Comparison]:
    """Build or find the corpus, then measure both loaders in turn, cold and warm.

    Raises:
        InputError: torch is not installed.
    """
    if importlib.util.find_spec("torch") is None:
        raise InputError(
            "torch is not installed; pip install 'semgjax[bench]' from this source checkout", "missing-extra"
        )
    hours = float(os.environ.get("SEMGJAX_BENCH_HOURS", "1"))
    kept = os.environ.get("SEMGJAX_BENCH_DATA")
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="semgjax-bench-"))
    try:
        speed = _corpus(folder, hours)
        return {"data.ingest": _ingest_row(speed, hours), **_loaders(folder, hours)}
    finally:
        if not kept:
            shutil.rmtree(folder)


def _corpus(folder: Path, hours: float) -> float:
    """Write FOLDER/hdf5 and FOLDER/shards, once; how many times faster than real time the ingest was."""
    if (folder / "built.json").exists():
        built = read_json(folder / "built.json", "semgjax/bench-corpus", 1)
        if built["hours"] == hours:
            return built["ingest"]
        raise InputError(
            f"{folder}: holds a corpus of {built['hours']:g} h; give another folder or remove it", "out-exists"
        )
    distinct = round(min(hours, DISTINCT_HOURS) * PER_HOUR)
    write_sessions(folder / "hdf5", base_session(folder / "base"), range(distinct))
    begun = time.perf_counter()
    ingest(folder / "hdf5", folder / "shards", workers=WORKERS)
    speed = distinct / PER_HOUR * 3600 / (time.perf_counter() - begun)
    sessions = sorted((folder / "hdf5").iterdir())
    rows = read_manifest(folder / "shards")
    for number in range(distinct, round(hours * PER_HOUR)):
        name = f"s{number:03d}"
        os.link(sessions[number % distinct], folder / "hdf5" / f"{name}.hdf5")
        row = rows[number % distinct]
        os.link(folder / "shards" / SHARDS / row.file, folder / "shards" / SHARDS / f"{name}.arrayrecord")
        rows.append(replace(row, name=name, file=f"{name}.arrayrecord"))
    write_manifest(folder / "shards", rows, [])
    write_json(folder / "built.json", "semgjax/bench-corpus", 1, {"hours": hours, "ingest": speed})
    return speed


def _ingest_row(speed: float, hours: float) -> Comparison:
    size = min(hours, DISTINCT_HOURS)
    return Comparison(speed, 1.0, "x real time", f"ingest of {size:g} h with {WORKERS} processes, against real time")


def _loaders(folder: Path, hours: float) -> dict[str, Comparison]:
    ours = (["benchmarks._data_ours", str(folder / "shards")], folder / "shards" / SHARDS, "0")
    peer = (["benchmarks._data_peer", str(folder / "hdf5")], folder / "hdf5", str(WORKERS))
    about = f"{hours:g} h, batch {BATCH}, {ROUNDS} rounds of {BATCH * BATCHES} windows in turn, {os.cpu_count()} cores"
    rows: dict[str, Comparison] = {}
    warm: list[list[Load]] = [[], []]
    for state in ("cold", "warm"):
        loads: list[list[Load]] = [[], []]
        for _ in range(ROUNDS):
            for (words, files, workers), found in zip((ours, peer), loads, strict=True):
                if state == "cold":
                    drop_cache(files)
                found.append(_measure(words, hours, 1, workers))
        rate, size = ([_median(one, name) for one in loads] for name in ("windows_per_s", "bytes_per_s"))
        suffix = "" if state == "warm" else "_cold"
        note = f"{state}; ours float16 in threads, peer float32 in {WORKERS} workers; {about}"
        rows[f"data.windows_per_s{suffix}"] = Comparison(*rate, "windows/s", note)
        rows[f"data.bytes_per_s{suffix}"] = Comparison(*size, "bytes/s", note)
        warm = loads
    memory = [max(load.peak_mb for load in one) for one in warm]
    rows["data.peak_memory"] = Comparison(
        *memory, "MB", f"most memory of all processes (Pss), libraries included; {about}"
    )
    rate = rows["data.windows_per_s"].ours
    cores = os.cpu_count() or 1
    rows["data.large_host"] = Comparison(
        rate * HOST_CORES / cores,
        float(LARGE_STEPS * BATCH),
        "windows/s",
        f"ours x {HOST_CORES} / {cores} cores, by projection, against {LARGE_STEPS} steps/s at batch {BATCH}",
    )
    for part in [size for size in (1.0, 5.0, 20.0) if size <= hours]:
        costs = [1000 / _measure(words, part, ROUNDS, workers).windows_per_s for words, _, workers in (ours, peer)]
        rows[f"data.ms_per_window_{part:g}h"] = Comparison(*costs, "ms", f"warm, one process each; {about}")
    return rows


def _median(loads: list[Load], name: str) -> float:
    return statistics.median(getattr(load, name) for load in loads)


def drop_cache(folder: Path) -> None:
    """Drop the files of a folder from the page cache, so that they are read from the disk again."""
    os.sync()
    for path in folder.iterdir():
        handle = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)


def _measure(words: list[str], hours: float, rounds: int, workers: str) -> Load:
    """Run a loader and sample its memory; medians over the rounds."""
    command = [sys.executable, "-m", *words, f"{hours:g}", str(BATCH), str(BATCHES), str(rounds), workers]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak = [0.0]

    def watch() -> None:
        while process.poll() is None:
            peak[0] = max(peak[0], sum(map(_memory, _family(process.pid))))
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, _ = process.communicate()
    watcher.join()
    if process.returncode:
        raise InputError(
            f"{words[0]}: the loader failed with code {process.returncode}; see its message above", "conflict"
        )
    result = json.loads(output)
    seconds = statistics.median(result["seconds"])
    return Load(result["windows"] / seconds, result["bytes"] / seconds, peak[0])


def _family(process: int) -> list[int]:
    """A process and its descendants."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            text = _text(entry / "stat")
            if text:
                parents[int(entry.name)] = int(text.rpartition(")")[2].split()[1])
    family = [process]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def _memory(process: int) -> float:
    """Its proportional set size (Pss) in MB: shared pages are divided among their users."""
    lines = [line for line in _text(Path(f"/proc/{process}/smaps_rollup")).splitlines() if line.startswith("Pss:")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def _text(path: Path) -> str:
    """The file's text; "" if the process has ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
