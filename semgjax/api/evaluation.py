"""`Evaluation`: errors of a decoder on a part of a split, how they were counted, and how far other users may be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.measure import measure_of
from semgjax.data.sessions import Session
from semgjax.data.simulate.session_names import Signals, signals_of
from semgjax.data.trained_on import Names
from semgjax.decode.beam_options import glyphs_of
from semgjax.errors import InputError
from semgjax.evaluate.alignment import Pairs, align, joined
from semgjax.evaluate.breakdown import Breakdown, break_down
from semgjax.evaluate.decoders import Decoder, decode_of, letters_outside, read_model
from semgjax.evaluate.decoding import Emit, Mode, left_out, read_stretches
from semgjax.evaluate.error_rates import Counts, score_rows
from semgjax.evaluate.lengths import LengthPoint, length_sweep
from semgjax.evaluate.spread import Difference, macro_interval, paired_difference, pooled_interval
from semgjax.evaluate.stitched import Forward
from semgjax.evaluate.turns import TurnChoice, decode_turned
from semgjax.measures import MEASURES, SPLICED, rate_in
from semgjax.model.config import Network
from semgjax.model.encoder import Params
from semgjax.notebook import facts


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Errors of a decoder on a part of a split.

    Attributes:
        split: train, val or test.
        scores: rows averaged over users ("macro") and over keys ("pooled"): characters, substitutions, deletions,
            insertions, cer (percent; None without keys), and cer_std over users. Of classes that are no keys: events,
            event_error_rate and event_error_rate_std. A deletion is a key that the decoder missed, as in speech
            recognition; emg2qwerty calls it an insertion, and the other way round.
        users_scores: one row a user.
        metric: "cer" or "event_error_rate".
        spliced: whether the sessions are real signals in a made-up order.
        turns: session -> places by which each ring was turned before decoding, chosen without labels by the decoder's
            confidence; None if no turns were tried.
        mode: stitched, windowed or session (semgjax.evaluate.decoding).
        decoder: name and options.
        intervals: "macro" and "pooled" -> 95 % bootstrap interval over users, in percent; None with one user.
        met: users that the decoder was trained on; None if its run did not record them.
        left_out: keys and seconds after the last full window, which "windowed" does not score.
        breakdown: errors by key, hand, finger and row, latency and calibration.
        lengths: errors against the length of the stretch that is decoded at once, if they were asked for.
        data: hash of the sessions of all parts (`Corpus.hash`), as in the result of a run on them.
        signals: whether the sessions of this part are simulated or recorded, or some of each.
        letters_outside: small letters that the language model lacks -> how often they were typed.
    """

    split: str
    scores: list[dict[str, Any]]
    users_scores: list[dict[str, Any]]
    metric: str = "cer"
    spliced: bool = False
    turns: dict[str, tuple[int, ...]] | None = None
    mode: Mode = "stitched"
    decoder: dict[str, Any] = field(default_factory=lambda: {"name": "greedy"})
    intervals: dict[str, tuple[float, float] | None] = field(default_factory=dict)
    met: tuple[str, ...] | None = None
    left_out: dict[str, float] = field(default_factory=lambda: {"keys": 0, "seconds": 0.0})
    breakdown: Breakdown | None = None
    lengths: tuple[LengthPoint, ...] = ()
    data: str | None = None
    signals: Signals = "recorded"
    letters_outside: dict[str, int] = field(default_factory=dict)

    @property
    def error_rate(self) -> float | None:
        """The error rate in percent, averaged over users; None without keys or events."""
        return next((rate_in(row) for row in self.scores if row["averaging"] == "macro"), None)

    @property
    def cer(self) -> float | None:
        """Character error rate in percent, averaged over users; None without keys, or for classes that are no keys."""
        return self.error_rate if self.metric == "cer" else None

    @property
    def counts(self) -> dict[str, Counts]:
        """Edit operations of each user."""
        counted = MEASURES[self.metric].counted
        return {row["user"]: Counts(row[counted], *(row[name] for name in _EDITS)) for row in self.users_scores}

    def less(self, other: "Evaluation") -> Difference:
        """This error rate less another's, in percentage points, over users, each compared with itself.

        Raises:
            InputError: another part, mode, or other users or keys ("conflict"); no user has a key ("no-keys").
        """
        for name in ("split", "mode", "metric"):
            if getattr(self, name) != getattr(other, name):
                ours, theirs = getattr(self, name), getattr(other, name)
                raise InputError(f"{name}: {ours} here and {theirs} there; compare like with like", "conflict")
        return paired_difference(self.counts, other.counts, MEASURES[self.metric])

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        pooled = next(row for row in self.scores if row["averaging"] == "pooled")
        turns = {} if self.turns is None else {"turns": {"labels_used": False, "sessions": self.turns}}
        return {
            "split": self.split,
            "mode": self.mode,
            "decoder": self.decoder,
            "metric": self.metric,
            "spliced": self.spliced,
            "data": self.data,
            "signals": self.signals,
            "scores": self.scores,
            "users_scores": self.users_scores,
            "intervals": self.intervals,
            "trained_on_users": None if self.met is None else list(self.met),
            "left_out": self.left_out,
            "emg2qwerty_names": {"insertions": pooled["deletions"], "deletions": pooled["insertions"]},
            **({} if self.breakdown is None else {"breakdown": self.breakdown.as_json()}),
            **({"lengths": [asdict(point) for point in self.lengths]} if self.lengths else {}),
            **({"letters_outside": self.letters_outside} if self.letters_outside else {}),
            **turns,
        }

    def __repr__(self) -> str:
        """One line."""
        users, order = f"mean of {len(self.users_scores)} users", f"; {SPLICED}" if self.spliced else ""
        turns = "" if self.turns is None else "; turns chosen without labels"
        rate = f"{MEASURES[self.metric].words} {percent(self.error_rate)}"
        interval = self.intervals.get("macro")
        spread = "" if interval is None else f" [{interval[0]:.1f}, {interval[1]:.1f}]"
        return f"Evaluation({self.split}: {rate}{spread}, {users}{order}{turns})"

    def _repr_html_(self) -> str:
        rows = [(str(row.get("averaging") or row["user"]), row) for row in (*self.scores, *self.users_scores)]
        return facts(repr(self), [(name, percent(rate_in(row))) for name, row in rows])


