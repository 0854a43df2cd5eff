"""Sharding rules: the first that fits holds, moments follow their parameters, and a bad fit is reported by name."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import PartitionSpec

from semgjax.errors import InputError
from semgjax.model.presets import preset
from semgjax.parallel.mesh import abstract_mesh
from semgjax.parallel.rules import RULES, Rule, bytes_per_device, leaf_spec, path_name, rules_for, shardings, table
from semgjax.training.run_config import OptimizerConfig, RunConfig, recipe
from semgjax.training.step import state_shapes
from tests.golden_files import check_golden
from tests.refused import refused

MESH = abstract_mesh(16, 640, fsdp=4)
OWN = rules_for(preset("large").SHARDING)


@pytest.fixture(scope="module")
def state():
    config = RunConfig("large", preset("large"), "d", optimizer=OptimizerConfig(average=0.999))
    return state_shapes(config)


def test_the_table_of_the_large_preset_is_the_golden_one(state, request):
    check_golden(request, "sharding_large_4x4.txt", "\n".join(table(state, MESH, OWN)) + "\n")


def test_the_baseline_can_be_split_over_sixteen_and_its_large_kernels_are():
    base = recipe("tds")
    state = state_shapes(RunConfig("tds", preset("tds"), "d", base.window))
    leaves = jax.tree_util.tree_leaves_with_path(
        shardings(state["params"], abstract_mesh(16, 256, fsdp=16), rules_for(preset("tds").SHARDING))
    )
    split = {path_name(path) for path, place in leaves if place.spec != PartitionSpec()}
    blocks = {f"block{index}/{name}/kernel" for index in range(4) for name in ("expand", "contract")}
    assert split == {"band0/Dense_0/kernel", "band1/Dense_0/kernel", "head/kernel", *blocks}


def test_moments_and_the_average_are_split_as_their_parameters(state):
    leaves = jax.tree_util.tree_leaves_with_path(shardings(state, MESH, OWN))
    specs = {path_name(path): place.spec for path, place in leaves}
    names = [name.removeprefix("params/") for name in specs if name.startswith("params/")]
    assert len(names) > 20 and any(specs[f"params/{name}"] != PartitionSpec() for name in names)
    for name in names:
        for other in (f"optimizer/1/0/mu/{name}", f"optimizer/1/0/nu/{name}", f"average/{name}"):
            assert specs[other] == specs[f"params/{name}"]


def test_a_split_state_takes_nearly_a_share_of_the_memory(state):
    whole = bytes_per_device(state, abstract_mesh(16, 640))
    assert whole == sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(state))
    assert 0.25 * whole < bytes_per_device(state, MESH, OWN) < 0.35 * whole


def test_a_rule_that_does_not_divide_says_which_leaf_and_which_dimension():
    mesh = abstract_mesh(3, 3, fsdp=3)
    with pytest.raises(InputError) as caught:
        leaf_spec("params/layers/expand/kernel", (2, 16, 64), mesh)
    message = str(caught.value)
    assert all(fact in message for fact in ("params/layers/expand/kernel", "(2, 16, 64)", "fsdp = 3", "64"))


def test_the_first_rule_that_fits_holds_and_none_is_an_error():
    rules = (Rule("a/kernel$"), Rule("kernel$", ("fsdp", None)))
    assert leaf_spec("a/kernel", (8, 4), MESH, rules) == PartitionSpec()
    assert leaf_spec("b/kernel", (8, 4), MESH, rules) == PartitionSpec("fsdp", None)
    with refused("bad-value", "b/bias"):
        leaf_spec("b/bias", (4,), MESH, rules)
    with refused("bad-value", "b/kernel"):
        leaf_spec("b/kernel", (4,), MESH, rules)


def test_without_fsdp_everything_is_copied():
    mesh = abstract_mesh(16, 640)
    tree = {"layers": {"kernel": jax.ShapeDtypeStruct((2, 8, 8), jnp.float32)}}
    assert shardings(tree, mesh)["layers"]["kernel"].spec == PartitionSpec()
    assert dataclasses.astuple(RULES[-1]) == ("", ())
