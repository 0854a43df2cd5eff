"""The decoder of an export on windows and on streams: by JAX, or by the runtime of a format of programs only."""

from typing import Any

import numpy as np

from semgjax.data.batching.windows import WindowSpec
from semgjax.errors import InputError
from semgjax.evaluate.stitched import Forward, core_frames, make_forward
from semgjax.exporting.export_folder import Export
from semgjax.model.kind import Network
from semgjax.runtime.runtimes import Runtime
from semgjax.streaming.feed import Feed, feed_of_steps


def forward_of(export: Export) -> Forward:
    """(params, emg [B, T, C], valid [B, 2]) -> emissions of the core, as `semgjax.evaluate.stitched.make_forward`."""
    if export.runtime is None:
        return make_forward(export.config, export.window)
    return runtime_forward(export.config, export.window, export.runtime)


def runtime_forward(config: Network, spec: WindowSpec, runtime: Runtime) -> Forward:
    """The same by a runtime; it has its own parameters, and its emissions are log probabilities."""

    def forward(params: Any, emg_BxTxC: Any, valid_Bx2: Any) -> Any:
        emg, span = np.asarray(emg_BxTxC, np.float32), np.asarray(valid_Bx2)
        index_T = np.arange(emg.shape[1])
        valid = (index_T[None, :] >= span[:, :1]) & (index_T[None, :] < span[:, 1:])
        return runtime.offline(emg, valid)[:, core_frames(config, spec)]

    return forward


def runtime_feed(runtime: Runtime, place: str) -> Feed:
    """The step of a runtime as a feed of chunks.

    Args:
        place: of the export, for the message.

    Raises:
        InputError: the decoder does not stream ("conflict").
    """
    if runtime.begin is None or runtime.step is None:
        raise InputError(f"{place}: the decoder does not stream ({runtime.about.get('no_stream')})", "conflict")
    return feed_of_steps(runtime.about, runtime.begin, runtime.step)
