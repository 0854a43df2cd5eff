"""Trains the models of the study of real people, each by the library's own loop, and tests them on unseen people."""

import dataclasses
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from analysis.discriminant import (
    Discriminant,
    Frames,
    align,
    fit_discriminant,
    frames_of,
    likeliest_turn,
    read_events,
    turned,
)
from analysis.event_choice import choose_events, keep_events
from analysis.people_plan import Design, Draw, Piece, draw_people, needed_by, result_file
from analysis.people_tables import BY_DECODER, BY_DISCRIMINANT, SCHEMA, VERSION, WORN
from semgjax.api.changes import members_of
from semgjax.data.band import Band, common_band
from semgjax.data.corpus import Corpus
from semgjax.data.key_counts import KeyCounts, count_keys
from semgjax.data.sessions import Session, load_sessions, read_emg
from semgjax.data.splitting.splits import draw_key
from semgjax.errors import InputError
from semgjax.evaluate.error_rates import Counts, count_errors
from semgjax.evaluate.stitched import evaluate_greedy, make_forward
from semgjax.evaluate.turns import evaluate_turned
from semgjax.files import content_hash, write_json
from semgjax.model.encoder import count_parameters
from semgjax.teachers import load_teacher, student_config
from semgjax.training.distill_config import DistillConfig
from semgjax.training.engine import Engine
from semgjax.training.loop import train
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import load_finished

TURNS = (0, 1, -1, 2, -2, 3, -3)
"""turns of the band that are tried, in electrodes; as worn first"""
ALIGNED_BY = 2
"""spliced sessions of each recorded training session that say how its band lies; all hold the same events"""
DECODER_TURNS = 2
"""turns to each side among which a decoder chooses"""


@dataclass(frozen=True)
class Setting:
    """How every model is trained and tested.

    Attributes:
        steps, batch: of every network.
        test_orders: spliced sessions of each recorded session that a test person is tested on.
        fine_steps, alone_steps, personal_batch: of the models calibrated to one person.
    """

    steps: int = 900
    batch: int = 32
    test_orders: int = 2
    fine_steps: int = 100
    alone_steps: int = 400
    personal_batch: int = 16


