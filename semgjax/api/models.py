"""`semgjax.load`, `semgjax.init` and `Model`: a decoder with its parameters, from a run, an export or a preset."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jax
import numpy as np
from numpy.typing import ArrayLike

from semgjax.data.band import TYPING, Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.corpus import Corpus, load_corpus
from semgjax.data.measure import measure_of
from semgjax.data.sessions import Session, session_of_array
from semgjax.decode.greedy import greedy
from semgjax.errors import InputError
from semgjax.evaluate.error_rates import score_rows
from semgjax.evaluate.stitched import Forward, evaluate_greedy, make_forward, session_logits
from semgjax.evaluate.turns import evaluate_turned
from semgjax.exporting.export_folder import MODEL, load_export
from semgjax.measures import MEASURES, SPLICED, rate_in
from semgjax.model import network
from semgjax.model.config import Network
from semgjax.model.encoder import Params
from semgjax.model.for_band import check_band, check_fits, fit_to_band
from semgjax.model.presets import preset
from semgjax.notebook import facts
from semgjax.parallel.runtime import is_first
from semgjax.training.mirror import finished_folder
from semgjax.training.run_config import MOST_ROWS, recipe
from semgjax.training.run_folder import CONFIG, load_finished

if TYPE_CHECKING:
    from semgjax.api.runs import Export, Run

BATCH = 16
"""windows per forward pass"""


class SessionsWarning(UserWarning):
    """Sessions are unusual but usable."""


def read_corpus(data: str | Path, splits: str | Path | None) -> Corpus:
    """The sessions of a folder by its split; oddities become `SessionsWarning`s.

    Raises:
        InputError: no such folder or split, or a session that cannot be used.
    """
    corpus = load_corpus(Path(data), None if splits is None else Path(splits))
    show_warnings(corpus)
    return corpus


def show_warnings(corpus: Corpus) -> None:
    """Warn of a corpus's oddities, in the first process only."""
    if is_first():
        for line in corpus.warnings:
            warnings.warn(line, SessionsWarning, stacklevel=4)


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Errors of a decoder on a part of a split.

    Attributes:
        split: train, val or test.
        scores: rows averaged over users ("macro") and over keys ("pooled"): characters, substitutions, deletions,
            insertions, cer (percent; None without keys), and cer_std over users. Of classes that are no keys: events,
            event_error_rate and event_error_rate_std.
        users_scores: one row a user.
        metric: "cer" or "event_error_rate".
        spliced: whether the sessions are real signals in a made-up order.
        turns: session -> places by which each ring was turned before decoding, chosen without labels by the decoder's
            confidence; None if no turns were tried.
    """

    split: str
    scores: list[dict[str, Any]]
    users_scores: list[dict[str, Any]]
    metric: str = "cer"
    spliced: bool = False
    turns: dict[str, tuple[int, ...]] | None = None

    @property
    def error_rate(self) -> float | None:
        """The error rate in percent, averaged over users; None without keys or events."""
        return next((rate_in(row) for row in self.scores if row["averaging"] == "macro"), None)

    @property
    def cer(self) -> float | None:
        """Character error rate in percent, averaged over users; None without keys, or for classes that are no keys."""
        return self.error_rate if self.metric == "cer" else None

    def __repr__(self) -> str:
        """One line."""
        users, order = f"mean of {len(self.users_scores)} users", f"; {SPLICED}" if self.spliced else ""
        turns = "" if self.turns is None else "; turns chosen without labels"
        rate = f"{MEASURES[self.metric].words} {percent(self.error_rate)}"
        return f"Evaluation({self.split}: {rate}, {users}{order}{turns})"

    def _repr_html_(self) -> str:
        rows = [(str(row.get("averaging") or row["user"]), row) for row in (*self.scores, *self.users_scores)]
        return facts(repr(self), [(name, percent(rate_in(row))) for name, row in rows])


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A decoder: its configuration, its windows, and its parameters.

    Attributes:
        config: the network's configuration; one frame is `config.stride` samples.
        window: how sessions are cut, in samples.
        band: electrodes, sample rate and classes of the sessions that it takes.
        params: nested dict of float32 arrays.
        source: origin of the parameters.
        preset: name of the size.
    """

    config: Network
    window: WindowSpec
    params: Params
    source: str
    preset: str
    band: Band = TYPING

    @property
    def parameters(self) -> int:
        """Number of parameters."""
        return network.count(self.config)

    def logits(self, emg: ArrayLike | Session, batch: int = BATCH) -> np.ndarray:
        """Logits of every frame, float32 [ceil(samples / stride), classes]; the last class is the CTC blank.

        The signal may have any length: it is cut into windows with context as in training.

        Args:
            emg: a session, or an array [samples, channels] at the band's rate in the unit of the training data.
            batch: windows per forward pass.

        Raises:
            InputError: another number of channels or another rate, no samples, or values that are not finite.

        Example:
            >>> semgjax.init("ladder-16", seed=0).logits(np.zeros((4000, 32))).shape
            (100, 99)
        """
        check_batch(batch)
        session = _checked(emg, self.band)
        return session_logits(self._forward, self.config, self.params, session, self.window, batch)

    def decode(self, emg: ArrayLike | Session, batch: int = BATCH) -> str:
        """The text that greedy CTC decoding reads from a session or an array, one glyph a key; arguments as `logits`.

        Of classes that are no keys: their names, separated by spaces.

        Raises:
            InputError: see `logits`.
        """
        return self.band.text(greedy(self.logits(emg, batch)))

    def evaluate(
        self,
        data: str | Path,
        split: Literal["train", "val", "test"] = "test",
        splits: str | Path | None = None,
        batch: int = BATCH,
        turns: int = 0,
    ) -> Evaluation:
        """Error rates of greedy decoding on whole sessions.

        Args:
            data: folder of sessions or shards.
            split: which part of the split.
            splits: split file (default: splits.json in the folder).
            batch: windows per forward pass.
            turns: each session is decoded with its rings turned by -turns to turns places, and the result is that of
                the turn of which the decoder is most confident; labels take no part in the choice. 0: as recorded.

        Raises:
            InputError: no such data, no such part, an empty one, sessions of another band ("band-misfit"), or turns
                that the rings do not have.

        Example:
            >>> evaluation = semgjax.load("runs/small").evaluate("shards", split="test")
            >>> evaluation.cer > 0
            True
        """
        check_batch(batch)
        if split not in ("train", "val", "test"):
            raise InputError(f"split {split!r}: choose train, val or test", "unknown-name")
        corpus = read_corpus(data, splits)
        check_band(self.band, corpus.band, f"the {self.preset} decoder")
        sessions = corpus.part(split)
        if not sessions:
            raise InputError(f"the split's {split} part is empty; choose another split", "no-sessions")
        chosen = None
        if turns:
            counts, choices = evaluate_turned(
                self._forward, self.config, self.params, sessions, self.window, batch, turns
            )
            chosen = {choice.session: choice.turn for choice in choices}
        else:
            counts = evaluate_greedy(self._forward, self.config, self.params, sessions, self.window, batch)
        measure, spliced = measure_of(self.band), any(session.spliced for session in sessions)
        return Evaluation(split, *score_rows(split, "greedy", counts, measure), measure.name, spliced, chosen)

    @cached_property
    def _forward(self) -> Forward:
        return make_forward(self.config, self.window)

    def __repr__(self) -> str:
        """One line."""
        return f"Model({self.preset}, {self.parameters:,} parameters, from {self.source})"

    def _repr_html_(self) -> str:
        window, rate = self.window, self.band.rate
        rows = {
            "band": str(self.band),
            "parameters": f"{self.parameters:,}",
            "window": f"{window.length / rate:g} s, with {window.left} samples before and {window.right} after",
            "frame": f"{self.config.stride} samples",
            "from": self.source,
        }
        return facts(f"Model {self.preset}", rows.items())