_EDITS = ("substitutions", "deletions", "insertions")


@dataclass(frozen=True)
class Ways:
    """How sessions are read.

    Attributes:
        turns: places to either side by which rings are turned; 0: as recorded.
        lengths: also read stretches of several lengths.

    Raises:
        InputError: turns of stretches that are not stitched ("conflict").
    """

    mode: Mode = "stitched"
    decoder: Decoder = Decoder()
    batch: int = 16
    turns: int = 0
    lengths: bool = False

    def __post_init__(self) -> None:
        if self.mode not in ("stitched", "windowed", "session"):
            raise InputError(f"mode {self.mode!r}: choose stitched, windowed or session", "unknown-name")
        if self.turns and self.lengths:
            raise InputError(
                f"turns {self.turns}: stretches of several lengths are read as recorded; leave one out", "conflict"
            )
        if self.turns and self.mode != "stitched":
            raise InputError(f"mode {self.mode}: turns are tried on stitched sessions only; leave one out", "conflict")


def evaluate_sessions(
    config: Network,
    params: Params,
    window: WindowSpec,
    band: Band,
    forward: Forward,
    emit: Emit,
    stretches: Callable[[int], Emit],
    sessions: Sequence[Session],
    split: str,
    ways: Ways,
    trained_on: Names | None,
    data: str,
) -> Evaluation:
    """Decode sessions and count errors.

    Args:
        forward: of `make_forward`.
        emit: what gives the emissions in the mode of `ways`.
        stretches: the same for stretches of a number of samples (`length_sweep`).
        trained_on: what the decoder has learned from; None: not known.
        data: hash of the corpus that the sessions are of.

    Raises:
        InputError: a language model that does not fit, turns that the rings do not have, or a network that cannot do
            what the mode asks for.
    """
    model = read_model(ways.decoder, band)
    decode = decode_of(ways.decoder, band, model)
    choices: list[TurnChoice] = []
    if ways.turns:
        emit = _turned(forward, config, params, window, ways, choices)
    pairs = list[Pairs]()
    counts = {session.user: Counts() for session in sessions}
    for reading in read_stretches(emit, decode, sessions, config.stride):
        pairs.append(align(reading))
        counts[reading.user] += pairs[-1].counts
    measure = measure_of(band)
    name = ways.decoder.name
    lost = left_out(sessions, window) if ways.mode == "windowed" else None
    users = [counts[user] for user in sorted(counts)]
    return Evaluation(
        split,
        *score_rows(split, name, counts, measure),
        metric=measure.name,
        spliced=any(session.spliced for session in sessions),
        turns={choice.session: choice.turn for choice in choices} if ways.turns else None,
        mode=ways.mode,
        decoder=ways.decoder.as_json(),
        intervals={"macro": macro_interval(users), "pooled": pooled_interval(users)},
        met=None if trained_on is None else tuple(sorted((Names(users=frozenset(counts)) & trained_on).users)),
        left_out={"keys": lost.keys, "seconds": lost.seconds} if lost else {"keys": 0, "seconds": 0.0},
        breakdown=break_down(joined(pairs), band, config.emission_delay, config.stride),
        lengths=tuple(length_sweep(stretches, decode, sessions, config.stride)) if ways.lengths else (),
        data=data,
        signals=signals_of(sessions),
        letters_outside={} if model is None else _presses(letters_outside(band, model), band, sessions),
    )


