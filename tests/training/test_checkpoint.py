"""Checkpoints of a small state: what is kept, what is ignored after a kill, and what is refused."""

import shutil
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from semgjax.errors import InputError, Unsaved
from semgjax.training.checkpoint import HASHES, Checkpoints, Kept, newest_step, restore_params, whole_steps
from tests.refused import refused
from tests.runs import damage_biggest

RUN, OTHER = "a" * 64, "b" * 64


def state(step: int) -> dict:
    """A state whose numbers tell its step."""
    return {
        "step": jnp.asarray(step, jnp.int32),
        "params": {"layer": {"kernel": jnp.arange(6.0).reshape(2, 3) + step, "bias": jnp.full(3, 0.1 * step)}},
        "optimizer": ({"count": jnp.asarray(step, jnp.int32)}, {"mu": jnp.ones((2, 3)) / 3 * step}),
    }


def save(folder, *steps: int) -> None:
    checkpoints = Checkpoints(folder)
    for step in steps:
        checkpoints.save(state(step), RUN)
    checkpoints.close()


def restore(folder, like=None, run=RUN):
    checkpoints = Checkpoints(folder)
    try:
        found = checkpoints.restore(state(0) if like is None else like, run)
        return found and found[0]
    finally:
        checkpoints.close()


def assert_equal(found, expected) -> None:
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert a.dtype == b.dtype and np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_the_newest_state_comes_back_bit_for_bit_and_two_are_kept(tmp_path):
    save(tmp_path, 2, 4, 6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["4", "6"]
    assert_equal(restore(tmp_path), state(6))


def test_without_a_checkpoint_there_is_nothing_to_restore(tmp_path):
    assert restore(tmp_path) is None
    assert newest_step(tmp_path / "none") is None
    with refused("not-finished", tmp_path):
        restore_params(tmp_path)


def test_the_parameters_alone_come_back_without_the_optimiser(tmp_path):
    save(tmp_path, 2, 4)
    step, params = restore_params(tmp_path)
    assert step == 4
    assert_equal(params, state(4)["params"])


@pytest.mark.parametrize("orphan", ["6", "6.orbax-checkpoint-tmp", "6.orbax-checkpoint-tmp-1700000000"])
@pytest.mark.parametrize("content", [None, "state/half"])
def test_what_an_interrupted_save_left_is_ignored_and_in_nobodys_way(tmp_path, orphan, content):
    save(tmp_path, 2, 4)
    (tmp_path / orphan).mkdir()
    if content:
        (tmp_path / orphan / content).parent.mkdir()
        (tmp_path / orphan / content).write_bytes(b"half")
    assert newest_step(tmp_path) == 4
    assert restore_params(tmp_path)[0] == 4
    assert_equal(restore(tmp_path), state(4))
    save(tmp_path, 6)
    assert_equal(restore(tmp_path), state(6))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["4", "6"]


def test_a_step_whose_mark_is_missing_does_not_count(tmp_path):
    save(tmp_path, 2, 4)
    (tmp_path / "4" / "_CHECKPOINT_METADATA").unlink()
    assert_equal(restore(tmp_path), state(2))


def test_a_checkpoint_of_another_configuration_is_refused(tmp_path):
    save(tmp_path, 2)
    with refused("conflict", tmp_path / "2", 12 * "a", 12 * "b"):
        restore(tmp_path, run=OTHER)
    assert_equal(restore(tmp_path), state(2))


@pytest.mark.parametrize("kernel", [jnp.zeros((2, 3), jnp.bfloat16), jnp.zeros((2, 3), jnp.float16), jnp.zeros((3, 2))])
def test_a_checkpoint_of_another_type_or_shape_is_refused_and_never_converted(tmp_path, kernel):
    save(tmp_path, 2)
    like = state(0)
    like["params"]["layer"]["kernel"] = kernel
    with refused("changed", tmp_path / "2"):
        restore(tmp_path, like)


def test_a_checkpoint_without_one_of_the_leaves_is_refused(tmp_path):
    save(tmp_path, 2)
    like = state(0)
    like["params"]["layer"]["gain"] = jnp.ones(3)
    with refused("changed", tmp_path / "2"):
        restore(tmp_path, like)


@pytest.mark.parametrize("read", [restore, restore_params])
def test_a_damaged_checkpoint_is_told_in_one_line_that_names_it(tmp_path, read):
    save(tmp_path, 2, 4)
    damage_biggest(tmp_path / "4" / "state")
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert caught.value.code == "damaged"
    assert str(caught.value).startswith(f"{tmp_path / '4'}/state/") and "\n" not in str(caught.value)


@pytest.mark.parametrize("read", [restore, restore_params])
def test_twelve_flipped_bytes_anywhere_in_a_checkpoint_are_found(tmp_path, read):
    save(tmp_path, 2)
    for path in sorted(path for path in (tmp_path / "2").rglob("*") if path.is_file() and path.name != HASHES):
        whole = path.read_bytes()
        middle = max(0, len(whole) // 2 - 6)
        path.write_bytes(whole[:middle] + bytes(b ^ 0x55 for b in whole[middle : middle + 12]) + whole[middle + 12 :])
        with pytest.raises(InputError) as caught:
            read(tmp_path)
        assert caught.value.code == "damaged" and str(path) in str(caught.value)
        path.write_bytes(whole)
    read(tmp_path)


def test_a_file_too_many_or_too_few_is_found(tmp_path):
    save(tmp_path, 2)
    stranger = tmp_path / "2" / "state" / "stranger"
    stranger.write_bytes(b"x")
    with pytest.raises(InputError) as caught:
        restore_params(tmp_path)
    assert caught.value.code == "damaged"
    stranger.unlink()
    (tmp_path / "2" / "meta" / "metadata").unlink()
    with pytest.raises(InputError) as caught:
        restore_params(tmp_path)
    assert caught.value.code == "damaged"


def test_a_kill_before_the_hashes_were_written_loses_nothing(tmp_path):
    save(tmp_path, 2)
    (tmp_path / "2" / HASHES).unlink()
    with pytest.raises(InputError) as caught:
        restore_params(tmp_path)
    assert caught.value.code == "unsigned"
    restored = restore(tmp_path)
    assert restored is not None
    assert (tmp_path / "2" / HASHES).is_file()
    restore_params(tmp_path)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_parameters_that_are_not_finite_are_not_read(tmp_path, number):
    checkpoints = Checkpoints(tmp_path)
    broken = state(2)
    broken["params"]["layer"]["bias"] = broken["params"]["layer"]["bias"].at[0].set(number)
    checkpoints.save(broken, RUN)
    checkpoints.close()
    for read in (restore, restore_params):
        with pytest.raises(InputError) as caught:
            read(tmp_path)
        assert caught.value.code == "not-finite"


@pytest.mark.parametrize(
    ("kept", "left"),
    [
        (Kept(last=1, best=False), ["8"]),
        (Kept(last=2, best=False), ["6", "8"]),
        (Kept(last=1), ["2", "8"]),  # step 2 has the lowest CER
        (Kept(last=1, best=False, every=4), ["4", "8"]),
    ],
)
def test_a_rule_says_which_checkpoints_stay(tmp_path, kept, left):
    checkpoints = Checkpoints(tmp_path, kept)
    for step, cer in ((2, 10.0), (4, 30.0), (6, None), (8, 20.0)):
        checkpoints.save(state(step), RUN, rate=cer)
    checkpoints.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == left


def test_the_clock_comes_back_with_the_state(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(state(2), RUN, {"first_start": 5.0, "productive": 3.0})
    checkpoints.close()
    checkpoints = Checkpoints(tmp_path)
    found = checkpoints.restore(state(0), RUN)
    checkpoints.close()
    assert found is not None and found[1] == {"first_start": 5.0, "productive": 3.0}


def test_what_waits_for_a_whole_checkpoint_is_called_when_it_is_on_disk_and_the_next_save_waits(tmp_path):
    seen = []

    def whole() -> None:
        time.sleep(0.2)
        seen.append(whole_steps(tmp_path))

    checkpoints = Checkpoints(tmp_path, Kept(last=1, best=False), whole)
    for step in (2, 4, 6):
        checkpoints.save(state(step), RUN)
    checkpoints.close()
    assert seen == [{2}, {4}, {6}]


def test_a_fault_of_what_waits_is_raised_by_the_next_save_which_is_on_disk_all_the_same(tmp_path):
    def whole() -> None:
        raise Unsaved("no route")

    checkpoints = Checkpoints(tmp_path, whole=whole)
    checkpoints.save(state(2), RUN)
    with refused("unsaved", "no route", kind=Unsaved):
        checkpoints.save(state(4), RUN)
    checkpoints.close()  # reported once
    assert_equal(restore(tmp_path), state(4))


def test_a_fault_after_the_last_save_is_raised_at_the_end(tmp_path):
    def whole() -> None:
        raise Unsaved("no route")

    checkpoints = Checkpoints(tmp_path, whole=whole)
    checkpoints.save(state(2), RUN)
    with refused("unsaved", "no route", kind=Unsaved):
        checkpoints.close()
    assert_equal(restore(tmp_path), state(2))


@pytest.mark.parametrize(("last", "best"), [(1, True), (2, False)])
def test_checkpoints_without_their_state_are_ranked_and_dropped_as_if_they_had_it(tmp_path, last, best):
    for name, strip in (("whole", False), ("stripped", True)):
        checkpoints = Checkpoints(tmp_path / name, Kept(last, best))
        for step, cer in ((2, 10.0), (4, 30.0), (6, 20.0)):
            checkpoints.save(state(step), RUN, rate=cer)
        checkpoints.close()
        for step in whole_steps(tmp_path / name) - {6} if strip else ():
            shutil.rmtree(tmp_path / name / str(step) / "state")
        checkpoints = Checkpoints(tmp_path / name, Kept(last, best))
        found = checkpoints.restore(state(0), RUN)
        assert found is not None
        assert_equal(found[0], state(6))
        checkpoints.save(state(8), RUN, rate=40.0)
        checkpoints.close()
    assert whole_steps(tmp_path / "stripped") == whole_steps(tmp_path / "whole") == ({2, 8} if best else {6, 8})


def test_where_a_run_keeps_an_average_that_is_what_comes_back_as_its_parameters(tmp_path):
    average = jax.tree.map(lambda x: x / 2, state(2)["params"])
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({**state(2), "average": average}, RUN)
    checkpoints.close()
    assert_equal(restore_params(tmp_path)[1], average)
