"""Which parameters a personalised run trains, by rules over their paths; additions of low rank (LoRA); the best so far.

Additions are in params["lora"] and leave with the end of training: they are added to the matrices, so that a
personalised decoder has the parameters of its base's network and no others.
"""

import re
import typing
from typing import Any

import jax
import jax.numpy as jnp

from semgjax.errors import InputError
from semgjax.model.encoder import Params
from semgjax.parallel.rules import path_name
from semgjax.training.personal_config import Method, PersonalConfig

LORA = "lora"
_STREAM = 23
"""folded into the seed's key for the additions"""
_TRAINED: dict[Method, str] = {
    "full": r"",
    "head": r"^head/",
    "norms": r"(^|/)(norm_)?(scale|bias)$",
    "front": r"^(frontend|norm_frontend|project|band\d+|norm_scale$|norm_bias$)(/|$)",
    "lora": rf"^{LORA}/",
}
"""method -> pattern of the paths of what it trains"""
_MATRIX = re.compile(r"^layers/(.+)/kernel$")


def trained_labels(personal: PersonalConfig, params: Params) -> Params:
    """ "trained" or "held" for every leaf.

    Raises:
        InputError: the method would train nothing of this network ("conflict").
    """
    pattern = re.compile(_TRAINED[personal.method])
    labels = jax.tree_util.tree_map_with_path(
        lambda path, _: "trained" if pattern.search(path_name(path)) else "held", params
    )
    if "trained" not in jax.tree.leaves(labels):
        raise InputError(
            f"personal.method {personal.method}: this network has no such parameters; use full", "conflict"
        )
    return typing.cast(Params, labels)


def count_trained(personal: PersonalConfig, params: Params) -> int:
    """How many numbers the method trains of a network's parameters (with the additions, where it makes any)."""
    whole = with_additions(personal, params, jax.random.key(0))
    labels = jax.tree.leaves(trained_labels(personal, whole))
    sizes = [leaf.size for leaf in jax.tree.leaves(whole)]
    return sum(size for size, label in zip(sizes, labels, strict=True) if label == "trained")


def with_additions(personal: PersonalConfig, params: Params, key: jax.Array) -> Params:
    """The parameters, and with method lora a fresh pair for each matrix W [L, D, F] of the transformer layers.

    W + A B with A [L, D, r] drawn with variance 1 / D and B [L, r, F] zero: at first nothing changes. Hu et al. 2022,
    "LoRA: Low-Rank Adaptation of Large Language Models" (arXiv 2106.09685), section 4.1, with its alpha equal to r.

    Raises:
        InputError: the network has no transformer layers ("conflict"), or one of its matrices has not so high a rank
            ("bad-value").
    """
    if personal.method != "lora":
        return params
    made: Params = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        found = _MATRIX.match(path_name(path))
        if found is None or leaf.ndim != 3:
            continue
        layers, inputs, outputs = leaf.shape
        if personal.rank > min(inputs, outputs):
            raise InputError(
                f"personal.rank {personal.rank} must be at most {min(inputs, outputs)}, the smaller side of "
                f"{path_name(path)}",
                "bad-value",
            )
        own = jax.random.fold_in(jax.random.fold_in(key, _STREAM), len(made))
        made[found[1]] = {
            "a": jax.random.normal(own, (layers, inputs, personal.rank)) * inputs**-0.5,
            "b": jnp.zeros((layers, personal.rank, outputs)),
        }
    if not made:
        raise InputError("personal.method lora: the network has no transformer layers; use full", "conflict")
    return params | {LORA: made}


def merged(params: Params) -> Params:
    """The network's own parameters, additions added to their matrices; without any, the same tree."""
    if LORA not in params:
        return params
    pairs = params[LORA]

    def add(path: Any, leaf: jax.Array) -> jax.Array:
        found = _MATRIX.match(path_name(path))
        pair = pairs.get(found[1]) if found else None
        return leaf if pair is None else leaf + pair["a"] @ pair["b"]

    own = {name: part for name, part in params.items() if name != LORA}
    return typing.cast(Params, jax.tree_util.tree_map_with_path(add, own))


def in_training(personal: PersonalConfig | None, params: Params) -> Params:
    """The parameters that a step's loss is computed with: what is held has no gradient, so none is computed."""
    if personal is None:
        return params
    labels = trained_labels(personal, params)
    held = jax.tree.map(lambda leaf, label: leaf if label == "trained" else jax.lax.stop_gradient(leaf), params, labels)
    return merged(held)


def begun(params: Params) -> dict[str, Any]:
    """Members of the first state of a personalised run: the best parameters so far, and where they were met."""
    return {
        "best": jax.tree.map(jnp.copy, merged(params)),
        "best_at": {"step": jnp.zeros((), jnp.int32), "rate": jnp.full((), jnp.inf, jnp.float32)},
    }


def keep_best(state: dict[str, Any], rate: float | None, placed: Any) -> dict[str, Any]:
    """The state whose best parameters are its present ones if their validation error rate is lower than the best's.

    On a tie the earlier ones stay.

    Args:
        rate: of the present parameters, in percent.
        placed: how the state is split over devices.
    """
    if rate is None or not jnp.float32(rate) < state["best_at"]["rate"]:
        return state

    def kept(state: dict[str, Any], rate: jax.Array) -> dict[str, Any]:
        best = jax.tree.map(jnp.copy, merged(state["params"]))
        return {**state, "best": best, "best_at": {"step": state["step"], "rate": rate}}

    return typing.cast(dict[str, Any], jax.jit(kept, out_shardings=placed, donate_argnums=0)(state, jnp.float32(rate)))
