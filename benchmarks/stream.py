"""`semgjax bench stream`: the preset tiny as a stream, 32 channels at 2 kHz, on one core.

tiny streams as it is (causal, an attention window of 128 frames, rolling norms; 2.2 million parameters, random here).
`stream.RUNTIME.step` is the time of a frame's step in each runtime, against running a whole window again for every
frame. `stream.window` is that window against the length of a frame: above 1 it cannot keep pace. `stream.live.greedy`
and `stream.live.beam` are real-time factors of `semgjax stream` on one core, the signal sent by another process over
the Lab Streaming Layer, against what they may be. A runtime that is not installed is left out, and said on stderr.

SEMGJAX_BENCH_SECONDS (default 60) is the length of the live streams, SEMGJAX_BENCH_ROUNDS (default 300) the number of
steps. Needs the extra "stream"; Linux, which can keep a process on one core.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._stream_model import write_tiny
from benchmarks.measure import Comparison

GREEDY, BEAM = 0.2, 0.35
"""largest real-time factors"""


def run() -> dict[str, Comparison]:
    """Steps in ms a frame, and real-time factors."""
    seconds = float(os.environ.get("SEMGJAX_BENCH_SECONDS", "60"))
    core = max(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        exports = write_tiny(Path(folder))
        steps = _on_core(core, ["-m", "benchmarks._stream_steps", json.dumps(exports)])
        found = _steps(steps)
        for decoder, bound in (("greedy", GREEDY), ("beam", BEAM)):
            found[f"stream.live.{decoder}"] = _live(core, exports["jax"], decoder, seconds, bound)
    return found


def _steps(measured: dict) -> dict[str, Comparison]:
    window, frame = measured["window"]["median"], measured["frame"]
    found = {
        f"stream.{name}.step": Comparison(
            one["median"],
            window,
            "ms",
            f"for a frame of {frame:g} ms, {one['together']} at once (p99 {one['p99']:.2f} ms), one core; peer: the "
            "whole window again",
        )
        for name, one in measured.items()
        if name not in ("window", "frame")
    }
    note = (
        f"a window of {measured['window']['seconds']:g} s for every frame, against the frame's {frame:g} ms; one core"
    )
    return found | {"stream.window": Comparison(window, frame, "ms", note)}


def _live(core: int, export: str, decoder: str, seconds: float, bound: float) -> Comparison:
    name = f"bench-{os.getpid()}-{decoder}"
    sender = subprocess.Popen([sys.executable, "-m", "benchmarks._stream_sender", name, str(seconds)])
    try:
        words = ["-m", "semgjax", "stream", export, "--source", f"lsl:{name}", "--decoder", decoder, "--json"]
        summary = _on_core(core, [*words, "--wait", "30"])["summary"]
    finally:
        sender.kill()
        sender.wait()
    step, late = summary["step_ms"], summary["latency_ms"]
    note = (
        f"{summary['seconds']:.1f} s, 32 channels at 2 kHz by LSL, one core; dropped {summary['dropped']}; step median "
        f"{step['median']:.2f}, p99 {step['p99']:.2f} ms; latency median {late['median']:.1f}, p99 {late['p99']:.1f} "
        "ms; peer: what it may be"
    )
    return Comparison(summary["real_time_factor"], bound, "real-time factor", note)


def _on_core(core: int, words: list[str]) -> dict:
    """The last line that a Python process on one core prints, as JSON; its stderr is ours."""
    done = subprocess.run(
        ["taskset", "--cpu-list", str(core), sys.executable, *words], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])
