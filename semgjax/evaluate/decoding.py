"""Sessions read by a decoder: stretches of windows or whole sessions, greedily or by a beam search."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from semgjax.data.batching.batches import eval_windows
from semgjax.data.batching.windows import WindowSpec, window_starts
from semgjax.data.sessions import Session, read_emg
from semgjax.decode.beam import BeamSearch, beam_search
from semgjax.decode.greedy import greedy_frames
from semgjax.decode.log_softmax import log_softmax
from semgjax.evaluate.reading import Reading
from semgjax.evaluate.stitched import Forward, make_forward, session_logits
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.streaming.feed import BLOCK, Feed, advance, begin, make_feed

Mode = Literal["stitched", "windowed", "session"]
"""stitched: emissions of adjacent windows, each with its context as in training, end to end, decoded together;
windowed: every window decoded by itself, without what follows the last full one; session: all of it as one stream"""
Decode = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, float | None]]
"""logits [T, K] -> labels [N], the frame of each [N], and the score of a search"""
Emit = Callable[[Session], Iterator[tuple[int, int, np.ndarray]]]
"""session -> (first sample, last sample + 1, logits [T, K]) of each stretch"""


def decode_greedily(logits_TxK: np.ndarray) -> tuple[np.ndarray, np.ndarray, float | None]:
    """The best class of every frame."""
    return *greedy_frames(logits_TxK), None


def decode_by(search: BeamSearch) -> Decode:
    """The best hypothesis of a beam search."""

    def decode(logits_TxK: np.ndarray) -> tuple[np.ndarray, np.ndarray, float | None]:
        found = beam_search(search, log_softmax(logits_TxK))[0]
        return found.labels, found.frames, found.score

    return decode


def make_emit(
    config: Network,
    params: Params,
    spec: WindowSpec,
    batch: int,
    mode: Mode,
    forward: Forward | None = None,
    feed: Feed | None = None,
) -> Emit:
    """What gives the emissions of each stretch of a session.

    Args:
        batch: windows per forward pass.
        forward: of the same network and windows (`make_forward`), if there is one already; unused with "session".
        feed: of the same network (`make_feed`), if there is one already; used with "session" only.

    Raises:
        InputError: with "session", a network that cannot stream ("conflict").
    """
    if mode == "session":
        return _streamed(config, feed or make_feed(config, params))
    forward = forward or make_forward(config, spec)
    if mode == "windowed":
        return _windowed(forward, params, apart(spec), batch)

    def stitched(session: Session) -> Iterator[tuple[int, int, np.ndarray]]:
        yield 0, session.samples, session_logits(forward, config, params, session, spec, batch)

    return stitched


def apart(spec: WindowSpec) -> WindowSpec:
    """The same windows side by side: no key is scored twice."""
    return replace(spec, stride=spec.length)


def _windowed(forward: Forward, params: Params, spec: WindowSpec, batch: int) -> Emit:
    def windowed(session: Session) -> Iterator[tuple[int, int, np.ndarray]]:
        for rows in eval_windows([session], spec, batch):
            logits_BxTxK = np.asarray(forward(params, rows["emg"], rows["valid"]))
            for which, start, logits_TxK in zip(rows["session"], rows["start"], logits_BxTxK, strict=True):
                if which >= 0:
                    yield int(start), int(start) + spec.length, logits_TxK

    return windowed


def _streamed(config: Network, feed: Feed) -> Emit:
    """The session from its first sample to its last, then as much silence as emissions come late."""
    late = config.emission_delay // config.stride

    def streamed(session: Session) -> Iterator[tuple[int, int, np.ndarray]]:
        frames = -(-session.samples // config.stride)
        state, found, size = begin(feed), [], BLOCK * config.stride
        for at in range(0, session.samples, size):
            state, log_probs = advance(feed, state, read_emg(session, at, min(at + size, session.samples)))
            found.append(log_probs)
        rest = (frames + late) * config.stride - session.samples
        silence = np.zeros((rest, config.channels), np.float32)
        found.append(advance(feed, state, silence, np.zeros(rest, bool))[1])
        yield 0, session.samples, np.concatenate(found)[late:]

    return streamed


def read_stretches(emit: Emit, decode: Decode, sessions: Iterable[Session], stride: int) -> Iterator[Reading]:
    """Every stretch of the sessions, decoded, beside what was typed in it.

    The keys of a whole session are all of its keys; those of a window are the keys of its core.

    Args:
        stride: samples a frame.
    """
    for session in sessions:
        for start, stop, logits_TxK in emit(session):
            output, frames, score = decode(logits_TxK)
            keys = _keys(session, start, stop)
            yield Reading(
                session=session.name,
                user=session.user,
                start=start,
                rate=float(session.rate),
                stride=stride,
                labels=session.labels[keys],
                samples=np.clip(session.key_first[keys], 0, session.samples).astype(np.int64),
                output=output,
                frames=frames,
                log_probs=log_softmax(logits_TxK),
                score=score,
            )


@dataclass(frozen=True)
class LeftOut:
    """Keys and seconds of sessions that lie in no window, and so are not scored."""

    keys: int = 0
    seconds: float = 0.0


def left_out(sessions: Iterable[Session], spec: WindowSpec) -> LeftOut:
    """What "windowed" leaves out: the end of each session, after its last full window.

    Keys before the first sample or after the last count as left out too.
    """
    keys, samples, seconds = 0, 0, 0.0
    for session in sessions:
        starts = window_starts(session.samples, apart(spec))
        stretches = [_keys(session, int(start), int(start) + spec.length) for start in starts]
        seen = {place for stretch in stretches for place in range(*stretch.indices(len(session.labels)))}
        keys += len(session.labels) - len(seen)
        samples = session.samples - (int(starts[-1]) + spec.length if len(starts) else 0)
        seconds += samples / session.rate
    return LeftOut(keys, seconds)


def _keys(session: Session, start: int, stop: int) -> slice:
    """The keys of a stretch; all of them for a whole session, also those that lie outside of its signal."""
    if (start, stop) == (0, session.samples):
        return slice(0, len(session.labels))
    first = int(np.searchsorted(session.key_last, start, "left"))
    return slice(first, int(np.searchsorted(session.key_first, stop - 1, "right")))