def _presses(letters: Sequence[str], band: Band, sessions: Sequence[Session]) -> dict[str, int]:
    """How often each letter was typed."""
    label_of = {glyph: label for label, glyph in enumerate(glyphs_of(band))}
    return {letter: sum(int((s.labels == label_of[letter]).sum()) for s in sessions) for letter in letters}


def _turned(
    forward: Forward, config: Network, params: Params, window: WindowSpec, ways: Ways, choices: list[TurnChoice]
) -> Emit:
    """Emissions at the most confident turn, which is added to `choices`."""

    def emit(session: Session):  # type: ignore[no-untyped-def]
        logits_TxK, choice = decode_turned(forward, config, params, session, window, ways.batch, ways.turns)
        choices.append(choice)
        yield 0, session.samples, logits_TxK

    return emit


def of_users(sessions: Sequence[Session], users: Sequence[str], split: str) -> Sequence[Session]:
    """The sessions of these users; all of them for ().

    Raises:
        InputError: a user has no session there ("unknown-name").
    """
    there = sorted({session.user for session in sessions})
    for user in users:
        if user not in there:
            shown = ", ".join(there[:10]) + (" ..." if len(there) > 10 else "")
            raise InputError(f"user {user!r}: has no session in the {split} part; choose of {shown}", "unknown-name")
    return [session for session in sessions if not users or session.user in users]


def percent(rate: float | None) -> str:
    """An error rate as text."""
    return "unknown (empty reference)" if rate is None else f"{rate:.2f} %"


def as_words(difference: Difference, names: Mapping[str, str]) -> str:
    """A paired difference as a sentence.

    Args:
        names: of "ours" and "other".
    """
    spread = "" if difference.interval is None else " [{:+.2f}, {:+.2f}]".format(*difference.interval)
    return (
        f"{names['ours']} less {names['other']}: {difference.mean:+.2f}{spread} points over {difference.users} users; "
        f"better on {difference.better}, worse on {difference.worse}"
    )
