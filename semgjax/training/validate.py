"""Error rates of a run's state: every process decodes its share of the sessions whole, and the counts are summed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple

import jax
import numpy as np
from jax.sharding import Mesh

from semgjax.data.sessions import Session
from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.stitched import Forward, evaluate_greedy, make_forward
from semgjax.model import encoder
from semgjax.parallel.mesh import bring_home, by_batch, local_mesh
from semgjax.parallel.runtime import from_all
from semgjax.training.run_config import RunConfig

Validate = Callable[[encoder.Params, Sequence[Session]], dict[str, Counts]]
"""(parameters as the step left them, sessions) -> errors per user, the same in every process"""


def make_validate(config: RunConfig, mesh: Mesh, beat: Callable[[], None]) -> Validate:
    """Greedy decoding of sessions; process p of H takes sessions p, p + H, ... on its own devices.

    Args:
        beat: called before every session, for the watchdog.
    """
    forward = _split_over(make_forward(config.model, config.window))
    devices = jax.local_device_count()
    rows = -(-(config.train.batch // jax.process_count()) // devices) * devices  # a packed run's batch is not split

    def validate(params: encoder.Params, sessions: Sequence[Session]) -> dict[str, Counts]:
        home = bring_home(params, mesh)  # all processes take part, also one that has no session

        def mine() -> Iterator[Session]:
            for session in sessions[jax.process_index() :: jax.process_count()]:
                beat()
                yield session

        found = evaluate_greedy(forward, config.model, home, mine(), config.window, rows)
        users = list(dict.fromkeys(session.user for session in sessions))
        table = np.array([astuple(found.get(user, Counts())) for user in users], np.int32).reshape(len(users), 4)
        return {user: Counts(*map(int, row)) for user, row in zip(users, from_all(table).sum(axis=0), strict=True)}

    return validate


def _split_over(forward: Forward) -> Forward:
    """The rows of a chunk split over this process's devices."""
    split = by_batch(local_mesh())
    return lambda params, emg, valid: forward(params, jax.device_put(emg, split), jax.device_put(valid, split))


def pooled_rate(users: dict[str, Counts]) -> float | None:
    """Error rate in percent of all users' keys or events together; None without any."""
    return sum(users.values(), Counts()).rate
