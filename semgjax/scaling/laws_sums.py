"""Sums of power terms over any inputs under a link, and the parts that declarations of laws share."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import jax.numpy as jnp

from semgjax.errors import InputError
from semgjax.scaling.law import STEEPEST, Input, Law, Parameter, Values

Link = Literal["floor", "none", "saturating", "rational"]

INPUTS = {
    "N": Input("N", "parameters", "model parameters"),
    "D": Input("D", "tokens", "training data (tokens, samples, hours)"),
    "Q": Input("Q", "tokens", "unique training data, in the unit of D", group="D"),
    "C": Input("C", "FLOP", "training compute"),
    "U": Input("U", "users", "training users"),
    "H": Input("H", "hours", "training hours per user"),
    "M": Input("M", "minutes", "calibration minutes of the new user", zero=True),
    "L": Input("L", "nats", "loss of the run", centred=False),
    "S": Input("S", "y", "loss of the student's size and data trained without a teacher", centred=False),
    "T": Input("T", "parameters", "parameters of the teacher (empty: no teacher)", default="N", group="N"),
    "TL": Input("TL", "y", "loss of the teacher", centred=False),
}


# The same letter as calibration minutes has, as published: a table's M is what the law asked for says.
PER_PARAMETER = Input("M", "tokens per parameter", "tokens per parameter, D / N")


def input_named(name: str) -> Input:
    """The declared input of this name, or a plain one."""
    return INPUTS.get(name, Input(name, name, name))


def power_of(x: Any, exponent: Any) -> Any:
    """x^-exponent from log x."""
    return jnp.exp(-exponent * x)


def exponent_of(name: str, of: str) -> Parameter:
    """The exponent of a power term of the input `of`."""
    return Parameter(name, "exponent", "1", f"exponent: that part falls as {of}^-{name}", 0.0, STEEPEST)


def amplitude_of(name: str, of: dict[str, str | float], meaning: str, unit: str = "y") -> Parameter:
    """The amplitude of a power term; of: see `Parameter.scaling`."""
    return Parameter(name, "amplitude", unit, meaning, scaling=of)


FLOOR = Parameter("E", "floor", "y", "floor: what no input removes")


def power_sum(inputs: Sequence[str], link: Link = "floor", name: str = "") -> Law:
    """A link over g = sum over inputs of amplitude * input^-exponent.

    none: y = g. floor: y = E + g. saturating: y = C0 (1 - exp(-g)). rational: y = E + (C0 - E) g / (1 + g).
    Parameters: A and alpha for one input; A, alpha, B, beta for two; A_N, alpha_N ... for more.
    Asked for again it is the same object, so that what was compiled for it serves again.

    Raises:
        InputError: no input, or one twice.
    """
    return _power_sum(tuple(inputs), link, name)


@lru_cache
def _power_sum(inputs: tuple[str, ...], link: Link, name: str) -> Law:
    if not inputs or len(set(inputs)) < len(inputs):
        raise InputError(
            f"a law over the inputs {', '.join(inputs) or '(none)'}: name each once, and at least one", "bad-value"
        )
    letters = [("A", "alpha"), ("B", "beta")] if len(inputs) <= 2 else [(f"A_{i}", f"alpha_{i}") for i in inputs]
    terms = dict(zip(inputs, letters, strict=False))
    bounded = link in ("saturating", "rational")
    unit = "1" if bounded else "y"
    parameters: list[Parameter] = []
    for of, (amplitude, exponent) in terms.items():
        meaning = f"size of the part that falls with {of}, at {of} = 1"
        parameters += [
            Parameter(amplitude, "amplitude", unit, meaning, scaling={of: exponent}),
            exponent_of(exponent, of),
        ]

    def inner(p: Values, x: Values) -> Any:
        return sum(p[a] * power_of(x[f"log_{of}"], p[e]) for of, (a, e) in terms.items())

    amplitudes = tuple(a for a, _ in terms.values())
    body = " + ".join(f"{a} * {of}^-{e}" for of, (a, e) in terms.items())
    common: dict[str, Any] = {"inputs": tuple(map(input_named, inputs)), "terms": terms}
    name = name or f"{link}({','.join(inputs)})"
    if link == "none":
        return Law(name, f"y = {body}", parameters=tuple(parameters), predict=inner, linear=amplitudes, **common)
    if link == "floor":
        return Law(
            name, f"y = E + {body}", parameters=(FLOOR, *parameters), predict=lambda p, x: p["E"] + inner(p, x),
            linear=("E", *amplitudes), **common,
        )  # fmt: skip
    top = Parameter("C0", "ceiling", "y", "ceiling: the error when nothing is learnt", start=(1.05, 3.0))
    common |= {"inner": inner, "linear": amplitudes, "ceiling": "C0"}
    if link == "saturating":
        return Law(
            name, f"y = C0 * (1 - exp(-({body})))", parameters=(top, *parameters),
            predict=lambda p, x: -p["C0"] * jnp.expm1(-inner(p, x)),
            unlink=lambda p, y: -jnp.log1p(-jnp.clip(y / p["C0"], 1e-6, 0.98)), **common,
        )  # fmt: skip

    def rational(p: Values, x: Values) -> Any:
        g = inner(p, x)
        return (p["E"] + p["C0"] * g) / (1.0 + g)

    def unlink(p: Values, y: Any) -> Any:
        share = jnp.clip((y - p["E"]) / (p["C0"] - p["E"]), 0.02, 0.98)
        return share / (1.0 - share)

    return Law(
        name, f"y = E + (C0 - E) * g / (1 + g), g = {body}", parameters=(FLOOR, top, *parameters),
        predict=rational, unlink=unlink, **common,
    )  # fmt: skip
