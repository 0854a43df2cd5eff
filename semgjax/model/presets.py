"""Named configurations: the paper's sizes, ladders of small sizes for keys and gestures, and registered networks."""

import re

from semgjax.errors import InputError
from semgjax.model.config import ModelConfig, Network
from semgjax.model.front import WIDEST

PAPER = {
    # Sizes of "Scaling and Distilling Transformer Models for sEMG" (TMLR 2025), Table 1.
    "tiny": ModelConfig(dim=128, layers=10),
    "small": ModelConfig(dim=256, layers=6),
    "large": ModelConfig(dim=1024, layers=8),
}


def ladder(width: int) -> ModelConfig:
    """The ladder of small models: the width of the transformer determines depth, heads and front end.

    A frame is 20 ms, short enough for about 10 keys/s and long enough that a laptop trains a model in a minute.
    """
    if width < 16 or width % 8 or width > WIDEST:
        raise InputError(f"preset ladder-{width}: the width must be a multiple of 8 from 16 to {WIDEST}", "bad-value")
    front = max(32, 16 + width // 2)  # at least one filter per electrode
    head = next(size for size in (32, 16, 8) if width % size == 0)
    return ModelConfig(
        conv_widths=(front, front, width),
        conv_kernels=(10, 8, 4),
        conv_strides=(5, 4, 2),
        dim=width,
        layers=2 + width // 64,
        heads=width // head,
        position_kernel=16,
        position_groups=width // (16 if width % 16 == 0 else 8),
        attention_window=50,
        dropout=0.0,
        mask_share=0.0,
    )


def keys(width: int) -> ModelConfig:
    """The ladder of models of typing that read power: the width of the transformer determines depth, heads, front end.

    Its frames are those of `ladder`. From power, small models learn in about half the steps (docs/log.md), and sizes
    below those of `ladder` still differ. Lengths in samples are those at 2 kHz.
    """
    _check_width("keys", width)
    head, group = (next((size for size in sizes if width % size == 0), width) for sizes in ((32, 16, 8), (16, 8)))
    return ModelConfig(
        frontend="power",
        power_frame=40,
        power_width=width,
        power_turns=0,  # muscles lie about an electrode apart, and to a small model a turn is another finger
        norm_seconds=4.0,
        dim=width,
        layers=2 + width // 64,
        heads=width // head,
        position_kernel=16,
        position_groups=width // group,
        attention_window=50,
        dropout=0.0,
        mask_share=0.0,
    )


def gesture(width: int) -> ModelConfig:
    """The ladder of models of held gestures: the width of the transformer determines depth, heads and front end.

    A frame is 0.1 s, and the front end reads power: it learns from an hour of other people's recordings, where
    convolutions of the raw signal learn nothing (docs/log.md). Lengths in samples are those at 2 kHz.
    """
    _check_width("gesture", width)
    heads = width // next((size for size in (16, 8) if width % size == 0), width)
    return ModelConfig(
        frontend="power",
        power_frame=200,
        power_width=max(32, width),
        norm_seconds=10.0,  # several gestures and the rest between them
        dim=width,
        layers=2 + width // 64,
        heads=heads,
        position_kernel=8,
        position_groups=heads,
        attention_window=30,
        # People move half a second after they are asked to, and a gesture shows once it is held.
        emission_delay=1600,
        dropout=0.0,
        mask_share=0.0,
    )


def _check_width(name: str, width: int) -> None:
    if width < 6 or width % (2 if width < 16 else 8) or width > WIDEST:
        raise InputError(
            f"preset {name}-{width}: the width must be even from 6 to 14, or a multiple of 8 from 16 to {WIDEST}",
            "bad-value",
        )


def preset(name: str) -> Network:
    """The configuration of a name: tiny, small, large (the paper's), the ladders' sizes, or a registered one.

    The ladders' sizes are ladder-WIDTH, keys-WIDTH and gesture-WIDTH. A registered network (semgjax.model.kind) has its
    defaults; tds is emg2qwerty's baseline.

    Raises:
        InputError: no such preset ("unknown-name"), or a network with fields that have no default ("bad-value").
    """
    if name in PAPER:
        return PAPER[name]
    match = re.fullmatch(r"(ladder|keys|gesture)-(\d{1,6})", name, re.ASCII)
    if match is not None:
        return {"ladder": ladder, "keys": keys, "gesture": gesture}[match.group(1)](int(match.group(2)))
    registered: dict[str, type[Network]] = {kind.NETWORK: kind for kind in Network.kinds() if kind.NETWORK is not None}
    if name not in registered:
        raise InputError(
            f"preset {name!r} is unknown; choose {', '.join((*PAPER, *registered))}, ladder-WIDTH (such as "
            "ladder-64), keys-WIDTH or gesture-WIDTH, or import the module that registers it",
            "unknown-name",
        )
    try:
        return registered[name]()
    except TypeError as error:
        raise InputError(f"preset {name!r}: give every field of the network a default ({error})", "bad-value") from None
