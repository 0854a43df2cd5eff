"""The decoder of a run or an export, ready to stream."""

from pathlib import Path
from typing import TYPE_CHECKING

from semgjax.api.models import GREEDY, Model, load
from semgjax.decode.beam import make_beam_search
from semgjax.decode.beam_options import glyphs_of
from semgjax.evaluate.decoders import Decoder, read_model
from semgjax.streaming.feed import make_feed
from semgjax.streaming.live import LiveDecoder

if TYPE_CHECKING:
    from semgjax.api.runs import Export, Run

OPEN = 200
"""keys that a beam search may leave open"""


def live_decoder(
    place: "str | Path | Run | Export | Model", decoder: Decoder = GREEDY, most: int = OPEN
) -> LiveDecoder:
    """Load a decoder that streams, and bring it to the device.

    Args:
        place: as of `semgjax.load`, or what it gave.
        decoder: greedy, or a beam search with or without a language model.
        most: keys that a search may leave open; more are made final, oldest first.

    Raises:
        InputError: as `semgjax.load`; a network that cannot stream ("conflict"); a language model that does not fit.
    """
    model = place if isinstance(place, Model) else load(place)
    feed = make_feed(model.config, model.params)
    search = None
    if decoder.name == "beam":
        search = make_beam_search(decoder.beam, read_model(decoder, model.band), glyphs_of(model.band))
    return LiveDecoder(model.band, feed, model.config.emission_delay // model.config.stride, search, most)
