"""The laws by name: of size, data, users and compute; sums of power terms can be built over any inputs.

Every function sees scaled inputs (N / N0) and their logarithms; parameters are those of the scaled law.
"""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from semgjax.errors import InputError
from semgjax.scaling.law import STEEPEST, Law, Parameter, Values, load_law
from semgjax.scaling.laws_links import LINKS
from semgjax.scaling.laws_sums import (
    FLOOR,
    INPUTS,
    PER_PARAMETER,
    Link,
    amplitude_of,
    exponent_of,
    power_of,
    power_sum,
)


def _product(p: Values, x: Values) -> Any:
    """One exponent for users and one for hours per user."""
    return p["E"] + p["A"] * jnp.exp(-p["alpha"] * x["log_U"] - p["beta"] * x["log_H"])


def _users_hours(p: Values, x: Values) -> Any:
    """Users, and all hours together: U * H hours of training data."""
    hours = x["log_U"] + x["log_H"]
    return p["E"] + p["A"] * power_of(x["log_U"], p["alpha"]) + p["B"] * power_of(hours, p["beta"])


def _users_saturating(p: Values, x: Values) -> Any:
    """C0 for far fewer users than u0, a power of the users for far more, smooth between them (Lomax 1954, JASA 49)."""
    share = jnp.exp(-p["alpha"] * jnp.log1p(x["U"] / p["u0"]))
    return p["E"] * (1.0 - share) + p["C0"] * share


def _broken(p: Values, x: Values) -> Any:
    """A power law whose exponent changes at one place (Caballero et al. 2023, eq. 1)."""
    # log(1 + (x/d)^(1/f)) with f down to 1e-3: softplus of a difference of logs over f cannot overflow.
    bend = jnp.logaddexp(0.0, (x["log_N"] - jnp.log(p["d1"])) / p["f1"]) * p["f1"]
    return p["E"] + p["A"] * jnp.exp(-p["c0"] * x["log_N"] - p["c1"] * bend)


def _saturate(repeats: Any, scale: Any) -> Any:
    return -scale * jnp.expm1(-repeats / scale)


def _repeated(p: Values, x: Values) -> Any:
    """Diminishing worth of repeated data and of excess size (Muennighoff et al. 2023, eqs. 5 and 6)."""
    unique = jnp.minimum(x["log_Q"], x["log_D"])
    data = jnp.exp(unique) * (1.0 + _saturate(jnp.expm1(x["log_D"] - unique), p["R_D"]))
    # The size that the unique data alone would call for; what exceeds it is worth less and less.
    wanted = (jnp.log(p["alpha"] * p["A"] / (p["beta"] * p["B"])) + p["beta"] * unique) / p["alpha"]
    wanted = jnp.minimum(wanted, x["log_N"])
    size = wanted + jnp.log1p(_saturate(jnp.expm1(jnp.minimum(x["log_N"] - wanted, 60.0)), p["R_N"]))
    return p["E"] + p["A"] * power_of(size, p["alpha"]) + p["B"] * power_of(jnp.log(data), p["beta"])


def _kaplan(p: Values, x: Values) -> Any:
    """The coupled form of size and data (Kaplan et al. 2020, eq. 1.5)."""
    return (p["A"] * jnp.exp(-p["alpha"] / p["beta"] * x["log_N"]) + p["B"] * jnp.exp(-x["log_D"])) ** p["beta"]


def _gadre(p: Values, x: Values) -> Any:
    """One exponent for size and data, over compute and tokens per parameter (Gadre et al. 2024, eq. 4)."""
    eta = p["eta"]
    return p["E"] + (p["a"] * power_of(x["log_M"], -eta) + p["b"] * power_of(x["log_M"], eta)) * power_of(
        x["log_C"], eta
    )


def _shared_exponent(p: Values, x: Values) -> Any:
    """The same law over N and D: C = 6 N D and M = D / N turn eq. 4 of Gadre et al. 2024 into it, eta twice theirs."""
    return p["E"] + p["A"] * power_of(x["log_N"], p["eta"]) + p["B"] * power_of(x["log_D"], p["eta"])