@dataclass(frozen=True, eq=False)
class People:
    """The spliced sessions of a folder, by person and recorded session.

    Attributes:
        orders: person -> recorded session -> its spliced sessions, ordered by name.
    """

    orders: dict[str, dict[str, tuple[Session, ...]]]
    band: Band

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The people."""
        return tuple(sorted(self.orders))


def read_people(folder: Path) -> People:
    """Open all spliced sessions of a folder.

    Raises:
        InputError: none, one that is not spliced, or sessions of several kinds.
    """
    found: dict[str, dict[str, list[Session]]] = {}
    sessions = load_sessions(folder)
    for session in sorted(sessions, key=lambda s: s.name):
        if not session.spliced or session.classes is None:
            raise InputError(
                f"{session.path}: session {session.name} is not spliced from events; make the folder with "
                "semgjax data splice",
                "bad-value",
            )
        found.setdefault(session.user, {}).setdefault(session.origin, []).append(session)
    orders = {person: {origin: tuple(mine) for origin, mine in recorded.items()} for person, recorded in found.items()}
    return People(orders, common_band(sessions))


def training_sessions(people: People, piece: Piece, draw: Draw, design: Design) -> tuple[list[Session], float]:
    """The spliced sessions that a piece trains on, and the hours of recording that they were made from.

    Raises:
        InputError: a person has fewer recorded sessions than the design wants.
    """
    chosen, hours = [], 0.0
    for person in draw.order[: piece.people]:
        recorded = people.orders[person]
        if len(recorded) < design.sessions:
            raise InputError(
                f"--sessions {design.sessions}: person {person} has {len(recorded)}; give fewer", "bad-value"
            )
        for origin in sorted(recorded, key=lambda name: draw_key(piece.seed, "recorded", name))[: piece.sessions]:
            orders = recorded[origin]
            events = choose_events(orders, piece.seed, share=piece.repetitions)
            chosen += [keep_events(session, events) for session in orders]
            hours += orders[0].origin_samples / orders[0].rate / 3600 * len(events) / len(orders[0].labels)
    return chosen, hours


def corpus_of(train: Sequence[Session]) -> Corpus:
    """Training sessions in memory as the library's training takes them; the hash is of names, labels and places.

    Test people are no part of it: they are scored here, turned and as worn.
    """
    rows = [
        [s.name, s.user, s.samples, hashlib.sha256(s.labels.tobytes() + s.key_first.tobytes()).hexdigest()]
        for s in train
    ]
    counts = sum((count_keys(s.key_first, s.key_last, s.samples, {}, 0) for s in train), KeyCounts())
    return Corpus(tuple(train), (), (), content_hash(rows), {"train": counts})


def run_config(width: int, corpus: Corpus, seed: int, steps: int, batch: int, **optimizer: float) -> RunConfig:
    """A gesture network of a width with its recipe."""
    lengths = {"steps": steps, "batch": batch, "seed": seed, "evaluate_every": steps, "checkpoint_every": steps}
    members = members_of(f"gesture-{width}", None, None, optimizer or None, lengths, band=corpus.band)
    return RunConfig(data=corpus.hash, **members)


def run_folder(out: Path, piece: Piece) -> Path:
    """The run directory of a piece."""
    return out / "runs" / piece.name


def run_piece(people: People, piece: Piece, design: Design, setting: Setting, out: Path) -> dict[str, Any]:
    """Train and test one model, and on the centre's people the discriminant; writes the piece's result.

    Raises:
        InputError: the teacher is not trained yet ("not-finished"), or see `semgjax.training.loop.train`.
    """
    began = time.monotonic()
    found = prepare(people, piece, design, setting)
    corpus = corpus_of(found.train)
    config = run_config(piece.width, corpus, piece.seed, setting.steps, setting.batch)
    source, teacher_params = None, None
    needed = needed_by(piece, design)
    if needed is not None:
        teacher = load_teacher(run_folder(out, needed))
        config = student_config(config, teacher, DistillConfig(teacher.config.hash))
        source, teacher_params = (teacher.config.model, teacher.params), count_parameters(teacher.params)
    folder = run_folder(out, piece)
    params = train(config, corpus, folder, source, Engine(keep_last=1, keep_best=False))["params"]
    plain = piece.teacher == 0 and piece.width == design.middle
    results = [{"method": "network", "params": params, **one} for one in test_network(folder, found, plain)]
    if plain and piece.aligned:
        results += test_discriminants(found.bands)
    body = {
        "run": piece.name,
        **{name: value for name, value in dataclasses.asdict(piece).items() if name != "teacher"},
        "hours": found.hours,
        "steps": setting.steps,
        "teacher_params": teacher_params,
        "spliced": all(session.spliced for session in corpus.train),
        "seconds": time.monotonic() - began,
        "results": results,
    }
    write_json(result_file(out, piece), SCHEMA, VERSION, body)
    return body


@dataclass(frozen=True, eq=False)
class Bands:
    """How bands lie on arms, and the discriminants that say so.

    Attributes:
        plain: the discriminant of the training sessions as worn: the baseline.
        aligned: that of the training sessions turned to each other.
        train: recorded training session -> its turn, found with labels.
        test: recorded test session -> the turn under which `aligned` finds it likeliest; no label is used.
        frames: recorded test session -> its frames as worn.
    """

    plain: Discriminant
    aligned: Discriminant
    train: Mapping[str, int]
    test: Mapping[str, int]
    frames: Mapping[str, Sequence[Frames]]


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a piece is trained and tested on.

    Attributes:
        train: turned to each other where the piece is aligned.
        hours: of recording, of the training sessions.
        test: recorded session of a test person -> the spliced sessions that it is tested on, as worn.
    """

    draw: Draw
    train: Sequence[Session]
    hours: float
    test: Mapping[str, Sequence[Session]]
    bands: Bands


