"""The error rate of decoders of a band's classes."""

from semgjax.data.band import Band
from semgjax.measures import MEASURES, Measure


def measure_of(band: Band) -> Measure:
    """The error rate of decoders of a band's classes."""
    return MEASURES[band.metric]
