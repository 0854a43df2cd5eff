"""Fits of made tables of every kind that figures and pages are drawn for."""

import functools

import numpy as np

from semgjax.scaling.decide.cost_model import read_cost
from semgjax.scaling.decide.evidence import Evidence, gather
from semgjax.scaling.fit import Fit, fit_law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.table import Table
from tests.scaling.decide.made import joint_evidence, joint_fit, size_evidence, size_fit

OTHER = "\u53c2\u6570\u6570\u91cf"
CYRILLIC = "\u0442\u043e\u0447\u043d\u043e\u0441\u0442\u044c"
SHARE = "share_of_wrongly_read_characters_averaged_over_sessions"
LONG = "number_of_trainable_parameters_of_the_encoder_without_the_embedding_layer"
COST = read_cost("6*N*D")


def noisy(y, noise=0.01, seed=0):
    return y * np.exp(noise * np.random.default_rng(seed).standard_normal(len(y)))


@functools.cache
def users_hours_fit() -> Fit:
    users, hours = (v.reshape(-1) for v in np.meshgrid([2.0, 4.0, 8.0, 16.0, 32.0], [0.5, 1.0, 2.0, 4.0]))
    y = 4.0 + 50.0 * users**-0.5 + 30.0 * (users * hours) ** -0.4
    x = {"U": users, "H": hours}
    return fit_law(
        Table(x, noisy(y), "%", "cer", {"U": "users", "H": "hours/users"}, "results.csv"), LAWS["users_hours"]
    )


@functools.cache
def tokens_fit() -> Fit:
    """Sizes and tokens of published scale, and a loss without unit."""
    sizes, tokens = (v.reshape(-1) for v in np.meshgrid([1e8, 4e8, 1e9, 4e9], [2e9, 8e9, 3e10, 1e11]))
    y = 1.7 + 400.0 * sizes**-0.34 + 410.0 * tokens**-0.28
    table = Table({"N": sizes, "D": tokens}, noisy(y, 0.003), "", "loss", {"N": "params", "D": "tokens"}, "runs.csv")
    return fit_law(table, LAWS["chinchilla"])


@functools.cache
def compute_fit() -> Fit:
    flops = np.repeat(np.geomspace(3e17, 3e21, 8), 2)
    y = noisy(1.8 + 1.2 * (flops / 1e19) ** -0.2, 0.004)
    return fit_law(Table({"N": flops}, y, "nats", "loss", {"N": "flops"}, "compute.csv"))


@functools.cache
def saturating_fit() -> Fit:
    sizes = np.repeat(np.geomspace(1e4, 1e7, 8), 2)
    y = noisy(95.0 * (1.0 - np.exp(-2.0 * (sizes / 1e5) ** -0.4)), 0.02)
    return fit_law(Table({"N": sizes}, y, "%", "cer", {"N": "params"}, "results.csv"), LAWS["saturating"])


@functools.cache
def students_fit() -> Fit:
    sizes, teachers = (v.reshape(-1) for v in np.meshgrid(np.geomspace(1e4, 1e6, 6), [1.0, 4.0, 16.0]))
    gain = teachers - 1.0
    y = 6.0 + 30.0 * (sizes * (1.0 + 2.0 * gain / (2.0 + gain)) / 1e5) ** -0.4
    x = {"N": sizes, "T": sizes * teachers}
    columns = {"N": "params", "T": "teacher_params"}
    return fit_law(Table(x, noisy(y), "%", "cer", columns, "students.csv"), LAWS["distilled"])


@functools.cache
def many_fit() -> Fit:
    """500 runs."""
    sizes = np.repeat(np.geomspace(1e4, 1e7, 100), 5)
    y = noisy(8.0 + 20.0 * (sizes / 1e5) ** -0.45, 0.05)
    runs = tuple(f"run-{i:03d}" for i in range(500))
    return fit_law(Table({"N": sizes}, y, "%", "cer", {"N": "params"}, "many.csv", runs=runs))


@functools.cache
def crowded_fit() -> Fit:
    """100 runs: more than a page lists."""
    sizes = np.repeat(np.geomspace(1e4, 1e7, 20), 5)
    y = noisy(8.0 + 20.0 * (sizes / 1e5) ** -0.45, 0.05)
    runs = tuple(f"run-{i:03d}" for i in range(len(sizes)))
    return fit_law(Table({"N": sizes}, y, "%", "cer", {"N": "params"}, "many.csv", runs=runs))


@functools.cache
def named_fit(size: str, y_name: str) -> Fit:
    """The sizes of `size_fit` under other names."""
    table = size_fit().table
    return fit_law(Table(table.x, table.y, "%", y_name, {"N": size}, f"{y_name}.csv"))


@functools.cache
def blocked_fit() -> Fit:
    """Five runs whose error rises with size."""
    sizes = np.array([1e4, 3e4, 1e5, 3e5, 1e6])
    y = np.array([10.0, 12.1, 14.2, 16.9, 20.3])
    return fit_law(Table({"N": sizes}, y, "%", "cer", {"N": "params"}, "five.csv"))


@functools.cache
def open_fit() -> Fit:
    """Two inputs that the points determine badly: intervals without ends."""
    sizes, data = (v.reshape(-1) for v in np.meshgrid([1e5, 2e5, 4e5], [1.0, 2.0, 4.0]))
    y = noisy(20.0 * (sizes / 1e5) ** -0.05 + 3.0 * data**-0.05, 0.05, 3)
    table = Table({"N": sizes, "D": data}, y, "%", "cer", {"N": "params", "D": "hours"}, "open.csv")
    return fit_law(table, LAWS["chinchilla"])


@functools.cache
def evidence_of(make) -> Evidence:
    """The evidence about one of these fits."""
    known = {size_fit: size_evidence, joint_fit: joint_evidence}
    return known[make]() if make in known else gather(make(), draws=100)
