"""The protocol of a network: what training, evaluation, export and the cost of a run ask of it, and nothing more."""

import abc
import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from semgjax.errors import InputError

if TYPE_CHECKING:
    import jax

    from semgjax.model.encoder import Operations, Params


class Network(abc.ABC):
    """Base class of a network: a frozen dataclass of its shape, whose methods are pure functions of it.

    A subclass has the fields `channels`, `classes` and `emission_delay`, and is made known by `register_network`.
    docs/guides/extend.md shows one. Importing this module imports no JAX.

    Attributes:
        NETWORK: the network's name in JSON ("network"); None only for the transformer, whose files have none.
        SHARDING: (pattern of a parameter's path, mesh axes of its last dimensions), before the general rules of
            semgjax.parallel.rules.
        STREAMS: whether all its mixing over time goes through `ops`, so that it can stream (semgjax.model.streaming).
        ATTENDS: whether engine.attention chooses the form of its attention.
        channels: electrodes.
        classes: keys, or a band's other classes, and the CTC blank.
        rate: samples a second of the input; a field only of a network that works at other rates than 2 kHz.
        emission_delay: samples after a key press at which its emission is expected; a multiple of `stride`.
        attention_window: frames on each allowed side that a query sees; None for all. Read only if ATTENDS.
    """

    NETWORK: ClassVar[str | None] = None
    SHARDING: ClassVar[tuple[tuple[str, tuple[str | None, ...]], ...]] = ()
    ATTENDS: ClassVar[bool] = False
    STREAMS: ClassVar[bool] = False
    rate = 2000.0

    if TYPE_CHECKING:
        channels: int
        classes: int
        emission_delay: int
        attention_window: int | None

    @property
    @abc.abstractmethod
    def stride(self) -> int:
        """Samples per frame."""

    @property
    def look_ahead(self) -> int | None:
        """Samples after a frame's last sample that its logits may depend on; None: the whole window."""
        return None

    @abc.abstractmethod
    def init(self, key: "jax.Array") -> "Params":
        """Fresh parameters: a nested dict of float32 arrays. Leaves named "kernel" have weight decay."""

    @abc.abstractmethod
    def apply(
        self,
        params: "Params",
        emg_BxTxC: "jax.Array",
        valid_BxT: "jax.Array",
        train_key: "jax.Array | None",
        remat: str,
        rows_B: "jax.Array | None",
        ops: "Operations",
    ) -> "jax.Array":
        """Logits float32 [B, T / stride, classes]; frame t ends at sample (t + 1) stride - 1.

        Args:
            params: from `init`.
            emg_BxTxC: raw sEMG in the compute type; T is a multiple of `stride`.
            valid_BxT: False where the input is padding.
            train_key: random key of dropout and masks; None: neither.
            remat: engine.remat, what the backward pass recomputes.
            rows_B: each row's index in the whole batch, to fold into `train_key` (None: 0, 1, ...).
            ops: attention and convolutions in the form that suits the device.
        """

    def hidden(
        self,
        params: "Params",
        emg_BxTxC: "jax.Array",
        valid_BxT: "jax.Array",
        train_key: "jax.Array | None",
        remat: str,
        rows_B: "jax.Array | None",
        ops: "Operations",
    ) -> "tuple[jax.Array, jax.Array]":
        """The logits of `apply` and the frames after each layer [layers, B, T / stride, D]; the head reads the last.

        Optional: only distillation through hidden frames asks for it.

        Raises:
            InputError: this network does not offer it ("conflict").
        """
        raise InputError(
            f"network {self.NETWORK!r}: has no hidden frames to distil from or into; leave out intermediate and "
            "features, or give it a method `hidden` (docs/guides/extend.md)",
            "conflict",
        )

    @abc.abstractmethod
    def flops(self, samples: int) -> float:
        """Floating-point operations of the matrix products of a forward pass over `samples` samples."""

    @classmethod
    def kinds(cls) -> tuple[type["Network"], ...]:
        """All registered networks, as which a configuration is read."""
        return tuple(_KINDS)


K = TypeVar("K")
_KINDS: list[type[Network]] = []


def register_network(kind: type[Network]) -> type[Network]:
    """Make a network known, so that runs and exports of it can be read; returns it, as a decorator does.

    Raises:
        InputError: it is no frozen dataclass, or another one has its NETWORK ("conflict").
    """
    return register(kind, _KINDS, "NETWORK")


def register(kind: type[K], known: list[type[K]], tag: str) -> type[K]:
    """Add a frozen dataclass to a list in which the class attribute `tag` is unique.

    Raises:
        InputError: it is no frozen dataclass, or the list holds another of that name ("conflict").
    """
    where = f"{kind.__module__}.{kind.__qualname__}"
    if not dataclasses.is_dataclass(kind) or not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise InputError(f"{where}: must be a frozen dataclass", "conflict")
    name: Any = getattr(kind, tag)
    other = next((k for k in known if getattr(k, tag) == name), None)
    if other is not None and (other.__module__, other.__qualname__) != (kind.__module__, kind.__qualname__):
        raise InputError(
            f"{where}: {tag} {name!r} is that of {other.__module__}.{other.__qualname__}; choose another",
            "conflict",
        )
    known[:] = [k for k in known if k is not other] + [kind]
    return kind
