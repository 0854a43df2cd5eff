"""What decoding costs a second of signal: the whole signal at once, a window again for every frame, or a cached stream.

Operations are those of the matrix products, two per multiply-add, as each network counts them (`Network.flops`);
element-wise work comes on top. Bytes are what a pass must read and write once: parameters, signal, state and output in
float32, and a mask of valid samples in bytes; values between layers are taken to stay in a cache.
"""

from dataclasses import dataclass

from semgjax.model import network, streaming
from semgjax.model.kind import Network

_FLOAT = 4


@dataclass(frozen=True)
class Costs:
    """Costs of a decoder; rates are per second of signal.

    Attributes:
        parameters: their number; four bytes each.
        frames: emissions a second.
        state_bytes: of a stream, between two frames; None: the network does not stream.
        offline_operations, offline_bytes: a signal as long as a window, in one pass.
        window_operations, window_bytes: that pass again for every frame.
        stream_operations, stream_bytes: a step for every frame; None: the network does not stream.
    """

    parameters: int
    frames: float
    state_bytes: int | None
    offline_operations: float
    offline_bytes: float
    window_operations: float
    window_bytes: float
    stream_operations: float | None
    stream_bytes: float | None


def costs(config: Network, window: int) -> Costs:
    """The costs of a network; nothing is computed.

    Args:
        window: samples of a pass over a window, with its context; rounded up to whole frames.
    """
    samples = -(-window // config.stride) * config.stride
    frames = config.rate / config.stride
    parameters, seconds = network.count(config), samples / config.rate
    operations, moved = config.flops(samples), pass_bytes(config, samples)
    state = _state_bytes(config)
    return Costs(
        parameters=parameters,
        frames=frames,
        state_bytes=state,
        offline_operations=operations / seconds,
        offline_bytes=moved / seconds,
        window_operations=operations * frames,
        window_bytes=moved * frames,
        stream_operations=None if state is None else step_operations(config) * frames,
        stream_bytes=None if state is None else (pass_bytes(config, config.stride) + 2 * state) * frames,
    )


def pass_bytes(config: Network, samples: int) -> int:
    """Bytes of parameters, signal, mask and log probabilities of one row of `samples` samples."""
    values = network.count(config) + samples * config.channels + samples // config.stride * config.classes
    return _FLOAT * values + samples


def step_operations(config: Network) -> float:
    """Operations of one more frame once a signal is longer than all that a frame sees."""
    seen = getattr(config, "attention_window", None) or 1
    samples = 2 * seen * config.stride
    return config.flops(samples + config.stride) - config.flops(samples)


def _state_bytes(config: Network) -> int | None:
    if streaming.why_not(config) is not None:
        return None
    return sum(part.size * part.dtype.itemsize for part in streaming.state_shapes(config))
