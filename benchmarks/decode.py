"""`semgjax bench decode`: a frame of the beam search against flashlight-text's, on the same emissions and 6-gram.

Beam 50, 10 classes a frame, the 6-gram of random words, random typing of 98 keys; one session, and eight at a time. The
peer decodes one session; without flashlight-text (`pip install flashlight-text`) it is our own plain search. Medians of
calls in turn after one call each to warm up; the notes give the cores' time, which other work on the machine does not
stretch. SEMGJAX_BENCH_ROUNDS (default 7) is how many. SEMGJAX_BENCH_SMALL=1 takes a small model and few frames instead.
"""

import os
import statistics
import time
from collections.abc import Callable

import jax

from benchmarks._decode_model import model_of, random_typing, random_words
from benchmarks._decode_peer import peer_of
from benchmarks.measure import Comparison, medians
from semgjax.decode.backoff import compile_model
from semgjax.decode.beam import advance, begin, make_beam_search
from semgjax.decode.beam_options import BeamOptions


def run() -> dict[str, Comparison]:
    """All comparisons, in ms a frame of one session."""
    small = os.environ.get("SEMGJAX_BENCH_SMALL") == "1"
    rounds = int(os.environ.get("SEMGJAX_BENCH_ROUNDS", "7"))
    words, frames = random_words(200 if small else 8000), 16 if small else 512
    options, model = BeamOptions(), model_of(words)
    automaton = compile_model(model)
    search = make_beam_search(options, automaton)
    emissions = {rows: random_typing(words, rows, frames) for rows in (1, 8)}

    def decode(rows: int) -> Callable[[], object]:
        state = begin(search, rows)
        return lambda: jax.block_until_ready(advance(search, state, emissions[rows]))

    peer, peer_frames, name = peer_of(options, model, emissions[1][0])
    calls = [decode(1), decode(8), peer]
    for call in calls:
        call()
    counted = (frames, 8 * frames, peer_frames)
    one, eight, theirs = (1e3 * s / n for s, n in zip(medians(calls, rounds), counted, strict=True))
    busy = [1e3 * s / n for s, n in zip(map(_processor_seconds, calls), counted, strict=True)]
    size = f"beam {options.beam}, top {options.top}, 6-gram of {automaton.states:,} states"
    return {
        key: Comparison(
            ours,
            theirs,
            "ms",
            f"a frame of one of {rows} sessions, {size}, warm; {cores:.3f} ms of a core, peer {busy[2]:.3f}; {name}",
        )
        for key, ours, rows, cores in (
            ("decode.beam_frame", one, 1, busy[0]),
            ("decode.beam_frame.rows8", eight, 8, busy[1]),
        )
    }


def _processor_seconds(call: Callable[[], object]) -> float:
    """Median time of this process's cores in three calls."""
    seconds = []
    for _ in range(3):
        begun = time.process_time()
        call()
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds)
