"""How far the search of each rung's learning rate is, and the trials that its results call for next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from semgjax.errors import InputError
from semgjax.measures import rate_in
from semgjax.sweep.plan import Sweep, Trial, trials_of_rung
from semgjax.sweep.rate_rungs import RateRung, Round, read_rounds, write_rounds
from semgjax.sweep.rate_search import DIVERGED, State, best_of, next_rates, state_of
from semgjax.sweep.trial import look, result_of
from semgjax.training.run_folder import claim

Errors = dict[float, float]
"""learning rate -> error in percent; `DIVERGED` where the run diverged"""


@dataclass(frozen=True)
class RungState:
    """Where the search of a rung stands.

    Attributes:
        state: "stopped": a trial of it failed, so that nothing follows; else as of the search at full length.
        tried: at full length, with the first seed.
        short: at part of the length.
        best: the best rate at full length; None before there is any.
        next: the round that follows; None while runs are not done, and at the end.
        reason: why it stopped.
    """

    rung: RateRung
    state: State | Literal["stopped"]
    tried: Errors
    short: Errors
    best: float | None
    next: Round | None
    reason: str = ""

    @property
    def text(self) -> str:
        """In words: bracketed, best 0.002 of 0.001, 0.002, 0.004."""
        tried, length = (self.tried, "") if self.tried else (self.short, " at part of the length")
        rates = ", ".join(f"{rate:g}{' (diverged)' if tried[rate] == DIVERGED else ''}" for rate in sorted(tried))
        best = f"best {self.best:g} of " if self.best is not None else ""
        words = {"edge": "at the edge", "stopped": f"stopped: {self.reason}"}.get(self.state, self.state)
        return f"{words}{f', {best}{rates}{length}' if tried else ''}"


def state_of_rung(sweep: Sweep, rung: RateRung) -> RungState:
    """Where a rung stands, from the results of its trials.

    Raises:
        InputError: a damaged file, or a result without an error rate to compare.
    """
    rounds = read_rounds(sweep.folder, rung)
    errors: dict[str, Errors] = {"short": {}, "full": {}, "seeds": {}}
    open_runs, failed = False, ""
    for trial in trials_of_rung(rung, rounds):
        status = look(sweep, trial)
        if status.state in ("failed", "damaged"):
            failed = failed or f"{trial.id} {'failed' if status.state == 'failed' else 'is damaged'}"
        elif status.state in ("done", "diverged"):
            result = None if status.state == "diverged" else result_of(sweep, trial)
            assert trial.stage is not None
            rate = trial.config.optimizer.learning_rate
            errors[trial.stage][rate] = DIVERGED if result is None else error_of(result, trial)
        else:
            open_runs = True
    short, tried = errors["short"], errors["full"]
    best = best_of(tried) if tried else None
    start = best_of(short) if short else rung.start
    state: State = "searching"
    following = None
    if not open_runs and not failed:
        following = _next_round(rung, rounds, short, tried)
    if tried and (rounds[-1].stage == "seeds" or not (open_runs or failed)):
        state = state_of(tried, rung.search, start)
    return RungState(rung, "stopped" if failed else state, tried, short, best, following, failed)


def states_of(sweep: Sweep) -> tuple[RungState, ...]:
    """Every rung's state; empty for a sweep that searches no rates."""
    return tuple(state_of_rung(sweep, rung) for rung in sweep.rungs)


def grow(sweep: Sweep, rungs: Sequence[RateRung]) -> tuple[Trial, ...]:
    """Decide the next round of each of `rungs` whose runs are done, and write it; the trials that are new.

    The same results give the same rounds, whatever the order in which they came.

    Raises:
        InputError: as `state_of_rung`.
    """
    found: list[Trial] = []
    for rung in rungs:
        following = state_of_rung(sweep, rung).next
        if following is None:
            continue
        rounds = (*read_rounds(sweep.folder, rung), following)
        new = [trial for trial in trials_of_rung(rung, rounds) if trial.round == len(rounds) - 1]
        write_rounds(sweep.folder, rung, rounds)
        for trial in new:
            claim(sweep.run_folder(trial), trial.config)
        found += new
    return tuple(found)


def error_of(result: dict[str, Any], trial: Trial) -> float:
    """The error rate in percent by which a run is compared: the validation users' mean, or else the test users'.

    Raises:
        InputError: the result has neither ("bad-field").
    """
    for split in ("val", "test"):
        for row in result["scores"]:
            rate = rate_in(row) if (row["split"], row["averaging"]) == (split, "macro") else None
            if rate is not None:
                return float(rate)
    raise InputError(
        f"{trial.id}: its result has no error rate to choose a learning rate by; give the split validation users who "
        "typed",
        "bad-field",
    )


def _next_round(rung: RateRung, rounds: Sequence[Round], short: Errors, tried: Errors) -> Round | None:
    seed, search = rung.config.train.seed, rung.search
    if rounds[-1].stage == "seeds":
        return None
    if rounds[-1].stage == "short":
        rates = next_rates(short, search, rung.start)
        if rates:
            return Round("short", rates, (seed,))
    start = best_of(short) if short else rung.start
    rates = next_rates(tried, search, start)
    if rates:
        return Round("full", rates, (seed,))
    best = best_of(tried)
    return Round("seeds", (best,), rung.seeds) if rung.seeds and tried[best] < DIVERGED else None
