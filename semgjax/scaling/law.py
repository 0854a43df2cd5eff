"""What a scaling law is: inputs, parameters and one JAX function of both.

A law is fitted in scaled numbers: every input over its geometric mean in the table (N / N0), y over the
table's geometric mean. Parameters that carry a unit of an input are turned back by `Parameter.scaling`.
"""

import importlib.util
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from semgjax.errors import InputError, system_fault

Kind = Literal["floor", "amplitude", "exponent", "positive", "location", "real", "ceiling"]
Values = dict[str, Any]
Curve = Callable[[Values, Values], Any]

# alpha = 10 over neighbouring sizes is a step, not a slope: nothing measured on error rates comes near it.
STEEPEST = 10.0


@dataclass(frozen=True)
class Input:
    """One variable of a law.

    centred: divided by its geometric mean before the law sees it. zero: the value 0 is allowed (minutes of
    calibration). default: the input whose value an empty cell takes (no teacher: the student's own size).
    group: inputs of one group share one reference, so that their ratios keep their meaning.
    """

    name: str
    unit: str
    meaning: str
    centred: bool = True
    zero: bool = False
    default: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Parameter:
    """One parameter of a law.

    kind: floor (linear, may be 0), amplitude, positive, location and ceiling (searched in logarithm), exponent
    and real (as they are). unit "y": scaled with y. low, high: its range, as declared (scaled) values. start:
    range of first guesses, or (x, y) -> that range. scaling: input -> power of its reference in the
    parameter's unit, a number or the name of an exponent parameter: A of A * N^-alpha has {"N": "alpha"},
    of A * N^alpha {"N": "-alpha"}.
    """

    name: str
    kind: Kind
    unit: str = "1"
    meaning: str = ""
    low: float | None = None
    high: float | None = None
    start: tuple[float, float] | Callable[[Values, Any], tuple[float, float]] | None = None
    scaling: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def in_log(self) -> bool:
        """Whether the search runs over the logarithm of the value."""
        return self.kind in ("amplitude", "positive", "location", "ceiling")


@dataclass(frozen=True, eq=False)
class Law:
    """A declared law.

    predict(p, x) -> y: JAX; p maps parameters to scalars, x maps every input "N" to its scaled values and
    "log_N" to their logarithm. linear: parameters that enter linearly in `inner` (or in `predict` where there
    is no inner); unlink(p, y) turns y into inner. From these the search takes its starts (variable
    projection). scaled: False leaves y and inputs in their own units (laws that compare y with an input).
    ceiling: the parameter or number that y never exceeds. rising: y may grow with the inputs.
    terms: input -> (amplitude, exponent) of its power term, where the law is a sum of such terms.
    least_runs, least_levels: runs, and different values of an input, with fewer of which a fit answers nothing.
    at_most: input -> the input that it is a part of and never exceeds, as unique data are of all data.
    """

    name: str
    formula: str
    inputs: tuple[Input, ...]
    parameters: tuple[Parameter, ...]
    predict: Curve
    linear: tuple[str, ...] = ()
    inner: Curve | None = None
    unlink: Curve | None = None
    scaled: bool = True
    ceiling: str | float | None = None
    rising: bool = False
    terms: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    least_runs: int = 0
    least_levels: Mapping[str, int] = field(default_factory=dict)
    source: str = ""
    file: str = ""
    at_most: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises InputError: a name twice, or a scaling or default that names nothing."""
        names = [*self.input_names, *(p.name for p in self.parameters)]
        for name in names:
            if names.count(name) > 1:
                raise InputError(f"law {self.name}: the name {name!r} is there twice; rename one", "bad-law")
        known = set(names)
        for parameter in self.parameters:
            others = {*parameter.scaling, *(v.lstrip("-") for v in parameter.scaling.values() if isinstance(v, str))}
            for missing in sorted(others - known):
                raise InputError(
                    f"law {self.name}: {parameter.name} is scaled by {missing!r}, which it has not", "bad-law"
                )

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(i.name for i in self.inputs)

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return tuple(p.name for p in self.parameters)

    @property
    def has_floor(self) -> bool:
        return any(p.kind == "floor" for p in self.parameters)

    def parameter(self, name: str) -> Parameter:
        """The parameter of this name.

        Raises:
            InputError: there is none.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise InputError(
            f"law {self.name} has no parameter {name!r}; it has {', '.join(self.parameter_names)}", "unknown-name"
        )


def signed(power: str) -> float:
    """-1 for a power of a scaling that is written with a minus, as "-alpha"; else 1."""
    return -1.0 if power.startswith("-") else 1.0


def load_law(place: str) -> Law:
    """The law NAME of a user's own Python file, given as "path/to/file.py:NAME".

    The file is imported, that is run: name only files you trust.

    Raises:
        InputError: no such file, no such name, a file that fails, or a value that is no Law.
    """
    file, _, name = place.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise InputError(f"{file}: no such file; give a law as path/to/file.py:NAME", "no-file")
    spec = importlib.util.spec_from_file_location(f"semgjax_law_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{file}: is no Python file; give a law as path/to/file.py:NAME", "bad-law")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except InputError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and getattr(error, "filename", None) == str(path):
            raise (system_fault(error, path) or InputError(f"{file}: {error.strerror}", "io-error")) from error
        raise InputError(f"{file}: fails when imported ({type(error).__name__}: {error})", "bad-law") from error
    law = getattr(module, name, None)
    if not isinstance(law, Law):
        found = [key for key, value in inspect.getmembers(module) if isinstance(value, Law)]
        raise InputError(f"{place}: no law {name!r} in that file; it has {', '.join(found) or 'none'}", "unknown-name")
    object.__setattr__(law, "file", str(place))
    return law
