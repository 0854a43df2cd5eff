"""Stands in for a trial's process in tests of the engine: steps of 20 ms with a checkpoint each, no training.

    python -m tests.sweep.stand_in SWEEP TRIAL[,TRIAL...] CORES
    python -m tests.sweep.stand_in sweep run SWEEP --cores CORES --trial NUMBER

SWEEP/../acts.json says what the first, second, ... attempt of a trial does half-way (default: nothing); every
attempt leaves a line at its start and its end in SWEEP/../events.
"""

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

from semgjax.files import folder_lock, write_json
from semgjax.sweep.plan import find_trial, read_sweep
from tests.sweep.plans import finish

STEPS = 10


def main(folder: Path, name: str) -> int:
    run, sweep = folder / "trials" / name, read_sweep(folder)
    acts = json.loads((folder.parent / "acts.json").read_text()).get(name, [])
    events = folder.parent / "events"
    attempt = sum(line.split()[:2] == ["start", name] for line in lines_of(events))
    act = acts[attempt] if attempt < len(acts) else "train"
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    device = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    note(events, f"start {name} {','.join(map(str, cores))} {device}")
    if act == "idle":
        return 75
    if act == "refuse":
        print("semgjax: error: sessions: no such folder", file=sys.stderr)
        return 2
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    with folder_lock(run):
        if (run / "result.json").exists():  # as training does: another process may have ended it just now
            return 0
        done = len(lines_of(run / "metrics.jsonl"))
        for step in range(done + 1, STEPS + 1):
            time.sleep(0.3 if act == "slow" else 0.02)
            with open(run / "metrics.jsonl", "a") as file:
                file.write(json.dumps({"step": step}) + "\n")
            if asked:
                note(events, f"saved {name}")
                return 75
            if step == STEPS // 2 or done >= STEPS // 2:
                code = play(act, folder, name)
                if code is not None:
                    return code
        if act != "forget":
            finish(sweep, find_trial(sweep, name), steps_of_this_attempt=STEPS - done)
    note(events, f"end {name}")
    return 0


def play(act: str, folder: Path, name: str) -> int | None:
    if act == "again":
        return 75
    if act == "meet":  # a worker may need a while to start, and no pause is surely longer
        wait_for_another(folder.parent / "events", name)
    if act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if act == "diverge":
        fault = folder / "trials" / f"{name}.fault.json"
        write_json(fault, "semgjax/fault", 1, {"kind": "diverged", "reason": "step 5: loss nan"})
        print("semgjax: error: step 5: loss nan", file=sys.stderr)
        return 70
    if act == "crash":
        raise ValueError("something broke")
    return None


def wait_for_another(events: Path, name: str, seconds: float = 100.0) -> None:
    """Until another trial has started as well."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and all(line.split()[1] == name for line in lines_of(events)):
        time.sleep(0.02)


def lines_of(path: Path) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return path.read_text().splitlines()
    return []


def note(events: Path, line: str) -> None:
    with open(events, "a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "sweep":
        place = Path(sys.argv[3])
        sys.exit(main(place, find_trial(read_sweep(place), sys.argv[7]).id))
    # A pack, one after the other; its exit code is the gravest, as semgjax.sweep.pack ranks them.
    codes = [main(Path(sys.argv[1]), name) for name in sys.argv[2].split(",")]
    sys.exit(next((code for code in (75, 2, 70) if code in codes), 0))
