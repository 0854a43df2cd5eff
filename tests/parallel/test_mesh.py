"""Several devices: the batch is split, the state is not, and the losses are those of one device."""

import jax
import numpy as np
import pytest

from semgjax.parallel import mesh
from semgjax.parallel.mesh import by_batch, make_mesh, replicated
from semgjax.training.metrics import read_metrics
from tests.refused import refused
from tests.runs import STEPS, start, train_words

TWO_DEVICES = {"JAX_NUM_CPU_DEVICES": "2"}


def test_all_devices_split_rows_and_copy_the_state():
    built = make_mesh(4)
    assert built.axis_names == ("data", "fsdp") and built.size == len(jax.devices())
    rows = np.arange(8.0).reshape(4, 2)
    assert by_batch(built).shard_shape(rows.shape) == (4 // built.size, 2)
    assert replicated(built).shard_shape(rows.shape) == rows.shape


@pytest.mark.parametrize(("devices", "batch"), [(2, 3), (4, 2), (8, 12)])
def test_a_batch_that_cannot_be_split_evenly_is_refused(monkeypatch, devices, batch):
    monkeypatch.setattr(mesh.jax, "devices", lambda: jax.local_devices()[:1] * devices)
    with refused("bad-value", f"train.batch {batch}", f"{devices} devices"):
        make_mesh(batch)


def test_the_command_refuses_such_a_batch_before_it_writes_anything(sessions, tmp_path):
    words = train_words(sessions, tmp_path / "run", "--train.batch=3")
    process = start(words, **TWO_DEVICES)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, out) == (2, "")
    assert err.startswith("semgjax: error: train.batch 3 ") and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_two_devices_give_the_losses_of_one(sessions, finished, tmp_path):
    process = start(train_words(sessions, tmp_path / "run"), **TWO_DEVICES)
    _, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    one, two = (read_metrics(run / "metrics.jsonl") for run in (finished, tmp_path / "run"))
    one, two = ([line["loss"] for line in lines if "split" not in line] for lines in (one, two))
    assert len(one) == STEPS
    np.testing.assert_allclose(two, one, rtol=1e-5)
