"""`semgjax.load`, `semgjax.init` and `Model`: a decoder with its parameters, from a run, an export or a preset."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import jax
import numpy as np
from numpy.typing import ArrayLike

from semgjax.api.evaluation import Evaluation, Ways, evaluate_sessions, of_users
from semgjax.data.band import LARGEST, TYPING, Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.corpus import Corpus, load_corpus
from semgjax.data.sessions import Session, session_of_array
from semgjax.data.trained_on import Names, names_from_json
from semgjax.decode.greedy import greedy
from semgjax.errors import InputError
from semgjax.evaluate.decoders import Decoder
from semgjax.evaluate.decoding import Emit, Mode, make_emit
from semgjax.evaluate.stitched import Forward, make_forward, session_logits
from semgjax.exporting.export_folder import load_export
from semgjax.exporting.export_forward import runtime_feed, runtime_forward
from semgjax.model import network
from semgjax.model.config import Network
from semgjax.model.encoder import Params
from semgjax.model.for_band import check_band, check_fits, fit_to_band
from semgjax.model.presets import preset
from semgjax.notebook import facts
from semgjax.parallel.runtime import is_first
from semgjax.runtime.about import MODEL
from semgjax.runtime.runtimes import Runtime
from semgjax.training.mirror import finished_folder
from semgjax.training.run_config import MOST_ROWS, recipe
from semgjax.training.run_folder import CONFIG, RESULT, load_finished, read_result

if TYPE_CHECKING:
    from semgjax.api.runs import Export, Run

BATCH = 16
"""windows per forward pass"""
GREEDY = Decoder()


class SessionsWarning(UserWarning):
    """Sessions are unusual but usable."""


def read_corpus(data: str | Path | Corpus, splits: str | Path | None) -> Corpus:
    """The sessions of a folder by its split; oddities become `SessionsWarning`s.

    Raises:
        InputError: no such folder or split, a session that cannot be used, or a split for a corpus that was read with
            its own ("conflict").
    """
    if isinstance(data, Corpus):
        if splits is not None:
            raise InputError(f"{splits}: the corpus was read with its own split; leave this one out", "conflict")
        return data
    corpus = load_corpus(Path(data), None if splits is None else Path(splits))
    show_warnings(corpus)
    return corpus


def show_warnings(corpus: Corpus) -> None:
    """Warn of a corpus's oddities, in the first process only."""
    if is_first():
        for line in corpus.warnings:
            warnings.warn(line, SessionsWarning, stacklevel=4)


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
        trained_on: sessions and users that it has learned from; None: not known.
        runtime: what runs an export of format onnx or litert, which has no params here; None: JAX does.
    """

    config: Network
    window: WindowSpec
    params: Params
    source: str
    preset: str
    band: Band = TYPING
    trained_on: Names | None = None
    runtime: Runtime | None = None

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
        data: str | Path | Corpus,
        split: Literal["train", "val", "test"] = "test",
        splits: str | Path | None = None,
        batch: int = BATCH,
        turns: int = 0,
        mode: Mode = "stitched",
        decoder: Decoder = GREEDY,
        users: Sequence[str] = (),
        lengths: bool = False,
    ) -> Evaluation:
        """Error rates on a part of a split, with intervals over users.

        Args:
            data: folder of sessions or shards; or its corpus, which several evaluations then share.
            split: which part of the split.
            splits: split file (default: splits.json in the folder).
            batch: windows per forward pass.
            turns: each session is decoded with its rings turned by -turns to turns places, and the result is that of
                the turn of which the decoder is most confident; labels take no part in the choice. 0: as recorded.
            mode: "stitched": whole sessions from windows with context, end to end; "windowed": every window by itself;
                "session": the whole session as one stream, for networks that can.
            decoder: greedy, or a beam search with or without a language model.
            users: evaluate these only; () for all.
            lengths: also read stretches of 4 to 60 s, each in one forward pass.

        Raises:
            InputError: no such data, part or user, an empty part, sessions of another band ("band-misfit"), turns that
                the rings do not have, a language model that does not fit, or a network that cannot stream ("conflict").

        Example:
            >>> evaluation = semgjax.load("runs/small").evaluate("shards", split="test")
            >>> evaluation.cer > 0
            True
        """
        check_batch(batch)
        if lengths and self.runtime is not None and self.runtime.samples is not None:
            raise InputError(
                f"{self.source}: its program takes windows of {self.runtime.samples} samples only; evaluate it without "
                "lengths, or evaluate the run",
                "conflict",
            )
        corpus = read_corpus(data, splits)
        sessions = self.sessions_of(corpus, split, users)
        ways = Ways(mode, decoder, batch, turns, lengths)
        found = evaluate_sessions(
            self.config, self.params, self.window, self.band, self._forward, self.emissions(mode, batch),
            self._stretches, sessions, split, ways, self.trained_on, corpus.hash,
        )  # fmt: skip
        if found.met and split == "test" and is_first():  # people of a val part are often known on purpose
            names = ", ".join(found.met[:5]) + (" ..." if len(found.met) > 5 else "")
            line = f"{self.source}: was trained on {len(found.met)} of the users of the {split} part: {names}"
            warnings.warn(line, SessionsWarning, stacklevel=2)
        if found.letters_outside and is_first():
            typed, keys = sum(found.letters_outside.values()), sum(len(session.labels) for session in sessions)
            line = (
                f"{decoder.lm}: lacks {len(found.letters_outside)} letters ({', '.join(found.letters_outside)}), which "
                f"end a word in it: {typed} of the {keys} keys of the {split} part"
            )
            warnings.warn(line, SessionsWarning, stacklevel=2)
        return found

    def sessions_of(self, corpus: Corpus, split: str, users: Sequence[str] = ()) -> Sequence[Session]:
        """The sessions of a part that this decoder can read.

        Raises:
            InputError: see `evaluate`.
        """
        if split not in ("train", "val", "test"):
            raise InputError(f"split {split!r}: choose train, val or test", "unknown-name")
        check_band(self.band, corpus.band, f"the {self.preset} decoder")
        sessions = corpus.part(split)
        if not sessions:
            raise InputError(f"the split's {split} part is empty; choose another split", "no-sessions")
        return of_users(sessions, users, split)

    def emissions(self, mode: Mode = "stitched", batch: int = BATCH) -> Emit:
        """What gives the emissions of each stretch of a session (`semgjax.evaluate.decoding`).

        Raises:
            InputError: a network that cannot do what the mode asks for ("conflict").
        """
        feed = None if self.runtime is None or mode != "session" else runtime_feed(self.runtime, self.source)
        return make_emit(self.config, self.params, self.window, batch, mode, self._forward, feed)

    def _stretches(self, samples: int) -> Emit:
        """What gives the emissions of stretches of a length, one at a time."""
        spec = replace(self.window, length=samples, stride=samples)
        forward = None if self.runtime is None else runtime_forward(self.config, spec, self.runtime)
        return make_emit(self.config, self.params, spec, 1, "windowed", forward)

    @cached_property
    def _forward(self) -> Forward:
        if self.runtime is not None:
            return runtime_forward(self.config, self.window, self.runtime)
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
            export = load_export(folder, programs=True)
            source = export.about.get("source", {})
            size = str(source.get("preset", "export"))
            met = _met(source, str(folder / MODEL))
            return Model(export.config, export.window, export.params, name, size, export.band, met, export.runtime)
        if (folder / CONFIG).is_file():
            config, params = load_finished(folder)
            met = _met(read_result(folder) or {}, str(folder / RESULT))
            return Model(config.model, config.window, params, name, config.preset, config.band, met)
        raise InputError(
            f"{folder}: is neither a run ({CONFIG}) nor an export ({MODEL}); give the folder of one", "no-file"
        )


def _met(about: dict[str, Any], where: str) -> Names | None:
    """What a decoder was trained on, if its file says so."""
    return names_from_json(about["trained_on"], where) if "trained_on" in about else None


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
        if not (np.abs(array) <= LARGEST).all():  # NaN neither
            raise InputError(
                f"emg holds values that are not finite or beyond {LARGEST:g}; repair the signal first", "not-finite"
            )
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
