"""A folder of sessions and its split, loaded and checked: what training and evaluation work on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from semgjax.data.band import TYPING, Band, common_band
from semgjax.data.key_counts import KeyCounts, count_keys
from semgjax.data.measure import measure_of
from semgjax.data.people import one_person_warning, similar_users
from semgjax.data.sessions import Session, is_sharded, load_sessions
from semgjax.data.shards.shard_format import STORAGE
from semgjax.data.splitting.cut import first_samples, without_labels
from semgjax.data.splitting.origins import check_apart, recorded_hours
from semgjax.data.splitting.splits import PARTS, Split, read_split
from semgjax.errors import InputError
from semgjax.files import content_hash
from semgjax.measures import Measure


@dataclass(frozen=True)
class Corpus:
    """Sessions of each split part, in the split's order, and the hash of their content.

    Attributes:
        keys: part -> counts of its keys; where a split uses only the start of a session, the whole session is counted.
        warnings: one line each.
        unlabelled: sessions from which only a distilled run learns, without their labels if they have any.
    """

    train: tuple[Session, ...]
    val: tuple[Session, ...]
    test: tuple[Session, ...]
    hash: str
    keys: dict[str, KeyCounts]
    warnings: tuple[str, ...] = ()
    unlabelled: tuple[Session, ...] = ()

    def part(self, name: str) -> tuple[Session, ...]:
        """The sessions of "train", "val" or "test"."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    @property
    def train_users(self) -> int:
        """Number of users in the training part."""
        return len({session.user for session in self.train})

    @property
    def band(self) -> Band:
        """The band of all its sessions."""
        return self.train[0].band

    @property
    def train_hours(self) -> float:
        """Hours that were recorded for the training part; sessions spliced from one recording count once."""
        return recorded_hours((session.name, session) for session in self.train)

    @property
    def unlabelled_users(self) -> int:
        """Number of users in the unlabelled part who are not in the training part."""
        return len({session.user for session in self.unlabelled} - {session.user for session in self.train})

    @property
    def unlabelled_hours(self) -> float:
        """Hours that were recorded for the unlabelled part."""
        return recorded_hours((session.name, session) for session in self.unlabelled)

    @property
    def untrained(self) -> tuple[str, ...]:
        """Names of the classes that occur in the val or test part and never in the train part; none for keys."""
        classes = self.band.classes
        if classes is None:
            return ()
        trained, scored = (
            {int(label) for session in part for label in np.unique(session.labels)}
            for part in (self.train, (*self.val, *self.test))
        )
        return tuple(classes[label] for label in sorted(scored - trained))

    @property
    def spliced(self) -> bool:
        """Whether sessions of the val or test part are real signals in a made-up order."""
        return any(session.spliced for session in (*self.val, *self.test))


def read_band(folder: Path, split_file: Path | None = None) -> Band:
    """The band of the first session of a split; `load_corpus` checks that it is that of all.

    A folder of HDF5 files holds typing sessions, of which none is opened.

    Raises:
        InputError: no such split or no such session.
    """
    if not is_sharded(folder):
        return TYPING
    split = read_split(split_path(folder, split_file))
    return common_band(load_sessions(folder, split.names[:1]))


def load_corpus(folder: Path, split_file: Path | None = None) -> Corpus:
    """Load the sessions that a split names (default: `folder`/splits.json) from HDF5 files or from shards.

    Raises:
        InputError: no sessions, no split, a damaged session, sessions that differ in electrodes, rate or classes
            ("mixed-bands"), a session without labels in a part that needs them ("no-labels"), or a train part without
            a key inside its signal ("no-keys").
    """
    path = split_path(folder, split_file)
    return corpus_of(folder, read_split(path), path)


