"""Whether what was written gives what JAX gives: the largest difference of log probabilities on a signal."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec, read_window
from semgjax.data.corpus import Corpus
from semgjax.errors import InputError
from semgjax.exporting.exported_programs import offline_program, step_program
from semgjax.exporting.formats.write_format import BOUNDS, PROGRAMS_ONLY, read_params
from semgjax.model import streaming
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.runtime.about import Format
from semgjax.runtime.open_export import open_files

FRAMES = 300
"""of a stream that are compared, if the windows have so many"""
INT8_BOUND = 0.1
"""share of the probability that int8 weights may move to other classes: above it, the files are not those of the run"""
_WINDOWS = 2


@dataclass(frozen=True, eq=False)
class Windows:
    """Signal to compare on.

    Attributes:
        emg_BxTxC: float32, T a multiple of the network's stride.
        valid_BxT: bool.
        origin: what it is, for model.json and the card.
    """

    emg_BxTxC: np.ndarray
    valid_BxT: np.ndarray
    origin: str


def windows_of(config: Network, window: WindowSpec, corpus: Corpus) -> Windows:
    """The first windows of the test part, or of what the split has: real signal, and what lies before a session."""
    part = next(name for name in ("test", "val", "train") if corpus.part(name))
    session = corpus.part(part)[0]
    shape = (_WINDOWS, _whole_frames(config, window.total), session.channels)
    emg, valid = np.zeros(shape, np.float32), np.zeros(shape[:2], bool)
    for row in range(_WINDOWS):
        emg[row, : window.total], first, last = read_window(session, row * window.length, window)
        valid[row, first:last] = True
    return Windows(emg, valid, f"the first session of the {part} part")


def made_up(config: Network, band: Band, window: WindowSpec, sha256: str) -> Windows:
    """Bursts of noise that differ between electrodes, as muscles give, about as large as emg2qwerty's recordings.

    The seed is the hash of the parameters.
    """
    rng = np.random.default_rng(int(sha256[:16], 16))
    samples = _whole_frames(config, window.total)
    burst = max(1, round(0.1 * band.rate))
    shape = (_WINDOWS, -(-samples // burst), band.channels)
    level = np.repeat(rng.lognormal(0.0, 1.0, shape), burst, axis=1)[:, :samples]
    emg = (10.0 * level * rng.normal(size=level.shape)).astype(np.float32)
    valid = np.ones(emg.shape[:2], bool)
    valid[0, : window.left // 2] = False  # before a recording
    return Windows(emg * valid[..., None], valid, f"made-up noise, seed {sha256[:16]}")


def check_parity(
    kind: Format, folder: Path, about: dict[str, Any], config: Network, params: Params, windows: Windows
) -> dict[str, Any]:
    """Compare the files of an export with JAX; returns the member "parity" of model.json.

    On the processor also where there is an accelerator, whose matrix products may be of less precision than the bound.

    Raises:
        InputError: the largest difference is above the bound of the format ("parity").
    """
    with jax.default_device(_processor()):
        return _compare(kind, folder, about, config, jax.tree.map(np.asarray, params), windows)


def _compare(
    kind: Format, folder: Path, about: dict[str, Any], config: Network, params: Params, windows: Windows
) -> dict[str, Any]:
    emg, valid = windows.emg_BxTxC, windows.valid_BxT
    rows = [slice(row, row + 1) for row in range(len(emg))]
    expected = [_forward(config)(params, emg[row], valid[row]) for row in rows]
    step = None
    if kind in ("orbax", "safetensors"):
        written = jax.tree.map(np.asarray, read_params(kind, folder))
        found = [_forward(config)(written, emg[row], valid[row]) for row in rows]
    else:
        runtime = open_files(folder, about)
        found = [runtime.offline(emg[row], valid[row]) for row in rows]
        step = _streamed(runtime, config, params, windows) if runtime.streams else None
    offline = _apart(zip(found, expected, strict=True))
    if about.get("int8"):
        bound, worst = INT8_BOUND, _moved(zip(found, expected, strict=True))
        members = {"moved": worst}
        what, remedy = "a share of the probability on other classes than JAX", "; train it further with --train.int8"
    else:
        near = kind in PROGRAMS_ONLY
        compared = _relatively_apart if near else _apart
        worst = float(np.max([compared(pairs) for pairs in (zip(found, expected, strict=True), step or [])]))
        bound, members = BOUNDS[kind], {"relative": worst} if near else {}
        what, remedy = "log probabilities that differ from JAX's", ""
    if not worst <= bound:
        raise InputError(
            f"the {kind} files give {what}: {worst:.3g}, more than {bound:g}; nothing was written{remedy}", "parity"
        )
    streamed = None if step is None else _apart(step)
    return {"on": windows.origin, "windows": len(emg), "offline": offline, "step": streamed, "bound": bound, **members}


def _streamed(runtime: Any, config: Network, params: Params, windows: Windows) -> list[tuple[np.ndarray, np.ndarray]]:
    """What the runtime and JAX give for the steps of one stream of all windows end to end."""
    emg = windows.emg_BxTxC.reshape(1, -1, config.channels)
    valid = windows.valid_BxT.reshape(1, -1)
    ours: Any = streaming.begin(config)
    theirs, pairs = runtime.begin(), []
    for frame in range(min(FRAMES, emg.shape[1] // config.stride)):
        part = slice(frame * config.stride, (frame + 1) * config.stride)
        *ours, expected = _step(config)(params, *ours, emg[:, part], valid[:, part])
        theirs, found = runtime.step(theirs, emg[:, part], valid[:, part])
        pairs.append((np.asarray(found), np.asarray(expected)))
    return pairs


def _apart(pairs: Iterable[tuple[Any, Any]]) -> float:
    """The largest difference; NaN if there is one, which the `max` of Python may pass over."""
    return float(np.max([np.abs(np.asarray(found) - np.asarray(expected)).max() for found, expected in pairs] or [0.0]))


def _relatively_apart(pairs: Iterable[tuple[Any, Any]]) -> float:
    """The largest difference, relative to log probabilities below -1: next to -30, float32 has steps of 2e-6."""
    both = ((np.asarray(found), np.asarray(expected)) for found, expected in pairs)
    return float(np.max([(np.abs(x - y) / np.maximum(1.0, np.abs(y))).max() for x, y in both] or [0.0]))


def _moved(pairs: Iterable[tuple[Any, Any]]) -> float:
    """The share of the probability that lies on other classes, as a mean over frames (total variation)."""
    shares = [np.abs(np.exp(found) - np.exp(np.asarray(expected))).sum(axis=-1).mean() / 2 for found, expected in pairs]
    return float(np.mean(shares))


@cache
def _forward(config: Network) -> Any:
    return jax.jit(offline_program(config))


@cache
def _step(config: Network) -> Any:
    return jax.jit(step_program(config))


def _processor() -> jax.Device:
    """The processor, or the default device if JAX is kept from it (JAX_PLATFORMS)."""
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:
        return jax.local_devices()[0]


def _whole_frames(config: Network, samples: int) -> int:
    return -(-samples // config.stride) * config.stride
