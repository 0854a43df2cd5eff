"""A preset's network made to fit a band: channels, classes, sample rate, and frames that last as long as at 2 kHz."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

from semgjax.data.band import Band
from semgjax.errors import InputError
from semgjax.model.config import WIDEST, ModelConfig, TDSConfig
from semgjax.model.front import most_turns
from semgjax.model.kind import Network

LONGEST = 2.0
"""how many times as long as at 2 kHz a frame may become when the sample rate is too low for its length"""


def fit_to_band(network: Network, band: Band) -> Network:
    """A network for two wrists at 2 kHz, made to fit another band; for that band itself it stays as it is.

    Channels, classes (the blank last) and sample rate become the band's. Lengths in samples keep their seconds:

    * The strides of the transformer's convolutions are chosen so that a frame lasts as nearly as possible as long as
      before (10 ms in the paper's sizes, 20 ms in the ladder), each at most twice its share, and in proportions as near
      as possible to those before. Each kernel keeps its ratio to its stride, rounded up.
    * A frame of the power front end is rounded to samples, at least two. It reads the band's rings, and turns them by
      no more places than the smallest one has.
    * The hop of the baseline is rounded to samples in the same way, its spectra keep their ratio to the hop, and its
      masks over frequencies their share of the bins.
    * The emission delay keeps its seconds, rounded to frames. norm_seconds is in seconds anyway, and what is counted in
      frames (attention window, position kernel, time masks) keeps its number.

    A network from outside the package gets the band's channels and classes, and its rate if it has that field.

    Raises:
        InputError: a frame of one sample lasts more than twice as long as the network's frame, the baseline's rings
            differ in size, or the network has no field for what differs ("band-misfit").
    """
    if isinstance(network, ModelConfig):
        return _fit_transformer(network, band)
    if isinstance(network, TDSConfig):
        return _fit_baseline(network, band)
    return _changed(network, {"channels": band.channels, "classes": band.num_classes, "rate": band.rate})


def check_fits(network: Network, band: Band) -> None:
    """Check that a network takes a band's signal and emits its classes.

    Raises:
        InputError: it has other channels, classes, rings or another rate ("bad-value").
    """
    for name, wanted in (("channels", band.channels), ("classes", band.num_classes), ("rate", band.rate)):
        if getattr(network, name) != wanted:
            raise InputError(
                f"model.{name} {getattr(network, name):g} must be {wanted:g}, as in the data ({band})", "bad-value"
            )
    if isinstance(network, ModelConfig) and network.frontend == "power" and network.rings != band.rings:
        raise InputError(f"model.rings {network.rings} must be {band.rings}, as in the data ({band})", "bad-value")


def check_band(trained: Band, found: Band, who: str) -> None:
    """Check that sessions are of the band that a decoder was trained on.

    Args:
        who: the decoder, in the message.

    Raises:
        InputError: they differ in rings, rate or classes ("band-misfit").
    """
    if trained == found:
        return
    if (trained.rings, trained.rate) == (found.rings, found.rate):
        one, two = (", ".join(band.classes or ("the key set",)) for band in (found, trained))
        raise InputError(f"the sessions' classes are {one}; {who} has {two}: give sessions like its own", "band-misfit")
    raise InputError(f"the sessions have {found}; {who} has {trained}: give sessions like its own", "band-misfit")


def _fit_transformer(network: ModelConfig, band: Band) -> ModelConfig:
    frame = _frame_at(network, band)
    if network.frontend == "power":
        # A difference needs two samples.
        samples = max(2, round(frame))
        return dataclasses.replace(
            network,
            channels=band.channels,
            classes=band.num_classes,
            rate=band.rate,
            rings=band.rings,
            power_frame=samples,
            power_turns=min(network.power_turns, most_turns(band.rings)),
            emission_delay=_delay(network, band, samples),
        )
    strides = _strides(network.conv_strides, frame)
    kernels = [
        -(-kernel * new // old)
        for kernel, new, old in zip(network.conv_kernels, strides, network.conv_strides, strict=True)
    ]
    return dataclasses.replace(
        network,
        channels=band.channels,
        classes=band.num_classes,
        rate=band.rate,
        conv_strides=strides,
        conv_kernels=tuple(kernels),
        emission_delay=_delay(network, band, math.prod(strides)),
    )


def _fit_baseline(network: TDSConfig, band: Band) -> TDSConfig:
    if len(set(band.rings)) > 1:
        raise InputError(
            f"model: the baseline (tds) takes rings of equally many electrodes, not {band.rings}; choose another "
            "preset",
            "band-misfit",
        )
    hop = max(1, round(_frame_at(network, band)))
    points = network.points // network.hop * hop
    share = network.frequency_mask_length / (network.points // 2 + 1)
    return dataclasses.replace(
        network,
        channels=band.channels,
        classes=band.num_classes,
        rate=band.rate,
        bands=len(band.rings),
        hop=hop,
        points=points,
        frequency_mask_length=round(share * (points // 2 + 1)),
        emission_delay=_delay(network, band, hop),
    )


def _frame_at(network: Network, band: Band) -> float:
    """The network's frame in samples of the band, not rounded.

    Raises:
        InputError: a sample is more than LONGEST times as long, or the frame has more than WIDEST samples.
    """
    frame = network.stride * band.rate / network.rate
    if frame > WIDEST:
        raise InputError(
            f"model: a frame of {network.stride / network.rate * 1000:g} ms has {frame:g} samples at {band.rate:g} Hz, "
            f"more than {WIDEST}; is the sample rate right?",
            "band-misfit",
        )
    if frame * LONGEST < 1:
        raise InputError(
            f"model: a frame of {network.stride / network.rate * 1000:g} ms is too short for {band.rate:g} Hz, where a "
            f"sample lasts {1000 / band.rate:g} ms; choose a preset with longer frames, such as ladder-64",
            "band-misfit",
        )
    return frame


def _delay(network: Network, band: Band, frame: int) -> int:
    """The emission delay in samples of the band, a multiple of `frame`."""
    return round(network.emission_delay * band.rate / network.rate / frame) * frame


def _strides(strides: tuple[int, ...], frame: float) -> tuple[int, ...]:
    """Strides whose product is nearest to `frame` (as a ratio), in proportions nearest to the given ones."""
    share = (frame / math.prod(strides)) ** (1 / len(strides))
    most = [max(1, math.ceil(2 * stride * max(1.0, share))) for stride in strides]

    def distance(found: tuple[int, ...]) -> float:
        return sum(math.log(new / (old * share)) ** 2 for new, old in zip(found, strides, strict=True))

    for product in _nearest(frame):
        found = list(_factors(product, most))
        if found:
            return min(found, key=lambda one: (round(distance(one), 9), one))
    raise AssertionError("1 has factors")


def _nearest(frame: float) -> Iterator[int]:
    """Whole numbers from 1 up to twice `frame`, those nearest in ratio first."""
    most = max(1, math.ceil(2 * frame))
    yield from sorted(range(1, most + 1), key=lambda number: (abs(math.log(number / frame)), number))


def _factors(product: int, most: list[int]) -> Iterator[tuple[int, ...]]:
    """All ways to write `product` as a product of len(most) factors, each at most its limit."""
    if len(most) == 1:
        if product <= most[0]:
            yield (product,)
        return
    for first in range(1, min(product, most[0]) + 1):
        if product % first == 0:
            for rest in _factors(product // first, most[1:]):
                yield (first, *rest)


def _changed(network: Network, wanted: dict[str, Any]) -> Network:
    known = {field.name for field in dataclasses.fields(network)}  # type: ignore[arg-type]
    new = {name: value for name, value in wanted.items() if getattr(network, name) != value}
    for name, value in new.items():
        if name not in known:
            raise InputError(
                f"model: {type(network).__name__} has no field {name!r}, which the data need as {value:g}; add it, or "
                "choose another network",
                "band-misfit",
            )
    return dataclasses.replace(network, **new) if new else network  # type: ignore[type-var]
