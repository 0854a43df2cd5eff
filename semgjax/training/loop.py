"""Training, from configurations and corpora to finished run directories, alone or in a pack. Read it from the top."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax

from semgjax.data.corpus import Corpus
from semgjax.errors import InputError, SemgjaxError
from semgjax.model.config import Network
from semgjax.model.encoder import Params
from semgjax.model.operations import Kernels, check_kernels
from semgjax.parallel.mesh import make_mesh
from semgjax.parallel.rules import shardings
from semgjax.parallel.runtime import check_started, is_first
from semgjax.training.checkpoint import newest_step
from semgjax.training.compiles import compile_count, use_cache
from semgjax.training.engine import Engine
from semgjax.training.lanes import Alone, Lanes, Packed
from semgjax.training.member import End, Job, Member
from semgjax.training.mirror import working_folder
from semgjax.training.preemption import termination
from semgjax.training.profiler import profiler
from semgjax.training.progress import Progress
from semgjax.training.run_config import RunConfig, program_of
from semgjax.training.run_folder import CHECKPOINTS, check_claim
from semgjax.training.step import State, state_shapes
from semgjax.training.tracker import check_trackers
from semgjax.training.validate import make_validate
from semgjax.training.watchdog import watchdog

_DEFAULT = Engine()


def train(
    config: RunConfig,
    corpus: Corpus,
    out: Path | str,
    teacher: tuple[Network, Params] | None = None,
    engine: Engine = _DEFAULT,
) -> dict[str, Any]:
    """Train to the end, from wherever `out`, a folder or an address, stands; returns the result (result.json).

    The same call after a kill goes on from the newest checkpoint and ends with the same parameters, bit for bit,
    on the same number and kind of devices. With several processes all of them make this call, on one shared
    folder; the first writes the small files.

    Raises:
        InputError: bad configuration or data, or `out` holds something else or is in use.
        Diverged: loss or gradient stopped being finite.
        Preempted: SIGTERM came; the state is saved, the same call goes on.
        Unsaved: `out` is an address, and an upload to it failed for good.
    """
    check_started()
    check_trackers(engine.trackers)
    kernels = Kernels(engine.attention, engine.convolution)
    check_kernels(kernels, config.model, jax.default_backend(), config.train.compute)
    mesh = make_mesh(config.train.batch, engine.fsdp, config.train.accumulate)
    placed = shardings(state_shapes(config), mesh)
    with working_folder(out) as (folder, publish):
        member = Member(Job(config, corpus, folder, publish=publish), engine, teacher=teacher and teacher[0])
        check_claim(folder, config)
        check_resume(folder, engine)
        (end,) = _run([member], lambda: Alone(config, mesh, placed, teacher, engine.remat, kernels), engine)
        if isinstance(end, SemgjaxError):
            raise end
        return end


def train_pack(jobs: Sequence[Job]) -> list[End]:
    """Train runs of one compiled shape together, each from wherever its folder stands; how each ended.

    All take one jitted step, side by side on a device and split over the devices of this process. Each has its own
    folder, with the same files as alone, and its own end: one that diverges or whose folder is damaged stops
    nobody else. The same call goes on after a kill, and ends with the same bits, for the same jobs in the same order.

    Raises:
        InputError: the jobs' shapes differ, one has a teacher, or there are several processes.
    """
    check_started()
    first = jobs[0].config
    for job in jobs:
        if job.config.distill is not None:
            raise InputError(
                f"{job.out}: is distilled, and only supervised runs are packed; run it on its own", "conflict"
            )
        if program_of(job.config) != program_of(first):
            raise InputError(
                f"{job.out}: differs from {jobs[0].out} in more than seed, learning rate, weight decay and data; "
                "pack runs that differ in these alone",
                "conflict",
            )
    if jax.process_count() > 1:
        raise InputError(
            f"a pack runs in one process, and there are {jax.process_count()}; start it with one", "conflict"
        )
    devices = jax.device_count()
    lanes = -(-len(jobs) // devices) * devices
    members = [Member(job, _DEFAULT, lane, packed=True) for lane, job in enumerate(jobs)]
    room = max(member.data.label_room for member in members)
    configs = [job.config for job in jobs]
    return _run(members, lambda: Packed(configs, make_mesh(lanes), lanes, room), _DEFAULT)


def _run(members: Sequence[Member], make_lanes: Callable[[], Lanes], engine: Engine) -> list[End]:
    """Train every member that has not ended, to its end."""
    use_cache(engine.cache)
    with contextlib.ExitStack() as stack:
        for member in members:
            stack.callback(member.close)
            if member.end is None:
                member.attempt(member.open)
        if any(member.end is None for member in members):
            _steps(members, make_lanes(), engine)
        return [member.end for member in members if member.end is not None]


def _steps(members: Sequence[Member], lanes: Lanes, engine: Engine) -> None:
    """Take those that have not ended through their steps, and score them."""
    with contextlib.ExitStack() as stack:
        # -- states: fresh, or the newest checkpoints ----------------------------------------------------------
        like = lanes.like()
        found: dict[int, State | None] = {}

        def restore(member: Member) -> None:
            found[member.lane] = member.restore(like)

        for member in _alive(members):
            member.attempt(partial(restore, member))
        if not _alive(members):
            return
        lanes.begin([found.pop(member.lane, None) for member in members])

        # -- what watches the steps ----------------------------------------------------------------------------
        alive = _alive(members)
        config, start = alive[0].config, min(member.step for member in alive)
        name = config.preset if len(members) == 1 else f"{len(members)} x {config.preset}"
        beat = stack.enter_context(watchdog(engine.watchdog))
        compiles = stack.enter_context(compile_count())
        profile = stack.enter_context(profiler(alive[0].out / "profile", engine.profile_from, engine.profile_steps))
        progress = stack.enter_context(Progress(name, config.train.steps, start, is_first()))
        validate = make_validate(config, lanes.mesh, beat)
        for member in alive:
            member.attempt(partial(member.begin, progress))

        # -- the loop ------------------------------------------------------------------------------------------
        turn, sums = 0, None
        with termination() as terminated:
            while live := [member for member in members if member.goes_on]:
                profile(live[0].step, sums)
                batches = {member.lane: member.batch() for member in live}
                compiled = compiles()
                sums = lanes.advance(batches)
                turn += 1
                if turn > 2 and compiles() > compiled:
                    progress.note(f"step {live[0].step + 1}: compiled again; its batch has another shape or type")
                progress.advance(None)
                for member in live:
                    member.attempt(partial(member.took, sums))
                for member in _alive(live):
                    if member.validates:
                        with _apart(live):
                            member.validate(lanes.state(member.lane), validate)
                stop = terminated(live[0].step)  # asked once: a signal between two questions would not be saved
                for member in _alive(live):
                    if stop:
                        member.attempt(member.flush)
                for member in _alive(live):
                    if stop or member.saves:
                        with _apart(live):
                            member.save(lanes.state(member.lane))
                    if stop and member.goes_on:
                        member.attempt(member.stop)
                beat()

        # -- scores and results --------------------------------------------------------------------------------
        for member in _alive(members):
            member.attempt(partial(member.finish, lanes.state(member.lane), validate))


def _alive(members: Sequence[Member]) -> list[Member]:
    return [member for member in members if member.end is None]


@contextlib.contextmanager
def _apart(members: Sequence[Member]) -> Iterator[None]:
    """Time within the block is not the steps' of any of them."""
    with contextlib.ExitStack() as stack:
        for member in members:
            stack.enter_context(member.apart())
        yield


def check_resume(out: Path, engine: Engine) -> None:
    """See that the folder's checkpoints are what engine.resume expects.

    Raises:
        InputError: they are not.
    """
    step = newest_step(out / CHECKPOINTS)
    if engine.resume == "must" and step is None:
        raise InputError(
            f"{out}: engine.resume is must, but there is no finished checkpoint; use auto to begin", "not-finished"
        )
    if engine.resume == "never" and step is not None:
        raise InputError(
            f"{out}: engine.resume is never, but there is a checkpoint of step {step}; choose another folder",
            "conflict",
        )
