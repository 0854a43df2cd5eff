"""`semgjax.train`, `distill`, `export` and `verify`, and the `Run` and `Export` that they return."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semgjax.api.changes import Options, chosen_engine, distill_options, members_of
from semgjax.api.evaluation import percent
from semgjax.api.models import Model, load, place_of, read_corpus
from semgjax.data.band import Band
from semgjax.data.batching.augment import AugmentConfig
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.corpus import Corpus, load_corpus, read_band
from semgjax.data.trained_on import held_out
from semgjax.distilling.cache import cached
from semgjax.distilling.ensemble import check_aligned
from semgjax.distilling.pairs import check_pair
from semgjax.distilling.teachers import Teacher, lineage_of, load_teacher, self_config, student_config
from semgjax.errors import InputError
from semgjax.exporting.export_run import export_run
from semgjax.exporting.verify import Verified, verify_export
from semgjax.files import read_json
from semgjax.losses.loss import Loss
from semgjax.measures import MEASURES, SPLICED, rate_in
from semgjax.model.config import Network
from semgjax.model.encoder import Params
from semgjax.notebook import facts
from semgjax.parallel.cores import use_cores
from semgjax.parallel.runtime import start_processes
from semgjax.personalising.base import load_base
from semgjax.personalising.further import begun_with, with_start
from semgjax.runtime.about import MODEL, SCHEMA, VERSION, Format
from semgjax.training.distill_config import SELF, DistillOptions
from semgjax.training.engine import Engine
from semgjax.training.lineage import NO_TEACHERS, Lineage
from semgjax.training.loop import train as run_training
from semgjax.training.mirror import finished_folder
from semgjax.training.run_config import OptimizerConfig, RunConfig, TrainConfig


@dataclass(frozen=True, repr=False)
class Run:
    """A finished run.

    Attributes:
        place: its folder or address.
        result: its result.json.
    """

    place: str
    result: dict[str, Any]

    @property
    def scores(self) -> list[dict[str, Any]]:
        """Error rates averaged over users, rows by split and averaging."""
        return list(self.result["scores"])

    def model(self) -> Model:
        """The run's decoder.

        Raises:
            InputError: the run is gone or damaged.
        """
        return load(self.place)

    def __repr__(self) -> str:
        """One line."""
        rates = ", ".join(f"{row['split']} {self._words} {percent(rate_in(row))}" for row in self._macro)
        kind, name, size = (self.result[member] for member in ("kind", "preset", "params"))
        order = f"; {SPLICED}" if self.result["spliced"] else ""
        return f"Run({self.place}: {kind} {name}, {size:,} parameters; {rates}{order})"

    def _repr_html_(self) -> str:
        rows = [(f"{self._words}, {row['split']}", percent(rate_in(row))) for row in self._macro]
        rows += [("sessions", SPLICED)] if self.result["spliced"] else []
        result = self.result
        about = [(name, result[name]) for name in ("kind", "preset", "steps", "users")]
        size = [("params", f"{result['params']:,}"), ("hours", f"{result['hours']:.3g}")]
        return facts(f"Run {self.place}", [*about, *size, *rows])

    @property
    def _words(self) -> str:
        return MEASURES[self.result["metric"]].words

    @property
    def _macro(self) -> list[dict[str, Any]]:
        return [row for row in self.scores if row["averaging"] == "macro"]


@dataclass(frozen=True, repr=False)
class Export:
    """A run's parameters as files that need neither the run nor its configuration.

    Attributes:
        place: the folder.
        about: the content of its model.json.
        verified: recorded and measured scores, if it was evaluated again.
    """

    place: str
    about: dict[str, Any]
    verified: tuple[Verified, ...] = ()

    def model(self) -> Model:
        """The decoder, read from the export.

        Raises:
            InputError: the export is gone or damaged.
        """
        return load(self.place)

    def __repr__(self) -> str:
        """One line."""
        return f"Export({self.place}: {self.about['params']:,} parameters)"

    def _repr_html_(self) -> str:
        ahead = self.about["look_ahead_samples"]
        rows = {"parameters": f"{self.about['params']:,}", "look-ahead": "all" if ahead is None else f"{ahead} samples"}
        return facts(f"Export {self.place}", rows.items())


def train(
    preset_name: str | Network,
    /,
    data: str | Path,
    out: str | Path,
    *,
    splits: str | Path | None = None,
    model: Network | Options | None = None,
    window: WindowSpec | Options | None = None,
    augment: AugmentConfig | Options | str | None = None,
    optimizer: OptimizerConfig | Options | None = None,
    train: TrainConfig | Options | None = None,
    loss: Loss | None = None,
    init: "str | Path | Run | Export | None" = None,
    engine: Engine | Options | None = None,
) -> Run:
    """Train one decoder; after a stop, the same call resumes.

    Args:
        preset_name: tiny, small, large, keys-WIDTH, tds or a registered network's name. Its recipe gives every value
            that is not changed below. Or the configuration of a network (semgjax.model.kind), with the paper's recipe.
        data: folder of sessions or shards, of any band: a preset and its recipe are made to fit its electrodes, rate
            and classes (`semgjax.model.for_band`).
        out: run directory or address (gs://...), new or of this same run.
        splits: split file (default: splits.json in the folder).
        model, window, augment, optimizer, train: changes by name, as train={"steps": 300, "seed": 1}, or a whole
            configuration; the names are those of the options of `semgjax train`. augment may also be the name of a
            recipe: paper, baseline or robust.
        loss: what is minimised (semgjax.losses.loss; default: CTC).
        init: a finished run, or an export or import, with whose parameters the run begins in place of random ones. Its
            network must have the parameters of this one.
        engine: where and how the run executes; not part of the run's identity.

    Raises:
        InputError: an unknown name, a value out of range, or unusable data; nothing has been written then.
        Diverged, Preempted, Unsaved: see `semgjax.errors`; after the last two the same call resumes.

    Example:
        >>> run = semgjax.train("ladder-16", data="shards", out="runs/x", train={"steps": 2, "batch": 2})
        >>> run.result["steps"]
        2
    """
    members = members_of(preset_name, model, augment, optimizer, train, window, _band(data, splits))
    return _run(members | ({} if loss is None else {"loss": loss}), data, splits, out, engine, init=init)


def distill(
    teacher: str | Path | Run | Sequence[str | Path | Run],
    preset_name: str | Network,
    /,
    data: str | Path,
    out: str | Path,
    *,
    splits: str | Path | None = None,
    temperature: float | None = None,
    weight: float | None = None,
    key_boost: float | None = None,
    options: DistillOptions | Options | None = None,
    model: Network | Options | None = None,
    augment: AugmentConfig | Options | str | None = None,
    optimizer: OptimizerConfig | Options | None = None,
    train: TrainConfig | Options | None = None,
    init: "str | Path | Run | Export | None" = None,
    engine: Engine | Options | None = None,
) -> Run:
    """Train a student on a teacher's frame logits and the CTC loss; after a stop, the same call resumes.

    Args:
        teacher: the finished teacher: run directory, address, or what `train` returned. It also sets the windows.
            Several of them are an ensemble, whose probabilities are averaged. "self": the running average of the
            student's own parameters, which optimizer={"average": ...} asks for; the preset's recipe sets the windows.
        preset_name: size of the student, or the configuration of a network.
        temperature: divides both logits before the softmax (default: 1).
        weight: share of the KL term in the loss, in (0, 1]; the rest is CTC (default: 0.9).
        key_boost: extra weight of a frame in the KL term, times the teacher's probability that it is a key (default:
            20).
        options: further options of the loss, by name as options={"frames": "spikes", "delay": 2}, or a whole
            `DistillOptions`; docs/guides/distillation.md lists them.
        data, out, splits, model, augment, optimizer, train, init, engine: see `train`.

    Raises:
        InputError: see `train`; or student and teacher do not fit.

    Example:
        >>> short = {"steps": 2, "batch": 2}
        >>> student = semgjax.distill("runs/small", "ladder-16", data="shards", out="runs/y", train=short)
        >>> student.result["kind"]
        'distilled'
    """
    named = {"temperature": temperature, "weight": weight, "key_boost": key_boost}
    chosen = distill_options(options, {name: value for name, value in named.items() if value is not None})
    band, keeps = _band(data, splits), bool(chosen.cache)
    members = members_of(preset_name, model, augment, optimizer, train, None, band, keeps)
    return _run(members, data, splits, out, engine, (_places(teacher), chosen), init)


def export(
    run: str | Path | Run | Export,
    out: str | Path,
    *,
    format: Format = "orbax",
    int8: bool = False,
    licence: str = "",
    data: str | Path | None = None,
    splits: str | Path | None = None,
) -> Export:
    """Write a finished run's parameters as a self-contained export, or those of an export in another format.

    Args:
        run: run directory, or folder of an export or import that holds parameters; its address, or what `train`,
            `export` or `import_parameters` returned.
        out: new folder: model.json, a card and the files of the format.
        format: "orbax", "safetensors" (parameters by name), "stablehlo" (programs that JAX runs without semgjax),
            "onnx", or "litert" (experimental).
        int8: weights as int8, a quarter of the size; of formats onnx and litert.
        licence: of the parameters, one line for the card.
        data: folder of the run's sessions. If given, the files are compared with JAX on them, and the export is
            evaluated and refused if its scores differ from the run's.
        splits: split file of the run (default: splits.json in the folder).

    Raises:
        InputError: the run is not finished or damaged, `out` is taken, the network cannot be written in the format, its
            output differs from JAX's ("parity"), or the scores differ.

    Example:
        >>> semgjax.export("runs/small", "exports/small").model().preset
        'ladder-16'
    """
    found: list[Verified] = []

    _check_splits(data, splits)
    corpus = None if data is None else _corpus(data, splits)

    def check(written: Path) -> None:
        if corpus is not None:
            found.extend(verify_export(written, corpus))

    with finished_folder(place_of(run)) as folder:
        body = export_run(folder, Path(out), check, format, corpus, licence, int8)
    return Export(str(out), body, tuple(found))


def verify(place: str | Path | Export, data: str | Path, splits: str | Path | None = None) -> Export:
    """Evaluate an export on the sessions of its run and compare with the scores that it records.

    Args:
        place: folder of the export or its address.
        data: folder of the run's sessions.
        splits: split file of the run (default: splits.json in the folder).

    Raises:
        InputError: no export, other sessions, or scores that differ ("scores-differ").
    """
    with finished_folder(place_of(place)) as folder:
        rows = verify_export(folder, _corpus(data, splits))
        about = read_json(folder / MODEL, SCHEMA, VERSION, oldest=1)
    return Export(place_of(place), body_of(about), tuple(rows))


def _corpus(data: str | Path, splits: str | Path | None) -> Corpus:
    return load_corpus(Path(data), None if splits is None else Path(splits))


def _check_splits(data: str | Path | None, splits: str | Path | None) -> None:
    if splits is not None and data is None:
        raise InputError("splits: needs data, the sessions to verify on", "conflict")


def _band(data: str | Path, splits: str | Path | None) -> Band:
    return read_band(Path(data), None if splits is None else Path(splits))


def _run(
    members: dict[str, Any],
    data: str | Path,
    splits: str | Path | None,
    out: str | Path,
    engine: Engine | Options | None,
    teaching: tuple[tuple[str, ...], DistillOptions] | None = None,
    init: "str | Path | Run | Export | None" = None,
) -> Run:
    """Train to the end; `teaching` is the teachers' places (SELF: none), and how the student learns from them."""
    chosen = chosen_engine(engine)
    use_cores(members["train"].batch // members["train"].accumulate)
    start_processes(chosen.start, chosen.wait)
    teachers: list[Teacher] = []
    lineage = NO_TEACHERS
    if teaching is None or teaching[0] == (SELF,):
        corpus = read_corpus(data, splits)
        config = RunConfig(data=corpus.hash, **members)
        if teaching is not None:
            config = self_config(config, teaching[1])
    else:
        teachers = _load_teachers(teaching[0])
        first, *others = teachers
        check_pair(members["model"], members["band"], first.config)  # a clearer message than the windows'
        corpus = read_corpus(data, splits)
        supervised = RunConfig(data=corpus.hash, **(members | {"window": first.config.window}))
        distill = teaching[1].config(first.config.hash)
        config = student_config(supervised, first, distill, held_out(corpus), others)
        lineage = lineage_of(teachers, corpus, check_aligned(config, teachers, corpus.train) if others else ())
    base = None
    if init is not None:
        base, config, lineage = _start(place_of(init), config, corpus, lineage)
    pairs = tuple((one.config.model, one.params) for one in teachers)
    targets = cached(Path(data), config, pairs, corpus)
    end = run_training(config, corpus, str(out), () if targets else pairs, chosen, lineage, targets, base)
    return Run(str(out), body_of(end))


def _start(place: str, config: RunConfig, corpus: Corpus, lineage: Lineage) -> tuple[Params, RunConfig, Lineage]:
    """The parameters that a run begins with, the run that does, and what its result says of them."""
    with finished_folder(place) as folder:
        base = load_base(folder)
    begun = begun_with(base, config, place)
    return base.params, begun, with_start(lineage, base, begun, corpus, place)


def _load_teachers(places: tuple[str, ...]) -> list[Teacher]:
    """
    Raises:
        InputError: a run is missing, damaged or not finished, or two are the same one ("bad-value").
    """
    found: dict[str, tuple[str, Teacher]] = {}
    for place in places:
        with finished_folder(place) as folder:
            one = load_teacher(folder)
        if one.config.hash in found:
            raise InputError(
                f"teacher {place}: the same run as {found[one.config.hash][0]}; name every teacher once", "bad-value"
            )
        found[one.config.hash] = place, one
    return [one for _, one in found.values()]


def _places(teacher: str | Path | Run | Sequence[str | Path | Run]) -> tuple[str, ...]:
    """
    Raises:
        InputError: no teacher ("bad-value"), or further ones beside SELF ("conflict").
    """
    many = [teacher] if isinstance(teacher, str | Path | Run) else list(teacher)
    places = tuple(f"./{SELF}" if one == Path(SELF) else place_of(one) for one in many)
    if not places:
        raise InputError(f"teacher: none is named; give a run, several, or {SELF!r}", "bad-value")
    if SELF in places and len(places) > 1:
        raise InputError(f"teacher {SELF!r} cannot be one of several; name runs (a folder: ./{SELF})", "conflict")
    return places


def body_of(document: dict[str, Any]) -> dict[str, Any]:
    """A document without its schema and version, which it has only if it was read from a file."""
    return {name: value for name, value in document.items() if name not in ("schema", "version")}
