"""Steps of exports as `semgjax stream` takes them, and a window again for every frame: prints milliseconds as JSON.

Run on one core: `taskset -c 0 python -m benchmarks._stream_steps '{"jax": FOLDER, ...}'`.
"""

import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np

from semgjax.api.live_decoders import live_decoder
from semgjax.api.models import load
from semgjax.evaluate.stitched import make_forward
from semgjax.streaming.feed import Feed, advance, begin


def main() -> None:
    """Measure in turn, after one call each to warm up."""
    exports = json.loads(sys.argv[1])
    rounds = int(os.environ.get("SEMGJAX_BENCH_ROUNDS", "300"))
    model = load(exports["jax"])
    random, stride = np.random.default_rng(0), model.config.stride
    feeds = {name: live_decoder(folder).feed for name, folder in exports.items()}
    calls = {name: _step(feed, random) for name, feed in feeds.items()}
    size = model.window.left + model.window.length + model.window.right
    forward = make_forward(model.config, model.window)
    emg = random.normal(size=(1, size, model.config.channels)).astype(np.float32)
    valid = np.array([[0, size]], np.int32)
    calls["window"] = lambda: np.asarray(forward(model.params, emg, valid))
    took: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for at in range(rounds):
        for name, call in calls.items():
            if name == "window" and at % 20:  # it is a hundred times slower
                continue
            begun = time.perf_counter()
            call()
            took[name].append(1e3 * (time.perf_counter() - begun))
    found: dict[str, object] = {
        name: {
            "median": float(np.median(took[name])) / feed.together,
            "p99": float(np.quantile(took[name], 0.99)),
            "together": feed.together,
        }
        for name, feed in feeds.items()
    }
    found["window"] = {"median": float(np.median(took["window"])), "seconds": size / model.band.rate}
    print(json.dumps(found | {"frame": 1e3 * stride / model.band.rate}))


def _step(feed: Feed, random: np.random.Generator) -> Callable[[], object]:
    """A call of one step of the stream."""
    emg = random.normal(size=(feed.unit, feed.channels)).astype(np.float32)
    state = begin(feed)

    def step() -> None:
        nonlocal state
        state, _ = advance(feed, state, emg)

    return step


if __name__ == "__main__":
    main()
