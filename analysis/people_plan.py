"""Which models the study of real people trains: folds of test people, nested draws of training people, and pieces."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from semgjax.data.splitting.splits import draw_key
from semgjax.errors import InputError


@dataclass(frozen=True)
class Draw:
    """People of one fold and seed.

    Attributes:
        order: training people; those of a smaller number are the first ones of it, so draws are nested.
        left_out: people who are neither trained on nor tested, so that all folds and seeds have as many to train on.
        test: people of the fold.
    """

    order: tuple[str, ...]
    left_out: tuple[str, ...]
    test: tuple[str, ...]


def folds_of(people: Collection[str], folds: int) -> tuple[tuple[str, ...], ...]:
    """Every person in one fold; sizes differ by one at most. The same for all seeds, so that seeds share test people.

    Raises:
        InputError: not 2 <= folds <= number of people.
    """
    if not 2 <= folds <= len(people):
        raise InputError(f"--folds {folds}: give 2 to {len(people)}, the number of people", "bad-value")
    ranked = sorted(people, key=lambda person: draw_key(0, "fold", person))
    return tuple(tuple(sorted(ranked[fold::folds])) for fold in range(folds))


def draw_people(people: Collection[str], fold: int, folds: int, seed: int, most: int) -> Draw:
    """Training and test people of a fold and a seed; most: largest number of training people.

    Raises:
        InputError: fewer than `most` people remain beside the fold.
    """
    test = folds_of(people, folds)[fold]
    rest = sorted(set(people) - set(test), key=lambda person: draw_key(seed, f"train {fold}", person))
    if len(rest) < most:
        raise InputError(
            f"--people {most}: {len(people)} people in {folds} folds leave {len(rest)} to train on; give fewer people "
            "or more folds",
            "bad-value",
        )
    return Draw(tuple(rest[:most]), tuple(sorted(rest[most:])), test)


@dataclass(frozen=True)
class Design:
    """What is varied, one input at a time, around the middle size and all data of the largest number of people.

    Attributes:
        people: numbers of training people.
        widths: of the network; middle: of the other curves; teacher and student: the largest and the smallest of them.
        repetitions: shares of each person's repetitions of a class, besides all of them.
        sessions: recorded sessions of each person.
        calibration: events of each class from a test person.
    """

    people: tuple[int, ...] = (1, 2, 4, 8, 16, 28)
    widths: tuple[int, ...] = (16, 32, 48, 96)
    middle: int = 48
    repetitions: tuple[float, ...] = (1 / 6, 1 / 3, 1 / 2)
    sessions: int = 2
    calibration: tuple[int, ...] = (1, 2, 3, 6)
    folds: int = 4
    seeds: int = 3

    def __post_init__(self) -> None:
        for name in ("people", "widths", "repetitions", "calibration"):
            values = getattr(self, name)
            if not values or list(values) != sorted(set(values)) or values[0] <= 0:
                raise InputError(f"--{name} {values}: give numbers above 0 in rising order", "bad-value")
        if self.middle not in self.widths:
            raise InputError(f"--middle {self.middle}: give one of --widths {self.widths}", "bad-value")
        if self.repetitions[-1] >= 1:
            raise InputError(f"--repetitions {self.repetitions[-1]}: give shares below 1; all are in it", "bad-value")
        for name in ("seeds", "sessions"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name} {getattr(self, name)}: give 1 or more", "bad-value")


@dataclass(frozen=True)
class Piece:
    """One model to be trained.

    Attributes:
        people: number of training people.
        width: of the network.
        sessions: recorded sessions of each training person that are used.
        repetitions: share of each person's repetitions of a class that is used, in (0, 1].
        teacher: width of the teacher, trained on the same people; 0: none.
        aligned: training sessions are turned to each other first.
    """

    fold: int
    seed: int
    people: int
    width: int
    sessions: int
    repetitions: float = 1.0
    teacher: int = 0
    aligned: bool = True

    @property
    def name(self) -> str:
        """Unique among pieces; sorts by fold and seed."""
        taught = f"-t{self.teacher}" if self.teacher else "" if self.aligned else "-unaligned"
        return (
            f"f{self.fold}-s{self.seed}-p{self.people:02d}-w{self.width}"
            f"-n{self.sessions}-r{round(100 * self.repetitions):03d}{taught}"
        )


@dataclass(frozen=True)
class Calibration:
    """All models of one seed for the people of a fold: fine-tuned from the middle size's model, and trained alone."""

    fold: int
    seed: int

    @property
    def name(self) -> str:
        return f"f{self.fold}-s{self.seed}-calibration"


def pieces_of(design: Design) -> list[Piece]:
    """The models, those that others start from first; each configuration once."""
    most, middle = design.people[-1], design.middle
    found: list[Piece] = []
    for seed in range(design.seeds):
        for fold in range(design.folds):
            centre = Piece(fold, seed, most, middle, design.sessions)
            found += [centre, replace(centre, aligned=False)]
            found += [Piece(fold, seed, people, middle, design.sessions) for people in design.people[:-1]]
    for seed in range(design.seeds):
        for fold in range(design.folds):
            others = [width for width in design.widths if width != middle]
            found += [Piece(fold, seed, most, width, design.sessions) for width in reversed(others)]
            found.append(Piece(fold, seed, most, design.widths[0], design.sessions, teacher=design.widths[-1]))
    for seed in range(design.seeds):
        for fold in range(design.folds):
            found += [Piece(fold, seed, most, middle, design.sessions, share) for share in design.repetitions]
            found += [Piece(fold, seed, most, middle, sessions) for sessions in range(1, design.sessions)]
    return found


def calibrations_of(design: Design, seeds: int) -> list[Calibration]:
    """Calibration for the first `seeds` seeds."""
    return [Calibration(fold, seed) for seed in range(min(seeds, design.seeds)) for fold in range(design.folds)]


def needed_by(piece: Piece | Calibration, design: Design) -> Piece | None:
    """The model that a piece starts from or is taught by."""
    most = design.people[-1]
    if isinstance(piece, Calibration):
        return Piece(piece.fold, piece.seed, most, design.middle, design.sessions)
    return Piece(piece.fold, piece.seed, most, piece.teacher, design.sessions) if piece.teacher else None


def share_of(pieces: Sequence[Piece | Calibration], part: str) -> Iterator[Piece | Calibration]:
    """The pieces of part i of n, "i/n" from 1: all of one fold and seed belong together, since some need others.

    Raises:
        InputError: not a part.
    """
    i, slash, n = part.partition("/")
    if not (slash and i.isdecimal() and n.isdecimal() and 1 <= int(i) <= int(n)):
        raise InputError(f"--part {part}: give i/n with 1 <= i <= n, as 1/2", "bad-value")
    cells = sorted({(piece.seed, piece.fold) for piece in pieces})
    mine = set(cells[int(i) - 1 :: int(n)])
    return (piece for piece in pieces if (piece.seed, piece.fold) in mine)


def result_file(out: Path, piece: Piece | Calibration) -> Path:
    """Where the result of a piece is kept."""
    return out / "pieces" / f"{piece.name}.json"
