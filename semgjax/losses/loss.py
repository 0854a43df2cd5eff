"""The protocol of a loss, and CTC, the default: a scalar to minimise and named sums for the log."""

import abc
import dataclasses
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from semgjax.config_json import to_json
from semgjax.errors import InputError
from semgjax.model.kind import register

if TYPE_CHECKING:
    import jax

    from semgjax.model.operations import CTCForm

    Batch = Mapping[str, jax.Array]
    Sums = dict[str, jax.Array]


class Loss(abc.ABC):
    """Base class of a loss: a frozen dataclass of its options, part of a run's configuration.

    It is made known by `register_loss`. docs/guides/extend.md shows one. Importing this module imports no JAX.

    Attributes:
        LOSS: the loss's name in JSON ("loss").
    """

    LOSS: ClassVar[str | None] = None

    @abc.abstractmethod
    def __call__(self, logits_BxTxK: "jax.Array", batch: "Batch", whole: "Batch") -> "tuple[jax.Array, Sums]":
        """The loss of a batch (float32 scalar) and named sums (scalars).

        With gradient accumulation a batch is computed in parts. The losses of all parts, and each of the sums, must
        add up to those of the whole batch: divide by counts of `whole`.

        Args:
            logits_BxTxK: the frames of each window's core.
            batch: labels int32 [B, N], label_count int32 [B], valid int32 [B, 2] and emg float32 [B, T, C]; of a
                distilled run with unlabelled sessions also labelled, bool [B]: other rows have no labels to count.
            whole: the batch that `batch` is a part of, or `batch` itself.
        """

    def in_form(self, form: "CTCForm") -> "Callable[..., tuple[jax.Array, Sums]]":
        """This loss, called as above, with CTC computed in a form (engine.ctc); by default it knows the scan alone.

        Raises:
            InputError: it does not compute CTC in that form ("conflict").
        """
        if form != "scan":
            name = type(self).__name__
            raise InputError(f"engine.ctc {form}: the loss {name} does not know that form; choose scan", "conflict")
        return self

    def metrics(self, totals: Mapping[str, float], steps: int) -> dict[str, float]:
        """Members of a line of metrics.jsonl from the sums, added up over `steps` steps; by default their means."""
        return {name: total / steps for name, total in totals.items()}

    def problem(self, totals: Mapping[str, float], limits: Any) -> str | None:
        """Why the run must stop, given sums added up over a log interval; None: continue.

        Args:
            limits: the run's semgjax.training.run_config.TrainConfig.
        """
        return None

    @classmethod
    def kinds(cls) -> tuple[type["Loss"], ...]:
        """All registered losses, as which a configuration is read."""
        return tuple(_KINDS)


_KINDS: list[type[Loss]] = []


def register_loss(kind: type[Loss]) -> type[Loss]:
    """Make a loss known, so that runs with it can be read; returns it, as a decorator does.

    Raises:
        InputError: it is no frozen dataclass, or another one has its LOSS ("conflict").
    """
    return register(kind, _KINDS, "LOSS")


def name_and_settings(loss: Loss) -> dict[str, Any]:
    """As JSON values: {"loss": its name}, and its options that differ from their defaults."""
    body = to_json(loss)
    for f in dataclasses.fields(loss):  # type: ignore[arg-type]
        made = f.default if f.default_factory is dataclasses.MISSING else f.default_factory()
        if made is not dataclasses.MISSING and getattr(loss, f.name) == made:
            del body[f.name]
    return body


def loss_text(loss: Loss) -> str:
    """The loss as one word of a table: ctc, or confidence-penalty(weight=0.05) with options that differ."""
    settings = name_and_settings(loss)
    name = settings.pop("loss", type(loss).__name__)
    listed = " ".join(f"{option}={json.dumps(value, ensure_ascii=False)}" for option, value in settings.items())
    return f"{name}({listed})" if listed else str(name)


@register_loss
@dataclass(frozen=True)
class CTC(Loss):
    """CTC loss per label (semgjax.losses.ctc). Rows with more labels than frames are left out and counted."""

    LOSS: ClassVar[str | None] = "ctc"

    def __call__(self, logits_BxTxK: "jax.Array", batch: "Batch", whole: "Batch") -> "tuple[jax.Array, Sums]":
        """Sums: ctc in nats, labels, rows, infeasible rows."""
        # Not at the top: reading a configuration needs no JAX.
        from semgjax.losses.ctc import ctc_per_label

        return ctc_per_label(logits_BxTxK, batch, whole)

    def in_form(self, form: "CTCForm") -> "Callable[..., tuple[jax.Array, Sums]]":
        """CTC in that form, of the same values; a loss made from this one has to override this too, or is a scan."""
        if form == "scan" or type(self).__call__ is not CTC.__call__:
            return super().in_form(form)
        from semgjax.losses.ctc import ctc_per_label

        return functools.partial(ctc_per_label, form=form)

    def metrics(self, totals: Mapping[str, float], steps: int) -> dict[str, float]:
        """ctc: nats per label; infeasible: share of the rows."""
        return {
            "ctc": totals["ctc"] / max(totals["labels"], 1.0),
            "infeasible": totals["infeasible"] / max(totals["rows"], 1.0),
        }

    def problem(self, totals: Mapping[str, float], limits: Any) -> str | None:
        """Too many windows have more labels than frames."""
        share, most = totals["infeasible"] / max(totals["rows"], 1.0), limits.max_infeasible
        if share <= most:
            return None
        return (
            f"{share:.1%} of the windows have more labels than frames (limit {most:.1%}); "
            "use a model with shorter frames"
        )
