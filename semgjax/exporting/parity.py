"""Whether what was written gives what JAX gives: the largest difference of log probabilities on a signal."""

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
from semgjax.exporting.formats.write_format import BOUNDS, read_params
from semgjax.exporting.programs import offline_program, step_program
from semgjax.model import streaming
from semgjax.model.encoder import Params
from semgjax.model.kind import Network
from semgjax.runtime.about import Format
from semgjax.runtime.open_export import open_files

FRAMES = 300
"""of a stream that are compared, if the windows have so many"""
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
    """Bursts of noise that differ between electrodes, as muscles give; the seed is the hash of the parameters."""
    rng = np.random.default_rng(int(sha256[:16], 16))
    samples = _whole_frames(config, window.total)
    burst = max(1, round(0.1 * band.rate))
    shape = (_WINDOWS, -(-samples // burst), band.channels)
    level = np.repeat(rng.lognormal(0.0, 1.0, shape), burst, axis=1)[:, :samples]
    emg = (1e-5 * level * rng.normal(size=level.shape)).astype(np.float32)
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
    expected = [_forward(config)(params, emg[row : row + 1], valid[row : row + 1]) for row in range(len(emg))]
    step = None
    if kind in ("orbax", "safetensors"):
        written = jax.tree.map(np.asarray, read_params(kind, folder))
        found = [_forward(config)(written, emg[row : row + 1], valid[row : row + 1]) for row in range(len(emg))]
    else:
        runtime = open_files(folder, about)
        found = [runtime.offline(emg[row : row + 1], valid[row : row + 1]) for row in range(len(emg))]
        step = _step_difference(runtime, config, params, windows) if runtime.streams else None
    offline = max(float(np.abs(np.asarray(a) - np.asarray(b)).max()) for a, b in zip(found, expected, strict=True))
    bound, worst = BOUNDS[kind], max(offline, step or 0.0)
    if not worst <= bound:
        raise InputError(
            f"the {kind} files give log probabilities that differ from JAX's by {worst:.3g}, more than {bound:g}; "
            "nothing was written",
            "parity",
        )
    return {"on": windows.origin, "windows": len(emg), "offline": offline, "step": step, "bound": bound}


def _step_difference(runtime: Any, config: Network, params: Params, windows: Windows) -> float:
    """Largest difference over the steps of one stream of all windows end to end."""
    emg = windows.emg_BxTxC.reshape(1, -1, config.channels)
    valid = windows.valid_BxT.reshape(1, -1)
    ours: Any = streaming.begin(config)
    theirs, worst = runtime.begin(), 0.0
    for frame in range(min(FRAMES, emg.shape[1] // config.stride)):
        part = slice(frame * config.stride, (frame + 1) * config.stride)
        *ours, expected = _step(config)(params, *ours, emg[:, part], valid[:, part])
        theirs, found = runtime.step(theirs, emg[:, part], valid[:, part])
        worst = max(worst, float(np.abs(found - np.asarray(expected)).max()))
    return worst


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
