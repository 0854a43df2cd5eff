"""History of the configurations: the table that keeps files and hashes of earlier runs valid.

The hash of a configuration covers the fields of version 1 and each later field that differs from the default that it
was added with. So neither a new field nor a new default changes the hash of a run.
"""

from typing import Any

VERSION = 2
"""version of config.json; version 1, whose hash covers all of its fields, is read in the same way"""

FIRST = {
    "RunConfig": "preset model data window augment optimizer train distill",
    "WindowSpec": "length stride left right",
    "AugmentConfig": "roll lag jitter scale silence noise hum dropout mask",
    "OptimizerConfig": "learning_rate schedule cooldown warmup decay beta1 beta2 clip average",
    "TrainConfig": "steps batch accumulate seed compute evaluate_every checkpoint_every log_every max_infeasible",
    "DistillConfig": "teacher temperature weight key_boost",
    "ModelConfig": "channels classes conv_widths conv_kernels conv_strides norm norm_seconds dim layers heads "
    "feedforward position_kernel position_groups causal attention_window emission_delay dropout mask_share mask_length",
    "TDSConfig": "channels classes points hop features conv_channels kernel emission_delay time_masks "
    "time_mask_length frequency_masks frequency_mask_length",
}
"""class -> its fields in version 1. Never edit it: all existing hashes depend on it."""

OLD_DEFAULTS: dict[str, Any] = {"DistillConfig.key_boost": 0.0}
"""Changed defaults: "Class.field" -> the default, as JSON, that the field had in version 1 or was added with.

A file without the field was written under that default and is read with it; the hash is relative to it. Never remove or
replace an entry: if a default changes twice, the first one remains.
"""


def first_members(kind: type) -> frozenset[str]:
    """The fields that a class, or a base of it, had in version 1; empty for a newer class."""
    return next(
        (frozenset(FIRST[base.__name__].split()) for base in kind.__mro__ if base.__name__ in FIRST), frozenset()
    )


def old_default(kind: type, member: str) -> tuple[Any, ...]:
    """(the earlier default,) of a field whose default was changed, else ()."""
    names = (f"{base.__name__}.{member}" for base in kind.__mro__)
    return next(((OLD_DEFAULTS[name],) for name in names if name in OLD_DEFAULTS), ())