def load(place: "str | Path | Run | Export") -> Model:
    """The decoder of a finished run or of an export: its folder, its address (gs://...), or what the API returned.

    Raises:
        InputError: the place holds neither, the run is not finished, or a file is damaged.

    Example:
        >>> model = semgjax.load("runs/small")
        >>> text = model.decode(semgjax.load_session("s.hdf5"))
    """
    name = place_of(place)
    with finished_folder(name) as folder:
        if (folder / MODEL).is_file():
            export = load_export(folder)
            size = str(export.about.get("source", {}).get("preset", "export"))
            return Model(export.config, export.window, export.params, name, size, export.band)
        if (folder / CONFIG).is_file():
            config, params = load_finished(folder)
            return Model(config.model, config.window, params, name, config.preset, config.band)
        raise InputError(
            f"{folder}: is neither a run ({CONFIG}) nor an export ({MODEL}); give the folder of one", "no-file"
        )


def init(preset_name: str | Network, /, seed: int = 0, band: Band = TYPING) -> Model:
    """An untrained decoder of a preset (tiny, ladder-WIDTH, keys-WIDTH, gesture-WIDTH, tds, ...) or a configuration.

    Args:
        seed: seed of the parameters, as `train.seed` of a run.
        band: electrodes, sample rate and classes, which a preset is made to fit.

    Raises:
        InputError: no such preset, one that does not fit the band ("band-misfit"), or a seed outside [0, 2^32).

    Example:
        >>> semgjax.init("ladder-64", seed=0)
        Model(ladder-64, 223,507 parameters, from seed 0)
    """
    if isinstance(preset_name, str):
        config, window = fit_to_band(preset(preset_name), band), recipe(preset_name, band).window
    else:
        config, window = preset_name, WindowSpec()
        check_fits(config, band)
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise InputError(f"seed {seed}: give a whole number from 0 to {2**32 - 1}", "bad-value")
    params = network.init(config, jax.random.key(int(seed)))
    name = preset_name if isinstance(preset_name, str) else str(preset_name.NETWORK)
    return Model(config, window, params, f"seed {seed}", name, band)


