"""The laws: ten families, each a declaration; sums of power terms can be built over any inputs.

Every function sees scaled inputs (N / N0) and their logarithms; parameters are those of the scaled law.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np

from semgjax.errors import InputError
from semgjax.scaling.law import STEEPEST, Input, Law, Parameter, Values, load_law

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
_PER_PARAMETER = Input("M", "tokens per parameter", "tokens per parameter, D / N")


def _input(name: str) -> Input:
    return INPUTS.get(name, Input(name, name, name))


def _power(x: Any, exponent: Any) -> Any:
    return jnp.exp(-exponent * x)


def _exponent(name: str, of: str) -> Parameter:
    return Parameter(name, "exponent", "1", f"exponent: that part falls as {of}^-{name}", 0.0, STEEPEST)


_E = Parameter("E", "floor", "y", "floor: what no input removes")


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
            _exponent(exponent, of),
        ]

    def inner(p: Values, x: Values) -> Any:
        return sum(p[a] * _power(x[f"log_{of}"], p[e]) for of, (a, e) in terms.items())

    amplitudes = tuple(a for a, _ in terms.values())
    body = " + ".join(f"{a} * {of}^-{e}" for of, (a, e) in terms.items())
    common: dict[str, Any] = {"inputs": tuple(map(_input, inputs)), "terms": terms}
    name = name or f"{link}({','.join(inputs)})"
    if link == "none":
        return Law(name, f"y = {body}", parameters=tuple(parameters), predict=inner, linear=amplitudes, **common)
    if link == "floor":
        return Law(
            name, f"y = E + {body}", parameters=(_E, *parameters), predict=lambda p, x: p["E"] + inner(p, x),
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
        name, f"y = E + (C0 - E) * g / (1 + g), g = {body}", parameters=(_E, top, *parameters),
        predict=rational, unlink=unlink, **common,
    )  # fmt: skip


def _product(p: Values, x: Values) -> Any:
    return p["E"] + p["A"] * jnp.exp(-p["alpha"] * x["log_U"] - p["beta"] * x["log_H"])


def _users_hours(p: Values, x: Values) -> Any:
    hours = x["log_U"] + x["log_H"]
    return p["E"] + p["A"] * _power(x["log_U"], p["alpha"]) + p["B"] * _power(hours, p["beta"])


def _broken(p: Values, x: Values) -> Any:
    # log(1 + (x/d)^(1/f)) with f down to 1e-3: softplus of a difference of logs over f cannot overflow.
    bend = jnp.logaddexp(0.0, (x["log_N"] - jnp.log(p["d1"])) / p["f1"]) * p["f1"]
    return p["E"] + p["A"] * jnp.exp(-p["c0"] * x["log_N"] - p["c1"] * bend)


def _saturate(repeats: Any, scale: Any) -> Any:
    return -scale * jnp.expm1(-repeats / scale)


def _repeated(p: Values, x: Values) -> Any:
    unique = jnp.minimum(x["log_Q"], x["log_D"])
    data = jnp.exp(unique) * (1.0 + _saturate(jnp.expm1(x["log_D"] - unique), p["R_D"]))
    # The size that the unique data alone would call for; what exceeds it is worth less and less.
    wanted = (jnp.log(p["alpha"] * p["A"] / (p["beta"] * p["B"])) + p["beta"] * unique) / p["alpha"]
    wanted = jnp.minimum(wanted, x["log_N"])
    size = wanted + jnp.log1p(_saturate(jnp.expm1(jnp.minimum(x["log_N"] - wanted, 60.0)), p["R_N"]))
    return p["E"] + p["A"] * _power(size, p["alpha"]) + p["B"] * _power(jnp.log(data), p["beta"])


def _kaplan(p: Values, x: Values) -> Any:
    return (p["A"] * jnp.exp(-p["alpha"] / p["beta"] * x["log_N"]) + p["B"] * jnp.exp(-x["log_D"])) ** p["beta"]


def _sigmoid(p: Values, x: Values) -> Any:
    return p["E"] + (p["C0"] - p["E"]) / (1.0 + jnp.exp(-p["k"] * (x["L"] - p["L0"])))


def _distilled(p: Values, x: Values) -> Any:
    gap = jnp.maximum(jnp.expm1(x["log_T"] - x["log_N"]), 0.0)
    gain = p["K"] * gap / (p["K"] + gap)
    return p["E"] + p["A"] * _power(x["log_N"] + jnp.log1p(gain), p["alpha"])


def _busbridge(p: Values, x: Values) -> Any:
    ratio = jnp.log(x["TL"]) - jnp.log(x["S"]) - jnp.log(p["d1"])
    bend = jnp.exp(-p["c1"] * p["f1"] * jnp.logaddexp(0.0, ratio / p["f1"]))
    own = p["A"] * _power(x["log_N"], p["alpha"]) + p["B"] * _power(x["log_D"], p["beta"])
    return x["TL"] + x["TL"] ** -p["c0"] * bend * own ** p["gamma"]


def _gadre(p: Values, x: Values) -> Any:
    eta = p["eta"]
    return p["E"] + (p["a"] * _power(x["log_M"], -eta) + p["b"] * _power(x["log_M"], eta)) * _power(x["log_C"], eta)


def _gadre_error(p: Values, x: Values) -> Any:
    return p["eps"] - p["k"] * jnp.exp(-p["gamma"] * x["L"])


def _personal(p: Values, x: Values) -> Any:
    share = jnp.exp(-p["beta"] * jnp.log1p(x["M"] / p["m0"]))
    return p["E"] * (1.0 - share) + p["C0"] * share


def _amplitude(name: str, of: dict[str, str | float], meaning: str, unit: str = "y") -> Parameter:
    return Parameter(name, "amplitude", unit, meaning, scaling=of)


_A = _amplitude("A", {"N": "alpha"}, "size of the part that falls with N, at N = 1")
_B = _amplitude("B", {"D": "beta"}, "size of the part that falls with D, at D = 1")
_ALPHA, _BETA = _exponent("alpha", "N"), _exponent("beta", "D")

_DECLARED = (
    power_sum("N", "none", "power"),
    power_sum("N", "floor", "floor_power"),
    power_sum("ND", "floor", "chinchilla"),
    Law(
        "users_hours", "y = E + A * U^-alpha + B * (U * H)^-beta", (INPUTS["U"], INPUTS["H"]),
        (
            _E, _amplitude("A", {"U": "alpha"}, "size of the part that falls with users, at U = 1"),
            _exponent("alpha", "U"),
            _amplitude("B", {"U": "beta", "H": "beta"}, "size of the part that falls with all hours, at U * H = 1"),
            _exponent("beta", "(U * H)"),
        ),
        _users_hours, linear=("E", "A", "B"),
    ),
    Law(
        "users_hours_product", "y = E + A * U^-alpha * H^-beta", (INPUTS["U"], INPUTS["H"]),
        (
            _E, _amplitude("A", {"U": "alpha", "H": "beta"}, "size of the falling part at U = H = 1"),
            _exponent("alpha", "U"), _exponent("beta", "H"),
        ),
        _product, linear=("E", "A"),
    ),
    power_sum("N", "saturating", "saturating"),
    power_sum("N", "rational", "rational"),
    power_sum("ND", "saturating", "saturating_joint"),
    power_sum("ND", "rational", "rational_joint"),
    Law(
        "broken", "y = E + A * N^-c0 * (1 + (N / d1)^(1 / f1))^(-c1 * f1)", (INPUTS["N"],),
        (
            _E, _amplitude("A", {"N": "c0"}, "size of the falling part at N = 1, before the break"),
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
            _E, _A, _ALPHA, _B, _BETA,
            Parameter("R_D", "positive", "epochs", "repeats of data beyond which more is vain", 1e-2, 1e4, (2.0, 50.0)),
            Parameter("R_N", "positive", "1", "excess of size beyond which more adds little", 1e-2, 1e4, (1.0, 50.0)),
        ),
        _repeated, source="Muennighoff et al. 2023, eqs. 5 and 6",
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
        "sigmoid", "y = E + (C0 - E) / (1 + exp(-k * (L - L0)))", (INPUTS["L"],),
        (
            _E, Parameter("C0", "ceiling", "y", "error at a very high loss", start=(1.0, 2.0)),
            Parameter(
                "k", "real", "1/L", "steepness (below 0 where y falls with the loss, as accuracies do)",
                start=lambda x, y: (-15.0 / np.ptp(x["L"]), 15.0 / np.ptp(x["L"])),
            ),
            Parameter(
                "L0", "real", "L", "loss at the middle of the rise", start=lambda x, y: (x["L"].min(), x["L"].max())
            ),
        ),
        _sigmoid, linear=("E", "C0"), ceiling="C0", rising=True,
    ),
    Law(
        "distilled", "y = E + A * N'^-alpha, N' = N * (1 + K * G / (K + G)), G = T / N - 1", (INPUTS["N"], INPUTS["T"]),
        (
            _E, _A, _ALPHA,
            Parameter(
                "K", "positive", "1", "with a far larger teacher a student is worth (1 + K) times its size",
                1e-3, 1e4, (0.1, 30.0),
            ),
        ),
        _distilled, linear=("E", "A"),
    ),
    Law(
        "busbridge",
        "y = TL + TL^-c0 * (1 + (TL / (S * d1))^(1 / f1))^(-c1 * f1) * (A * N^-alpha + B * D^-beta)^gamma",
        (INPUTS["N"], INPUTS["D"], INPUTS["TL"], INPUTS["S"]),
        (
            _amplitude("A", {"N": "alpha"}, "size of the student's part that falls with N, at N = 1", "1"), _ALPHA,
            _amplitude("B", {"D": "beta"}, "size of the student's part that falls with D, at D = 1", "1"), _BETA,
            Parameter("gamma", "exponent", "1", "exponent of the sum", 0.05, 3.0, (0.3, 1.5)),
            Parameter("c0", "real", "1", "how a better teacher widens the gap", start=(0.0, 3.0)),
            Parameter("c1", "real", "1", "slope beyond the capacity gap", start=(-1.0, 2.0)),
            Parameter("d1", "positive", "1", "teacher's over own loss at the capacity gap", start=(0.5, 1.5)),
            Parameter("f1", "positive", "1", "width of the capacity gap", 1e-3, 10.0, (0.05, 1.0)),
        ),
        _busbridge, scaled=False, least_runs=30, least_levels={"TL": 3}, source="Busbridge et al. 2025, eq. 8",
    ),
    Law(
        "gadre", "y = E + (a * M^eta + b * M^-eta) * C^-eta", (INPUTS["C"], _PER_PARAMETER),
        (
            _E, _amplitude("a", {"C": "eta", "M": "-eta"}, "size of the part that falls with parameters, at C = M = 1"),
            _amplitude("b", {"C": "eta", "M": "eta"}, "size of the part that falls with tokens, at C = M = 1"),
            _exponent("eta", "C"),
        ),
        _gadre, linear=("E", "a", "b"), rising=True, source="Gadre et al. 2024, eq. 4",
    ),
    Law(
        "gadre_error", "y = eps - k * exp(-gamma * L)", (INPUTS["L"],),
        (
            Parameter("eps", "ceiling", "y", "error at a very high loss", start=(1.0, 2.0)),
            Parameter("k", "amplitude", "y", "eps - k: error at loss 0"),
            Parameter(
                "gamma", "positive", "1/L", "how fast the error nears eps as the loss grows", 1e-3, 1e3,
                start=lambda x, y: (0.1 / np.ptp(x["L"]), 10.0 / np.ptp(x["L"])),
            ),
        ),
        _gadre_error, linear=("eps", "k"), ceiling="eps", rising=True, source="Gadre et al. 2024, eq. 5",
    ),
    Law(
        "personal", "y = E + (C0 - E) * (1 + M / m0)^-beta", (INPUTS["M"],),
        (
            _E, Parameter("C0", "ceiling", "y", "error without calibration", start=(1.0, 2.0)),
            Parameter("m0", "location", "minutes", "minutes after which calibration shows", scaling={"M": 1.0}),
            Parameter("beta", "exponent", "1", "exponent in minutes", 0.0, STEEPEST),
        ),
        _personal, linear=("E", "C0"), ceiling="C0",
    ),
)  # fmt: skip

LAWS: dict[str, Law] = {law.name: law for law in _DECLARED}
FAMILIES: dict[str, Link] = {"additive": "floor", "saturating": "saturating", "rational": "rational"}


def law_named(name: str, inputs: Sequence[str] | None = None) -> Law:
    """The declared law of this name; "additive", "saturating" and "rational" stand over any inputs.

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
