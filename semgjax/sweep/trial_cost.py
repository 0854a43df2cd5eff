"""The cost of a trial on a machine: parameters, operations, device-hours and money; the table of machine types."""

import difflib
from dataclasses import dataclass

from semgjax.errors import InputError
from semgjax.model.config import Network
from semgjax.parallel.hardware import CHIPS


@dataclass(frozen=True)
class Machine:
    """One device: a TPU chip, a GPU, or a processor core."""

    name: str
    peak: float
    """peak floating-point operations per second: dense bfloat16 matrix products; float32 on a processor core"""
    utilisation: float
    """share of the peak that training reaches"""
    source: str
    """source of the two figures"""


_ASSUMED = "utilisation assumed, peak as published"
MACHINES = {name: Machine(name, chip.flops, 0.3, _ASSUMED) for name, chip in CHIPS.items() if chip.flops is not None}
MACHINES["cpu-core"] = Machine("cpu-core", 90e9, 0.08, "both measured on one core, docs/log.md")
"""Without prices, which differ by region, contract and date: the user gives one."""


@dataclass(frozen=True)
class Rate:
    """The figures that the cost of a sweep is computed with."""

    machine: Machine
    utilisation: float
    price: float | None
    """price of one device for one hour, in any currency"""

    def hours(self, flops: float) -> float:
        """Device-hours of the training steps, without start-up, compilation and evaluation."""
        return flops / (self.machine.peak * self.utilisation) / 3600

    def cost(self, flops: float) -> float | None:
        """Price of that time; None without a price."""
        return None if self.price is None else self.hours(flops) * self.price


def rate_of(machine: str, utilisation: float | None = None, price: float | None = None) -> Rate:
    """The rate of a machine type, with the user's utilisation and price if given.

    Raises:
        InputError: an unknown machine type, or numbers out of range.
    """
    if machine not in MACHINES:
        near = difflib.get_close_matches(machine, MACHINES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose among {', '.join(MACHINES)}"
        raise InputError(f"machine {machine!r} is unknown; {hint}", "unknown-name")
    found = MACHINES[machine]
    if utilisation is not None and not 0 < utilisation <= 1:
        raise InputError(f"utilisation {utilisation}: give a share above 0, at most 1", "bad-value")
    if price is not None and not 0 <= price < float("inf"):
        raise InputError(f"price {price}: give the price of one {machine} for one hour, 0 or more", "bad-value")
    return Rate(found, found.utilisation if utilisation is None else utilisation, price)


def chosen_rate(
    machine: str | None,
    utilisation: float | None = None,
    price: float | None = None,
    budget: float | None = None,
    budget_hours: float | None = None,
) -> Rate | None:
    """The rate of a machine type; None without one, and then there is no cost to limit.

    Raises:
        InputError: see `rate_of`; or one of the others is given without a machine type ("conflict").
    """
    if machine is not None:
        return rate_of(machine, utilisation, price)
    given = {"utilisation": utilisation, "price": price, "budget": budget, "budget_hours": budget_hours}
    for option, value in given.items():
        if value is not None:
            raise InputError(f"{option} {value}: needs machine, the type of device", "conflict")
    return None


def check_budget(flops: float, rate: Rate, budget: float | None, budget_hours: float | None) -> None:
    """Refuse a sweep that exceeds its budget of money or of device-hours.

    Raises:
        InputError: it does, or a budget of money is given without a price.
    """
    hours, cost = rate.hours(flops), rate.cost(flops)
    if budget_hours is not None and not hours <= budget_hours:
        raise InputError(
            f"the sweep takes {hours:,.4g} {rate.machine.name} hours, more than budget_hours {budget_hours:g}; "
            "plan fewer or shorter trials",
            "bad-value",
        )
    if budget is None:
        return
    if cost is None:
        raise InputError(f"budget {budget:g} needs the price of one {rate.machine.name} for one hour", "bad-option")
    if not cost <= budget:
        raise InputError(
            f"the sweep costs {cost:,.2f}, more than budget {budget:g}; plan fewer or shorter trials", "bad-value"
        )


def parameters_of(model: Network) -> int:
    """The number of parameters of a model, without initialising it."""
    from semgjax.model.network import count

    return count(model)
