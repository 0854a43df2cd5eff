"""Adapts a network to simulated people without labels, by every method and control, and counts the errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from analysis import taught_people, varied_plan
from analysis.adaptation_plan import Design, Piece, Where
from analysis.taught_plan import Design as Taught
from analysis.taught_plan import alone
from semgjax.adapting.few_steps import Adapters, Descent, make_adapters
from semgjax.adapting.head_frames import Hidden, frame_moments, make_hidden, match_head
from semgjax.adapting.pseudo_labels import PseudoLabels, confident_labels, random_labels, shuffled_labels
from semgjax.adapting.rolling_norm import Moments, channel_moments, pooled, roll_normalised
from semgjax.adapting.signal_only import Unlabelled, signal_of, windows_of
from semgjax.data.sessions import Session, load_sessions
from semgjax.data.simulate.session_names import session_name
from semgjax.decode.greedy import greedy
from semgjax.evaluate.error_rates import Counts, count_errors
from semgjax.evaluate.stitched import Forward, session_logits
from semgjax.evaluate.turns import TurnChoice, decode_turned, turn_order, turned_forward
from semgjax.model.encoder import Params
from semgjax.training.run_config import RunConfig
from semgjax.training.run_folder import load_finished

LEARNED = 16
"""training people whose first session gives the statistics of training"""

Errors = dict[Where, Counts]


@dataclass(frozen=True, eq=False)
class Base:
    """A trained network and the test people of its seed.

    Attributes:
        sessions: person -> both sessions, with labels, which only the counting of errors sees.
        signals: the same without labels: all that a method sees.
        channels, frames: statistics of training people's channels, and of the frames that the head reads.
    """

    design: Design
    seed: int
    config: RunConfig
    params: Params
    adapters: Adapters
    forward: Forward
    hidden: Hidden
    sessions: dict[str, tuple[Session, ...]]
    signals: dict[str, tuple[Unlabelled, ...]]
    channels: Moments
    frames: Moments

    def logits(self, params: Params, session: Unlabelled, forward: Forward | None = None) -> np.ndarray:
        """Emissions of a whole session [T, K]."""
        rest = (session, self.config.window, self.config.train.batch)
        return session_logits(forward or self.forward, self.config.model, params, *rest)

    def turn(self, session: Unlabelled) -> tuple[np.ndarray, TurnChoice]:
        """Emissions at the most confident turn, and that turn."""
        rest = (session, self.config.window, self.config.train.batch, self.design.most_turn)
        return decode_turned(self.forward, self.config.model, self.params, *rest)

    def frame_moments(self, session: Unlabelled) -> Moments:
        """Of the frames that the head reads."""
        return frame_moments(self.hidden, self.config.model, self.params, session, self.config.window, 8)


def load_base(out: Path, seed: int, design: Design) -> Base:
    """The network of a seed, trained if it is not there, and what it is tested on."""
    taught = Taught(seeds=(seed,))
    piece = alone(taught, seed, taught.crowd)
    taught_people.trained(piece, out, taught)
    config, params = load_finished(taught_people.run_folder(piece, out))
    people = varied_plan.people_folder(out, varied_plan.Design(users=(taught.crowd,), minutes=taught.minutes), seed)
    names = [session_name(seed, person, day) for person in range(varied_plan.TEST) for day in range(varied_plan.DAYS)]
    sessions: dict[str, tuple[Session, ...]] = {}
    for session in load_sessions(people, names):
        sessions[session.user] = (*sessions.get(session.user, ()), session)
    first = varied_plan.TEST + varied_plan.VAL
    learned = load_sessions(people, [session_name(seed, first + person, 0) for person in range(LEARNED)])
    adapters = make_adapters(config.model, config.window, Descent(design.steps, design.rate, design.batch, design.held))
    hidden = make_hidden(config.model, config.window)
    seen = [signal_of(session) for session in learned]
    return Base(
        design,
        seed,
        config,
        params,
        adapters,
        adapters.emissions,
        hidden,
        sessions,
        {who: tuple(map(signal_of, mine)) for who, mine in sessions.items()},
        pooled([channel_moments(session) for session in seen]),
        pooled([frame_moments(hidden, config.model, params, session, config.window, 8) for session in seen]),
    )


def simulated_errors(base: Base, piece: Piece) -> Errors:
    """Edit operations of a method for one person, adapted on each session in turn, and tested on both."""
    found: Errors = {"other": Counts(), "same": Counts()}
    own = base.signals[piece.person]
    for day, adapted_on in enumerate(own):
        read = _reader(base, piece, day, adapted_on)
        for place, session in enumerate(own):
            where: Where = "same" if place == day else "other"
            found[where] += count_errors(base.sessions[piece.person][place].labels, greedy(read(session)))
    return found


def _reader(base: Base, piece: Piece, day: int, signal: Unlabelled) -> Callable[[Unlabelled], np.ndarray]:
    """The decoder that a method makes of a session's signal: another session's signal -> emissions."""
    if piece.method == "turn":
        _, choice = base.turn(signal)
        forward = turned_forward(base.forward, turn_order(signal.band.rings, choice.turn))
        return lambda session: base.logits(base.params, session, forward)
    if piece.method == "rolling":
        start = channel_moments(signal)
        rest = (start, base.channels, base.design.seconds)
        return lambda session: base.logits(base.params, roll_normalised(session, *rest))
    params = adapted_params(base, piece, day, signal)
    return lambda session: base.logits(params, session)


def adapted_params(base: Base, piece: Piece, day: int, signal: Unlabelled) -> Params:
    """Parameters after a method that changes them."""
    seed = (base.seed, list(base.signals).index(piece.person), day)
    if piece.method == "nothing":
        return base.params
    if piece.method == "norms":
        return match_head(base.params, base.frame_moments(signal), base.frames)
    windows = windows_of(signal, base.config.window)
    if piece.method == "entropy":
        return base.adapters.minimise_entropy(base.params, windows, seed)
    return base.adapters.learn_labels(base.params, windows, _labels(base, piece, day, seed), seed)


def _labels(base: Base, piece: Piece, day: int, seed: Sequence[int]) -> PseudoLabels:
    own = _confident(base, piece.person, day)
    if piece.method == "confident":
        return own
    if piece.method == "random":
        return random_labels(own, seed)
    assert piece.method == "shuffled", piece.method
    people = list(base.signals)
    other = people[(people.index(piece.person) + 1) % len(people)]
    return shuffled_labels(own, _confident(base, other, day))


@cache
def _confident(base: Base, person: str, day: int) -> PseudoLabels:
    session = base.signals[person][day]
    windows = windows_of(session, base.config.window)
    logits = [np.asarray(base.forward(base.params, windows["emg"][w : w + 1], windows["valid"][w : w + 1]))
              for w in range(len(windows["emg"]))]  # fmt: skip
    return confident_labels(np.concatenate(logits), base.design.confident)
