"""What configurations were before: the one table that keeps the files and the hashes of earlier runs valid.

The hash of a configuration covers the members of version 1, whatever their values, and a member added since where it
differs from the default that it was added with. So neither a new member nor a new default moves the hash of a run.
"""

from typing import Any

VERSION = 2
"""of config.json; version 1, whose hash covers all of its members, is read like it"""

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
"""class -> its members in version 1. Never edit: every hash there is rests on it."""

OLD_DEFAULTS: dict[str, Any] = {}
"""Changed defaults: "Class.member" -> the default, as JSON, that the member had in version 1 or was added with.

A file without the member was written while that default held and is read with it; the hash is measured from it.
Never remove or replace an entry: where a default changes twice, the first one stands.
"""


def first_members(kind: type) -> frozenset[str]:
    """The members that a class, or the class that it extends, had in version 1; none of a class made since."""
    return next(
        (frozenset(FIRST[base.__name__].split()) for base in kind.__mro__ if base.__name__ in FIRST), frozenset()
    )


def old_default(kind: type, member: str) -> tuple[Any, ...]:
    """(the default of before,) of a member whose default was changed, else ()."""
    names = (f"{base.__name__}.{member}" for base in kind.__mro__)
    return next(((OLD_DEFAULTS[name],) for name in names if name in OLD_DEFAULTS), ())