_A = amplitude_of("A", {"N": "alpha"}, "size of the part that falls with N, at N = 1")
_B = amplitude_of("B", {"D": "beta"}, "size of the part that falls with D, at D = 1")
_ALPHA, _BETA = exponent_of("alpha", "N"), exponent_of("beta", "D")

_DECLARED = (
    power_sum("N", "none", "power"),
    power_sum("N", "floor", "floor_power"),
    power_sum("ND", "floor", "chinchilla"),
    Law(
        "users_hours", "y = E + A * U^-alpha + B * (U * H)^-beta", (INPUTS["U"], INPUTS["H"]),
        (
            FLOOR, amplitude_of("A", {"U": "alpha"}, "size of the part that falls with users, at U = 1"),
            exponent_of("alpha", "U"),
            amplitude_of("B", {"U": "beta", "H": "beta"}, "size of the part that falls with all hours, at U * H = 1"),
            exponent_of("beta", "(U * H)"),
        ),
        _users_hours, linear=("E", "A", "B"),
    ),
    Law(
        "users_hours_product", "y = E + A * U^-alpha * H^-beta", (INPUTS["U"], INPUTS["H"]),
        (
            FLOOR, amplitude_of("A", {"U": "alpha", "H": "beta"}, "size of the falling part at U = H = 1"),
            exponent_of("alpha", "U"), exponent_of("beta", "H"),
        ),
        _product, linear=("E", "A"),
    ),
    power_sum("N", "saturating", "saturating"),
    power_sum("N", "rational", "rational"),
    power_sum("ND", "saturating", "saturating_joint"),
    power_sum("ND", "rational", "rational_joint"),
    Law(
        "users_saturating", "y = E + (C0 - E) * (1 + U / u0)^-alpha", (INPUTS["U"],),
        (
            FLOOR, Parameter("C0", "ceiling", "y", "error without any user to learn from", start=(1.0, 2.0)),
            Parameter("u0", "location", "users", "users from which the error falls as a power", scaling={"U": 1.0}),
            exponent_of("alpha", "U"),
        ),
        _users_saturating, linear=("E", "C0"), ceiling="C0",
    ),
    Law(
        "broken", "y = E + A * N^-c0 * (1 + (N / d1)^(1 / f1))^(-c1 * f1)", (INPUTS["N"],),
        (
            FLOOR, amplitude_of("A", {"N": "c0"}, "size of the falling part at N = 1, before the break"),
            Parameter("c0", "exponent", "1", "exponent before the break", 0.0, STEEPEST),
            Parameter("c1", "exponent", "1", "what the break adds to the exponent", -STEEPEST, 50.0, (0.05, 20.0)),
            Parameter("d1", "location", "N", "place of the break", scaling={"N": 1.0}),
            Parameter("f1", "positive", "1", "width of the break in log N", 1e-3, 10.0, (0.02, 1.0)),
        ),
        _broken, linear=("E", "A"), source="Caballero et al. 2023, eq. 1",
    ),
    Law(
        "repeated", "y = E + A * N'^-alpha + B * D'^-beta, N' and D' with diminishing repeats of Q unique data",
        (INPUTS["N"], INPUTS["D"], INPUTS["Q"]),
        (
            FLOOR, _A, _ALPHA, _B, _BETA,
            Parameter("R_D", "positive", "epochs", "repeats of data beyond which more is vain", 1e-2, 1e4, (2.0, 50.0)),
            Parameter("R_N", "positive", "1", "excess of size beyond which more adds little", 1e-2, 1e4, (1.0, 50.0)),
        ),
        _repeated, at_most={"Q": "D"}, source="Muennighoff et al. 2023, eqs. 5 and 6",
    ),
    Law(
        "kaplan", "y = (A * N^(-alpha / beta) + B / D)^beta", (INPUTS["N"], INPUTS["D"]),
        (
            Parameter("A", "amplitude", "1", "A^beta: size of the part that falls with N, at N = 1", start=(0.1, 1.0)),
            _ALPHA,
            Parameter("B", "amplitude", "1", "B^beta: size of the part that falls with D, at D = 1", start=(0.1, 1.0)),
            Parameter("beta", "exponent", "1", "exponent of D where size does not limit", 1e-3, STEEPEST),
        ),
        _kaplan, source="Kaplan et al. 2020, eq. 1.5",
    ),
    Law(
        "gadre", "y = E + (a * M^eta + b * M^-eta) * C^-eta", (INPUTS["C"], PER_PARAMETER),
        (
            FLOOR,
            amplitude_of("a", {"C": "eta", "M": "-eta"}, "size of the part that falls with parameters, at C = M = 1"),
            amplitude_of("b", {"C": "eta", "M": "eta"}, "size of the part that falls with tokens, at C = M = 1"),
            exponent_of("eta", "C"),
        ),
        _gadre, linear=("E", "a", "b"), rising=True, source="Gadre et al. 2024, eq. 4",
    ),
    Law(
        "shared_exponent", "y = E + A * N^-eta + B * D^-eta", (INPUTS["N"], INPUTS["D"]),
        (
            FLOOR, amplitude_of("A", {"N": "eta"}, "size of the part that falls with N, at N = 1"),
            amplitude_of("B", {"D": "eta"}, "size of the part that falls with D, at D = 1"),
            exponent_of("eta", "N"),
        ),
        _shared_exponent, linear=("E", "A", "B"), terms={"N": ("A", "eta"), "D": ("B", "eta")},
        source="Gadre et al. 2024, eq. 4",
    ),
)  # fmt: skip

