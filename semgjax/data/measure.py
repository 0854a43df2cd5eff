"""The error rate of decoders of a band's classes."""

from semgjax.data.band import Band
from semgjax.measures import CER as CER
from semgjax.measures import EVENT_ERROR_RATE as EVENT_ERROR_RATE
from semgjax.measures import MEASURES as MEASURES
from semgjax.measures import SPLICED as SPLICED
from semgjax.measures import Measure as Measure
from semgjax.measures import measure_in as measure_in
from semgjax.measures import rate_in as rate_in


def measure_of(band: Band) -> Measure:
    """The error rate of decoders of a band's classes."""
    return MEASURES[band.metric]
