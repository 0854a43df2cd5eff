"""`semgjax bench device`: what an accelerator computes rightly, how fast it is, and a real run on it.

Every check runs in a process of its own (benchmarks/_device_item.py) and leaves OUT/state/NAME.json, so that a visit
to a machine that ends early is not lost: the same command does what is left. It stops beginning checks after
`minutes`, and ends a check that takes ten. Writes OUT/device.json and OUT/device.html.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks._device_figures import SIZES, SMALL, Outcome, check_names, outcome_of
from benchmarks._device_marks import marks
from semgjax.errors import InputError
from semgjax.files import write_atomic
from semgjax.pages.html import render_template

ROOT = Path(__file__).parents[1]
LONGEST = 600
"""seconds of one check; `run` asks its commands to save before"""


def measure(out: Path, part: str | None = None, small: bool = False, minutes: float = 10.0) -> int:
    """Do the checks that are left, of one part or of all, and write both reports.

    Args:
        out: folder of the state and of the reports, new or of this same machine and form.
        part: parity, speed or run; None: one after the other.
        small: a form of every check that takes seconds on a CPU; its speeds mean nothing.
        minutes: no check begins after this time.

    Returns:
        0: all was done and held; 1: a check broke or a figure is beyond its bound; 75: call it again for the rest.

    Raises:
        InputError: the folder holds the results of another machine or form ("conflict").
    """
    begun = time.monotonic()
    (out / "state").mkdir(parents=True, exist_ok=True)
    about = _about(out, small)
    chosen = [name for name in check_names(small) if part is None or name.startswith(f"{part}.")]
    before = {outcome.item: outcome.status for outcome in _outcomes(out, small)}
    missing = [name for name in chosen if name not in before]
    # What broke may have been mended since; but first what was never done, for a crash costs minutes each time.
    for name in [*missing, *(name for name in chosen if before.get(name) == "broken")]:
        if time.monotonic() - begun > 60 * minutes:
            break
        print(f"{name} ...", file=sys.stderr, flush=True)
        if not _check(name, out, small):
            break
    outcomes = _outcomes(out, small)
    left = [name for name in chosen if name not in {outcome.item for outcome in outcomes}]
    write_report(out, about, outcomes, left)
    broken = [outcome.item for outcome in outcomes if outcome.item in chosen and not outcome.holds]
    return 1 if broken else 75 if left else 0


def write_report(out: Path, about: dict[str, Any], outcomes: list[Outcome], left: list[str]) -> None:
    """Both reports from the outcomes so far."""
    found = marks(outcomes, (SMALL,) if about["small"] else SIZES)
    lists = {"marks": [x.as_json() for x in found], "checks": [x.as_json() for x in outcomes]}
    body = {"schema": "device-report", "version": 1, **about, "left": left, **lists}
    write_atomic(out / "device.json", json.dumps(body, indent=1, allow_nan=False) + "\n")
    shown = {"about": about, "outcomes": outcomes, "marks": found, "left": left}
    page = render_template("device_page.html", title="Device report", **shown)
    write_atomic(out / "device.html", page)


def _outcomes(out: Path, small: bool) -> list[Outcome]:
    files = [out / "state" / f"{name}.json" for name in check_names(small)]
    return [outcome_of(json.loads(file.read_text())) for file in files if file.exists()]


def _check(name: str, out: Path, small: bool) -> bool:
    """Run one check in a process; False: it has saved a part of its work and is to be continued."""
    begun = time.monotonic()
    options: dict[str, Any] = {"cwd": ROOT, "env": _environment(out, small), "start_new_session": True}
    words = [sys.executable, "-m", "benchmarks._device_item", name, str(out.absolute()), "small" if small else "full"]
    with (out / "checks.log").open("a") as log:
        process = subprocess.Popen(words, stdout=log, stderr=subprocess.PIPE, text=True, **options)
        try:
            _, errors = process.communicate(timeout=LONGEST)
            reason = _last_line(errors) or f"ended with {process.returncode}"
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            _, errors = process.communicate()
            reason = f"took longer than {LONGEST} s"
        finally:
            if process.poll() is None:  # the kit itself is interrupted
                os.killpg(process.pid, signal.SIGKILL)
        log.write(errors)
    if process.returncode == 75:
        return False
    if process.returncode:
        broken = Outcome(name, "broken", reason, time.monotonic() - begun)
        write_atomic(out / "state" / f"{name}.json", json.dumps(broken.as_json(), indent=1))
    return True


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")[:500]


def _environment(out: Path, small: bool) -> dict[str, str]:
    """In small two devices of this CPU and short measurements; else the CPU beside the device, to compare with."""
    changes = {
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
        "JAX_COMPILATION_CACHE_DIR": str(out.absolute() / "cache"),
    }
    platforms = os.environ.get("JAX_PLATFORMS", "")
    if small:
        changes |= {"JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "2", "SEMGJAX_BENCH_ROUNDS": "2"}
        # Compiling takes longer than what it compiles; a third of it is LLVM's optimisation.
        changes["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0".strip()
    elif platforms and "cpu" not in platforms.split(","):
        changes["JAX_PLATFORMS"] = f"{platforms},cpu"
    return {**os.environ, **changes}


_ABOUT = """
import importlib.metadata, json, pathlib, platform, jax
nvidia = pathlib.Path("/proc/driver/nvidia/version")
names = ("jax", "jaxlib", "jax-cuda12-plugin", "jax-cuda13-plugin", "libtpu", "torch", "semgjax")
found = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"] in names}
device = jax.devices()[0]
print(json.dumps({"platform": device.platform, "device": device.device_kind, "devices": jax.device_count(),
    "driver": (nvidia.read_text().splitlines()[0] + "; " if nvidia.exists() else "") + device.client.platform_version,
    "python": platform.python_version(),
    "versions": dict(sorted(found.items()))}))
"""


def _about(out: Path, small: bool) -> dict[str, Any]:
    """Device, driver and versions, asked for once and kept; another machine's results stay apart."""
    words = [sys.executable, "-c", _ABOUT]
    done = subprocess.run(words, cwd=ROOT, env=_environment(out, small), capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"JAX finds no device: {_last_line(done.stderr)}", "unreadable")
    about = {"small": small, **json.loads(done.stdout.splitlines()[-1])}
    file = out / "state" / "about.json"
    if file.exists():
        before = json.loads(file.read_text())
        differs = sorted(name for name in about if before.get(name) != about[name])
        if differs:
            raise InputError(
                f"{out}: holds results of another {', '.join(differs)} ({before.get(differs[0])}, here "
                f"{about[differs[0]]}); choose another --out",
                "conflict",
            )
    else:
        write_atomic(file, json.dumps(about, indent=1))
    return about