def prepare(people: People, piece: Piece, design: Design, setting: Setting) -> Prepared:
    """Draw the people of a piece, choose its sessions and events, and align the bands.

    Raises:
        InputError: see `training_sessions`.
    """
    draw = draw_people(people.names, piece.fold, design.folds, piece.seed, design.people[-1])
    sessions, hours = training_sessions(people, piece, draw, design)
    tested = [(origin, orders) for person in draw.test for origin, orders in people.orders[person].items()]
    test = {origin: orders[: setting.test_orders] for origin, orders in tested}
    bands = align_bands(sessions, test, people.band.num_classes - 1)
    if piece.aligned:
        sessions = [turn_session(session, bands.train[session.origin]) for session in sessions]
    return Prepared(draw, sessions, hours, test, bands)


def align_bands(train: Sequence[Session], test: Mapping[str, Sequence[Session]], classes: int) -> Bands:
    """Turn the training sessions to each other, and choose the turns of the test sessions."""
    recorded: dict[str, list[Frames]] = {}
    for session in train:
        recorded.setdefault(session.origin, []).append(frames_of(session))
    plain = fit_discriminant([frames for orders in recorded.values() for frames in orders], classes)
    found, _ = align({origin: orders[:ALIGNED_BY] for origin, orders in recorded.items()}, classes, TURNS)
    aligned = fit_discriminant(
        [turned(frames, found[origin]) for origin, orders in recorded.items() for frames in orders], classes
    )
    frames = {origin: [frames_of(session) for session in orders] for origin, orders in test.items()}
    chosen = {origin: likeliest_turn(aligned, orders, TURNS) for origin, orders in frames.items()}
    return Bands(plain, aligned, found, chosen, frames)


def turn_session(session: Session, turn: int) -> Session:
    """A session whose band is turned by so many electrodes, in memory; 0 leaves it where it is."""
    if turn == 0:
        return session
    emg = np.roll(read_emg(session, 0, session.samples), turn, axis=1)
    return dataclasses.replace(session, stored=None, array=np.ascontiguousarray(emg))


def test_network(folder: Path, on: Prepared, by_decoder: bool) -> list[dict[str, Any]]:
    """Errors of a finished run on test sessions as worn, and with their turns chosen by the discriminant.

    by_decoder: also with those of each sequence chosen by the decoder itself (semgjax.evaluate.turns).
    """
    config, params = load_finished(folder)
    forward = make_forward(config.model, config.window)
    rest = (config.window, config.train.batch)
    found = []
    for turn, turn_of in ((WORN, dict.fromkeys(on.test, 0)), (BY_DISCRIMINANT, on.bands.test)):
        sessions = [turn_session(session, turn_of[origin]) for origin, orders in on.test.items() for session in orders]
        counts = evaluate_greedy(forward, config.model, params, sessions, *rest)
        found.append({"turn": turn, "persons": as_lists(counts)})
    if by_decoder:
        sessions = [session for orders in on.test.values() for session in orders]
        counts, _ = evaluate_turned(forward, config.model, params, sessions, *rest, DECODER_TURNS)
        found.append({"turn": BY_DECODER, "persons": as_lists(counts)})
    return found


def test_discriminants(bands: Bands) -> list[dict[str, Any]]:
    """Errors of the baseline as worn, and of the aligned discriminant with the turns that it chose."""
    as_worn = dict.fromkeys(bands.test, 0)
    found = []
    for turn, model, turn_of in ((WORN, bands.plain, as_worn), (BY_DISCRIMINANT, bands.aligned, bands.test)):
        counts: dict[str, Counts] = {}
        for origin, orders in bands.frames.items():
            for frames in orders:
                errors = count_errors(frames.labels, read_events(model, frames, turn_of[origin]))
                counts[frames.user] = counts.get(frames.user, Counts()) + errors
        found.append({"method": "discriminant", "params": model.params, "turn": turn, "persons": as_lists(counts)})
    return found


def as_lists(counts: dict[str, Counts]) -> dict[str, list[int]]:
    """Events, substitutions, deletions and insertions of each person."""
    return {person: list(dataclasses.astuple(found)) for person, found in counts.items()}