LAWS: dict[str, Law] = {law.name: law for law in (*_DECLARED, *LINKS)}
FAMILIES: dict[str, Link] = {
    "additive": "floor",
    "power": "none",
    "saturating": "saturating",
    "rational": "rational",
}


def law_named(name: str, inputs: Sequence[str] | None = None) -> Law:
    """The declared law of this name; "additive", "power", "saturating" and "rational" stand over any inputs.

    Raises:
        InputError: no such law, or one with other inputs.
    """
    if name in LAWS and (inputs is None or set(inputs) == set(LAWS[name].input_names)):
        return LAWS[name]
    if name in FAMILIES:
        chosen = tuple(inputs) if inputs else ("N",)
        return power_sum(chosen, FAMILIES[name], f"{name}({','.join(chosen)})")
    if name.endswith(")") and name.partition("(")[0] in FAMILIES:
        family, _, rest = name[:-1].partition("(")
        return power_sum(tuple(rest.split(",")), FAMILIES[family], name)
    if name not in LAWS:
        known = ", ".join(dict.fromkeys([*LAWS, *FAMILIES]))
        raise InputError(
            f"law {name!r} is not known; known are {known}, or your own as path/to/file.py:NAME", "unknown-name"
        )
    law = LAWS[name]
    raise InputError(
        f"law {name} ({law.formula}) has the inputs {', '.join(law.input_names)}, not {', '.join(inputs or ())}; "
        "map each of them, INPUT=COLUMN",
        "wrong-law",
    )


FLOOR_POWER, POWER, CHINCHILLA = LAWS["floor_power"], LAWS["power"], LAWS["chinchilla"]


def law_for(name: str, inputs: Sequence[str] = ()) -> Law:
    """The law of a name or of file.py:NAME; a family stands over `inputs`, where there are any.

    Raises:
        InputError: no such law.
    """
    if ".py:" in name:
        return load_law(name)
    if name in FAMILIES and inputs and not (name in LAWS and set(inputs) == set(LAWS[name].input_names)):
        return law_named(name, inputs)
    return law_named(name)


def simpler_law(law: Law, levels: int, fixed: Sequence[str] = ()) -> Law | None:
    """The law over the same inputs with most parameters that `levels` different points determine with one to spare.

    None where there is none with fewer free parameters than `law`. fixed: parameters of `law` that are held.
    """
    free = len(set(law.parameter_names) - set(fixed))
    names = law.input_names
    tried = [other for other in LAWS.values() if set(other.input_names) == set(names)]
    tried += [law_named(family, names) for family in ("additive", "power")]
    fewer = [other for other in tried if len(other.parameters) < min(free, levels) and not other.least_runs]
    # Of two with the same number the sum of power terms: its parameters are those that readers know.
    return max(fewer, key=lambda other: (len(other.parameters), bool(other.terms)), default=None)
