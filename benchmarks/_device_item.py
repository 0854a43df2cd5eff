"""One check of the device kit in a process of its own: `python -m benchmarks._device_item NAME FOLDER small|full`.

Writes FOLDER/state/NAME.json. A crash of a driver, or a process that holds all of a device's memory, then ends one
check and not the kit.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks._device_figures import Absent, Figure, Outcome
from benchmarks._device_runs import Unfinished
from semgjax.errors import InputError
from semgjax.files import write_atomic

Check = Callable[[bool, Path], list[Figure]]


def check_of(name: str) -> Check:
    """The function of a check.

    Raises:
        InputError: there is no such check ("unknown-name").
    """
    from benchmarks import _device_exact, _device_parity, _device_runs, _device_speed

    plain: dict[str, Callable[[bool], list[Figure]]] = {
        "parity.ctc": _device_parity.ctc_rows,
        "parity.attention": _device_parity.attention,
        "parity.remat": _device_exact.remat,
        "parity.resume": _device_exact.resume,
        "parity.devices": _device_exact.devices,
        "speed.attention": _device_speed.attention,
        "speed.ctc": _device_speed.ctc_alone,
        "speed.torch_ctc": _device_speed.torch_ctc,
        "speed.feed": _device_speed.feed,
        "speed.packed": _device_speed.packed,
        "speed.compile": _device_speed.first_step,
        "speed.distill": _device_speed.distilled,
    }
    of_network: dict[str, Callable[[str, bool], list[Figure]]] = {
        "parity.network": _device_parity.one_network,
        "speed.step": _device_speed.step,
        "speed.torch": _device_speed.torch_step,
    }
    in_folder: dict[str, Check] = {
        "run.train": _device_runs.train,
        "run.distill": _device_runs.distill,
        "run.sweep": _device_runs.sweep,
    }
    if name in plain:
        return lambda small, _: plain[name](small)
    if name in in_folder:
        return in_folder[name]
    kind, _, network = name.rpartition(".")
    if kind not in of_network:
        raise InputError(f"no check is called {name!r}", "unknown-name")
    return lambda small, _: of_network[kind](network, small)


def main(name: str, folder: Path, small: bool) -> None:
    """Run the check and write its outcome."""
    begun = time.perf_counter()
    try:
        figures = check_of(name)(small, folder)
        outcome = Outcome(name, "measured", "", time.perf_counter() - begun, tuple(figures))
    except Absent as absent:
        outcome = Outcome(name, "skipped", str(absent), time.perf_counter() - begun)
    except Unfinished:
        sys.exit(75)  # nothing is written: the next call of the kit continues it
    write_atomic(folder / "state" / f"{name}.json", json.dumps(outcome.as_json(), indent=1))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3] == "small")
