"""`semgjax.stress` and `Robustness`: the errors of a decoder on signals that are worse than those recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semgjax.api.evaluation import Evaluation
from semgjax.api.models import BATCH, GREEDY, Model, check_batch, load, read_corpus
from semgjax.data.measure import measure_of
from semgjax.data.sessions import Session
from semgjax.errors import InputError
from semgjax.evaluate.decoders import Decoder, decode_of, read_model
from semgjax.evaluate.error_rates import Counts, count_errors
from semgjax.evaluate.spread import DRAWS, LEVEL
from semgjax.evaluate.stress.curve import SCHEMA, VERSION, Curve, Point, curve_json, point_of
from semgjax.evaluate.stress.stressing import count_stressed, curves_of, kinds_named, planned
from semgjax.measures import MEASURES
from semgjax.notebook import facts

if TYPE_CHECKING:
    from semgjax.api.runs import Export, Run


@dataclass(frozen=True, repr=False)
class Robustness:
    """Errors of a decoder on clean signals and under stress.

    Example:
        >>> found = semgjax.stress("runs/small", "shards", kinds=["turn"])
        >>> [point.words for point in found.curves[0].points]
        ['-2', '-1', '-0.5', '0.5', '1', '2']

    Attributes:
        clean: as `Model.evaluate` gives it.
        start: the clean error with its interval over users.
        curves: one of each kind of stress.
        source: origin of the decoder's parameters.
        seed: of all random numbers.
    """

    clean: Evaluation
    start: Point
    curves: tuple[Curve, ...]
    source: str
    seed: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values: the body of stress.json."""
        return {
            "model": self.source,
            **self.clean.as_json(),
            "seed": self.seed,
            "interval": {"level": LEVEL, "over": "users", "draws": DRAWS},
            "clean": {"error": self.start.error, "interval": self.start.interval, "users": self.start.users},
            "curves": [curve_json(curve) for curve in self.curves],
        }

    def save(self, folder: str | Path) -> list[Path]:
        """Write stress.json, stress.png and stress.html into a folder, which is made if it is missing; their paths.

        Raises:
            InputError: the place is a file, or cannot be written.
        """
        from semgjax.files import write_json
        from semgjax.pages.law_plot import save_figure
        from semgjax.pages.stress_page import stress_figure, write_page

        folder = Path(folder)
        check_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / f"stress.{ending}" for ending in ("png", "html", "json")]
        words = MEASURES[self.clean.metric].words
        save_figure(stress_figure(self.start, self.curves, words), paths[0])
        decoder = self.clean.decoder["name"]
        about = f"{self.source}, {decoder}, {self.clean.split} part, {self.clean.signals} sessions"
        write_page(self.start, self.curves, words, about, paths[1])
        write_json(paths[2], SCHEMA, VERSION, self.as_json())
        return paths

    def __repr__(self) -> str:
        """One line."""
        return f"Robustness({self.clean.split}: {len(self.curves)} kinds of stress, clean {self.start.error:.2f} %)"

    def _repr_html_(self) -> str:
        rows = [
            (f"{curve.kind} {point.words}", f"{point.error:.2f} % ({point.difference.mean:+.2f})")
            for curve in self.curves
            for point in curve.points
        ]
        return facts(repr(self), rows)


def stress(
    model: "Model | str | Path | Run | Export",
    data: str | Path,
    split: Literal["train", "val", "test"] = "test",
    splits: str | Path | None = None,
    kinds: Sequence[str] = (),
    batch: int = BATCH,
    seed: int = 0,
    decoder: Decoder = GREEDY,
) -> Robustness:
    """Error rates on whole sessions as they are, and with their signals made worse.

    Args:
        model: a decoder, or what `semgjax.load` takes.
        data: folder of sessions or shards.
        split: which part of the split.
        splits: split file (default: splits.json in the folder).
        kinds: names of kinds of stress, of `semgjax.evaluate.stress.kinds.NAMES`; () for all.
        batch: windows per forward pass.
        seed: of the random numbers; the same gives the same result.
        decoder: greedy, or a beam search with or without a language model.

    Raises:
        InputError: as `Model.evaluate`, an unknown kind ("unknown-name"), one that is named twice ("conflict"), or a
            part without keys ("no-keys").

    Example:
        >>> found = semgjax.stress("runs/small", "shards", kinds=["noise"])
        >>> found.clean.error_rate == found.start.error
        True
    """
    check_batch(batch)
    chosen = kinds_named(kinds)
    loaded = model if isinstance(model, Model) else load(model)
    corpus = read_corpus(data, splits)
    sessions = loaded.sessions_of(corpus, split)
    if not any(len(session.labels) for session in sessions):
        thing = measure_of(loaded.band).thing
        raise InputError(f"the split's {split} part holds no {thing}, so no error can grow; choose another", "no-keys")
    emit = loaded.emissions("stitched", batch)
    decode = decode_of(decoder, loaded.band, read_model(decoder, loaded.band))

    def count(session: Session) -> Counts:
        ((_, _, logits_TxK),) = emit(session)
        return count_errors(session.labels, decode(logits_TxK)[0])

    band, shortest = loaded.band, min(session.samples for session in sessions)
    plan = planned(chosen, band, shortest)
    evaluation = loaded.evaluate(corpus, split, batch=batch, decoder=decoder)
    clean, worse = evaluation.counts, count_stressed(sessions, plan, count, seed)
    start = point_of(None, "clean", clean, clean)
    return Robustness(evaluation, start, curves_of(plan, clean, worse, band, shortest), loaded.source, seed)


def check_folder(folder: Path) -> None:
    """Raises InputError: the place of the output is a file ("not-a-file")."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; give a folder for the results of the stress", "not-a-file")
