"""Parts of tests of live decoding: a small decoder whose text has many keys, and sources in memory."""

import dataclasses
import time

import jax
import numpy as np

from semgjax.data.band import TYPING, Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.exporting.export_folder import write_export
from semgjax.model import network
from semgjax.model.for_band import fit_to_band
from semgjax.model.presets import preset
from semgjax.streaming.feed import make_feed
from semgjax.streaming.live import LiveDecoder
from semgjax.streaming.sources.source import Described, Samples

SMALL = Band((8,), 200.0, ("fist", "open", "pinch"))
"""an armband of 8 electrodes at 200 Hz"""


def talkative(band=TYPING):
    """A network that streams and its parameters; its output changes a few times a second."""
    config = preset("keys-8")
    if band is not TYPING:
        config = fit_to_band(dataclasses.replace(preset("gesture-8"), emission_delay=400), band)
    params = network.init(config, jax.random.key(1))
    head = params["head"]
    head = {"kernel": 12 * head["kernel"], "bias": head["bias"].at[band.blank].set(6.0)}
    return config, {**params, "head": head}


def live(band=TYPING, together=1, **options):
    """A greedy decoder, or with search=... another."""
    config, params = talkative(band)
    return LiveDecoder(band, make_feed(config, params, together), config.emission_delay // config.stride, **options)


def write_talkative(folder, band=TYPING):
    """Its export."""
    config, params = talkative(band)
    write_export(config, WindowSpec(), band, params, {"preset": "talkative"}, folder)
    return folder


def signal(seconds, band=TYPING, seed=0):
    """Noise whose strength changes, float32 [samples, channels]."""
    random = np.random.default_rng(seed)
    samples = round(seconds * band.rate)
    parts = -(-samples // round(band.rate / 5))
    loud = np.repeat(np.exp(random.normal(size=(parts, band.channels))), round(band.rate / 5), axis=0)[:samples]
    return (20 * loud * random.normal(size=(samples, band.channels))).astype(np.float32)


class ListSource:
    """A source of given samples: arrays that follow each other, or whole `Samples`."""

    def __init__(self, parts, band=TYPING, live=False, rate=None):
        self._parts, self._about, self.live = list(parts), Described("list", rate or band.rate, band.channels), live
        self.closed = False

    def describe(self):
        return self._about

    def read(self):
        if not self._parts:
            return None
        part = self._parts.pop(0)
        if isinstance(part, Exception):
            raise part
        return part if isinstance(part, Samples) else Samples(part, None, None, time.monotonic())

    def clock_offset(self):
        return None

    def notes(self):
        return {}

    def close(self):
        self.closed = True


def text_of(updates):
    """What a listener received in all."""
    return "".join(update.committed for update in updates)
