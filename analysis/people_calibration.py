"""Calibration to one person in the study of real people: fine-tuned models, and models of that person alone.

A model is calibrated with so many events of each class from one session of a test person and tested on the other
session. Both sessions are turned as chosen without labels. The steps are the library's own; one compiled step serves
all people of a fold.
"""

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from analysis.event_choice import choose_events, keep_events
from analysis.people_plan import Calibration, Design, Piece, needed_by, result_file
from analysis.people_tables import SCHEMA, VERSION
from analysis.people_training import People, Setting, as_lists, corpus_of, prepare, run_config, run_folder, turn_session
from semgjax.data.batching.batches import stream, train_data
from semgjax.data.sessions import Session
from semgjax.data.splitting.splits import draw_key
from semgjax.distilling.teachers import load_teacher
from semgjax.errors import InputError
from semgjax.evaluate.stitched import evaluate_greedy, make_forward
from semgjax.files import write_json
from semgjax.model.encoder import Params
from semgjax.parallel.mesh import make_mesh, place_batch
from semgjax.training.run_config import RunConfig
from semgjax.training.step import init_state, make_step, read_params, state_shardings

FINE_RATE = 1e-3
"""peak learning rate of fine-tuning, well below that from scratch: what all people taught is to be kept"""


def run_calibration(people: People, piece: Calibration, design: Design, setting: Setting, out: Path) -> dict[str, Any]:
    """Calibrate to every test person of a fold and test on the other session; writes the piece's result.

    Raises:
        InputError: the model to start from is not trained yet ("not-finished"), or a person has one session only.
    """
    began = time.monotonic()
    base = needed_by(piece, design)
    assert isinstance(base, Piece)
    start = load_teacher(run_folder(out, base))
    found = prepare(people, base, design, setting)
    some = corpus_of(found.train)
    fine, alone = (
        run_config(design.middle, some, piece.seed, steps, setting.personal_batch, **optimizer)
        for steps, optimizer in ((setting.fine_steps, {"learning_rate": FINE_RATE}), (setting.alone_steps, {}))
    )
    tune, learn = trainer(fine, start.params), trainer(alone, None)
    forward = make_forward(fine.model, fine.window)

    def row(name: str, count: int, steps: int, params: Params, test: Sequence[Session]) -> dict[str, Any]:
        found = evaluate_greedy(forward, fine.model, params, test, fine.window, setting.batch)
        ((person, counts),) = as_lists(found).items()
        return {"person": person, "start": name, "events_a_class": count, "steps": steps, "counts": counts}

    rows, trained = [], f"{design.people[-1]} people"
    for person in found.draw.test:
        names = sorted(people.orders[person], key=lambda name: draw_key(piece.seed, "calibrate", name))
        if len(names) < 2:
            raise InputError(f"person {person}: has one recorded session; calibration needs another", "bad-value")
        own = people.orders[person][names[0]]
        test = [turn_session(session, found.bands.test[names[1]]) for session in found.test[names[1]]]
        rows.append(row(trained, 0, 0, start.params, test))
        for count in design.calibration:
            events = choose_events(own, piece.seed, count=count)
            chosen = [turn_session(keep_events(session, events), found.bands.test[names[0]]) for session in own]
            rows.append(row(trained, count, setting.fine_steps, tune(chosen), test))
            rows.append(row("nothing", count, setting.alone_steps, learn(chosen), test))
    body = {
        "run": piece.name,
        "fold": piece.fold,
        "seed": piece.seed,
        "spliced": True,
        "seconds": time.monotonic() - began,
        "calibrations": rows,
    }
    write_json(result_file(out, piece), SCHEMA, VERSION, body)
    return body


def trainer(config: RunConfig, start: Params | None) -> Callable[[Sequence[Session]], Params]:
    """A function from training sessions to the parameters after all steps; it is compiled once.

    start: parameters before the first step; None: the initial values of the configuration's seed.
    """
    mesh = make_mesh(config.train.batch)
    placed = state_shardings(config, mesh)
    step, begin = make_step(config, mesh), jax.jit(lambda: init_state(config), out_shardings=placed)

    def run(sessions: Sequence[Session]) -> Params:
        data = train_data(sessions, config.window, config.augment, config.train.batch, config.train.seed)
        state = begin()
        if start is not None:
            # A copy, for the step takes the state's memory.
            state["params"] = jax.device_put(jax.tree.map(jnp.array, start), placed["params"])
        with contextlib.closing(stream(data, 0)) as batches:
            for _ in range(config.train.steps):
                state, sums = step(state, place_batch(mesh, next(batches)), ())
        params = read_params(state)
        if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(jax.device_get(params))):
            raise InputError(f"{sessions[0].name}: training to one person diverged; lower the rate", "not-finite")
        return params

    return run
