"""The decoder of a run or an export, ready to stream."""

from pathlib import Path
from typing import TYPE_CHECKING

from semgjax.api.models import GREEDY, Model, load
from semgjax.data.band import Band
from semgjax.decode.beam import make_beam_search
from semgjax.decode.beam_options import glyphs_of
from semgjax.evaluate.decoders import Decoder, read_model
from semgjax.exporting.export_forward import runtime_feed
from semgjax.streaming.feed import Feed, make_feed
from semgjax.streaming.live import LiveDecoder

if TYPE_CHECKING:
    from semgjax.api.runs import Export, Run

OPEN = 200
"""keys that a beam search may leave open"""
SPAN = 0.04
"""seconds of signal that are decoded at once, if frames are shorter"""


def live_decoder(
    place: "str | Path | Run | Export | Model", decoder: Decoder = GREEDY, most: int = OPEN
) -> LiveDecoder:
    """Load a decoder that streams, and bring it to the device.

    An export of a format that JAX has no parameters of is run by its own runtime.

    Args:
        place: as of `semgjax.load`, or what it gave.
        decoder: greedy, or a beam search with or without a language model.
        most: keys that a search may leave open; more are made final, oldest first.

    Raises:
        InputError: as `semgjax.load`; a network that cannot stream ("conflict"); a language model that does not fit.
    """
    feed, band, late = _of_model(place if isinstance(place, Model) else load(place))
    search = None
    if decoder.name == "beam":
        search = make_beam_search(decoder.beam, read_model(decoder, band), glyphs_of(band))
    return LiveDecoder(band, feed, late, search, most)


def _of_model(model: Model) -> tuple[Feed, Band, int]:
    if model.runtime is not None:
        feed = runtime_feed(model.runtime, model.source)
    else:
        frame = model.config.stride / model.band.rate
        feed = make_feed(model.config, model.params, next(n for n in (4, 2, 1) if n * frame <= max(SPAN, frame)))
    return feed, model.band, model.config.emission_delay // model.config.stride
