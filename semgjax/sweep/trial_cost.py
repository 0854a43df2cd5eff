"""What a trial takes on a machine: parameters, operations, device-hours and money; one table of machine types.

Writes nothing.
"""

import difflib
from dataclasses import dataclass

from semgjax.errors import InputError
from semgjax.model.config import Network
from semgjax.parallel.hardware import CHIPS


@dataclass(frozen=True)
class Machine:
    """One device of a kind: a TPU chip, a GPU, a processor core."""

    name: str
    peak: float
    """floating-point operations a second at most: bfloat16 matrix products, dense; on a core float32"""
    utilisation: float
    """share of the peak that training reaches"""
    source: str
    """of the two"""


_ASSUMED = "utilisation assumed, peak as published"
MACHINES = {name: Machine(name, chip.flops, 0.3, _ASSUMED) for name, chip in CHIPS.items() if chip.flops is not None}
MACHINES["cpu-core"] = Machine("cpu-core", 90e9, 0.08, "both measured on one core, docs/log.md")
"""No prices: they differ by region, contract and date, and a wrong one is worse than none (--price)."""


@dataclass(frozen=True)
class Rate:
    """What a sweep is reckoned with."""

    machine: Machine
    utilisation: float
    price: float | None
    """of one device for one hour, in any currency"""

    def hours(self, flops: float) -> float:
        """Device-hours of the training steps alone: start-up, compilation and evaluation are left out."""
        return flops / (self.machine.peak * self.utilisation) / 3600

    def cost(self, flops: float) -> float | None:
        """Price of that time, None without a price."""
        return None if self.price is None else self.hours(flops) * self.price


def rate_of(machine: str, utilisation: float | None = None, price: float | None = None) -> Rate:
    """The rate of a named machine type, with the user's own utilisation and price where given.

    Raises:
        InputError: an unknown machine type, or numbers out of range.
    """
    if machine not in MACHINES:
        near = difflib.get_close_matches(machine, MACHINES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose among {', '.join(MACHINES)}"
        raise InputError(f"--machine {machine!r} is unknown; {hint}", "unknown-name")
    found = MACHINES[machine]
    if utilisation is not None and not 0 < utilisation <= 1:
        raise InputError(f"--utilisation {utilisation}: give a share above 0, at most 1", "bad-value")
    if price is not None and not 0 <= price < float("inf"):
        raise InputError(f"--price {price}: give the price of one {machine} for one hour, 0 or more", "bad-value")
    return Rate(found, found.utilisation if utilisation is None else utilisation, price)


def check_budget(flops: float, rate: Rate, budget: float | None, budget_hours: float | None) -> None:
    """Refuse a sweep that takes more than its budget, of money or of device-hours.

    Raises:
        InputError: it does, or there is a budget of money without a price.
    """
    hours, cost = rate.hours(flops), rate.cost(flops)
    if budget_hours is not None and not hours <= budget_hours:
        raise InputError(
            f"the sweep takes {hours:,.4g} {rate.machine.name} hours, more than --budget-hours {budget_hours:g}; "
            "plan fewer or shorter trials",
            "bad-value",
        )
    if budget is None:
        return
    if cost is None:
        raise InputError(
            f"--budget {budget:g} needs --price, that of one {rate.machine.name} for one hour", "bad-option"
        )
    if not cost <= budget:
        raise InputError(
            f"the sweep costs {cost:,.2f}, more than --budget {budget:g}; plan fewer or shorter trials", "bad-value"
        )


def parameters_of(model: Network) -> int:
    """How many parameters a model has; none is made for it."""
    from semgjax.model.network import count

    return count(model)