def corpus_of(folder: Path, split: Split, path: Path) -> Corpus:
    """As `load_corpus`, of a split at hand.

    Args:
        path: what messages name as its source.

    Raises:
        InputError: as `load_corpus`.
    """
    names = split.names
    whole = {session.name: session for session in load_sessions(folder, names)}
    if whole:
        common_band(whole.values())
    check_apart(split, {session.name: session.origin or session.name for session in whole.values()}, path)
    sessions = {name: first_samples(whole[name], split.limits.get(name, whole[name].samples)) for name in names}
    parts = {part: tuple(sessions[name] for name in getattr(split, part)) for part in PARTS}
    _check_labels(path, parts)
    unlabelled = tuple(without_labels(sessions[name]) for name in split.unlabelled)
    if not parts["train"]:
        raise InputError(f"{path}: the train part is empty; write a split with training sessions", "no-sessions")
    measure = measure_of(parts["train"][0].band)
    keys = {part: _count(path, part, own, [whole[s.name] for s in own], measure) for part, own in parts.items()}
    faults = [f"{path}: {part}: {fault}" for part, counts in keys.items() for fault in counts.faults(measure)]
    same = map(one_person_warning, similar_users(session.user for session in whole.values()))
    warnings = (*faults, *same, *_met_test_users(path, parts, unlabelled))
    corpus = Corpus(**parts, hash=_content(split, sessions), keys=keys, warnings=warnings, unlabelled=unlabelled)
    if not corpus.untrained:
        return corpus
    unseen = f"{path}: {', '.join(corpus.untrained)}: in the val or test part, but never in the train part"
    return replace(corpus, warnings=(*corpus.warnings, f"{unseen}, so no decoder can learn it"))


def split_path(folder: Path, split_file: Path | None) -> Path:
    """The split file that was given, or the one in the folder.

    Raises:
        InputError: none was given, and the folder has none.
    """
    path = split_file or folder / "splits.json"
    if split_file is None and folder.is_dir() and not path.is_file():
        raise InputError(
            f"{path}: no such file; write one with: semgjax data splits {folder} --test-users N", "no-file"
        )
    return path


def _check_labels(path: Path, parts: dict[str, tuple[Session, ...]]) -> None:
    """
    Raises:
        InputError: a session of one of these parts has no labels ("no-labels").
    """
    for part, sessions in parts.items():
        for session in sessions:
            if not session.labelled:
                raise InputError(
                    f"{path}: session {session.name!r} of {part} has no labels; move it to 'unlabelled'", "no-labels"
                )


def _met_test_users(path: Path, parts: dict[str, tuple[Session, ...]], unlabelled: Sequence[Session]) -> list[str]:
    """A warning where a distilled run meets people of its test who are not in training."""
    users = {part: {session.user for session in sessions} for part, sessions in parts.items()}
    met = ({session.user for session in unlabelled} & users["test"]) - users["train"]
    if not met:
        return []
    names = ", ".join(sorted(met)[:8])
    return [f"{path}: {len(met)} test users ({names}) have unlabelled sessions: a distilled run has met them"]


def _count(
    path: Path, part: str, sessions: tuple[Session, ...], whole: Sequence[Session], measure: Measure
) -> KeyCounts:
    """The counts of a part's keys.

    Raises:
        InputError: it is the train part and has no key inside its signal.
    """
    recorded = {s.origin or s.name: s for s in whole}.values()  # each order of a recording has all its events
    counts = (count_keys(s.key_first, s.key_last, s.samples, s.dropped, s.doubled) for s in recorded)
    total = sum(counts, KeyCounts())
    own = (count_keys(s.key_first, s.key_last, s.samples, {}, 0) for s in sessions)
    if part == "train" and not any(counts.inside for counts in own):
        raise InputError(
            f"{path}: the {len(sessions)} sessions of {part} have no {measure.thing} inside their signal "
            f"({total.outside} outside, {sum(total.dropped.values())} of no class); see semgjax data check",
            "no-keys",
        )
    return total


def _content(split: Split, sessions: dict[str, Session]) -> str:
    """Hash of names, lengths, users and labelled key presses; the same for a moved or renamed folder.

    Of unlabelled sessions the labels do not count. Shards hold a rounded signal, so their hash differs from that of
    the HDF5 files.
    """
    unlabelled = set(split.unlabelled)
    rows = {
        name: [
            s.user,
            s.samples,
            *([] if name in unlabelled else [hashlib.sha256(s.labels.tobytes() + s.key_first.tobytes()).hexdigest()]),
            *([STORAGE] if s.stored else []),
        ]
        for name, s in sessions.items()
    }
    return content_hash({"split": split.hash, "sessions": rows})