def place_of(place: "str | Path | Run | Export") -> str:
    """The folder or address of a run or an export."""
    return str(place if isinstance(place, str | Path) else place.place)


def check_batch(batch: int) -> None:
    """Raises InputError: the batch is out of range."""
    if not 1 <= batch <= MOST_ROWS:
        raise InputError(f"batch {batch} must lie in 1 to {MOST_ROWS}", "bad-value")


def percent(rate: float | None) -> str:
    """An error rate as text."""
    return "unknown (empty reference)" if rate is None else f"{rate:.2f} %"


def _checked(emg: ArrayLike | Session, band: Band) -> Session:
    """The input as a session that fits the decoder.

    Raises:
        InputError: it does not fit.
    """
    if not isinstance(emg, Session):
        try:
            array = np.asarray(emg, np.float32)
        except (TypeError, ValueError) as error:
            raise InputError(f"emg cannot be read as an array of numbers ({error})", "bad-shape") from None
        if array.ndim != 2:
            raise InputError(f"emg has shape {array.shape}, expected [samples, {band.channels}]", "bad-shape")
        if not np.isfinite(array).all():
            raise InputError("emg holds values that are not finite; repair the signal first", "not-finite")
        if array.shape[1] != band.channels:
            raise InputError(f"emg has {array.shape[1]} channels; the decoder takes {band.channels}", "channel-count")
        emg = session_of_array(array, band)
    if (emg.channels, emg.rate) != (band.channels, band.rate):
        raise InputError(
            f"session {emg.name} has {emg.channels} channels at {emg.rate:g} Hz; the decoder takes {band.channels} at "
            f"{band.rate:g} Hz",
            "channel-count",
        )
    if not emg.samples:
        raise InputError(f"session {emg.name} has no samples", "bad-shape")
    return emg
