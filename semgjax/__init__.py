"""semgjax: scaling laws and distillation for surface-EMG decoders, in JAX.

The names below are the public API (docs/reference/api.md). Each is imported when it is first used, so that
`import semgjax` does not load JAX.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semgjax.api.comparison import LawComparison, compare, report
    from semgjax.api.decisions import Budgets, design
    from semgjax.api.evaluation import Evaluation
    from semgjax.api.fitting import FittedLaw, fit, load_fit
    from semgjax.api.forecasts import forecast, forecast_record, plot_record, settle
    from semgjax.api.imports import import_parameters
    from semgjax.api.models import Model, init, load
    from semgjax.api.optimal_compute import isoflop
    from semgjax.api.personalisation import personalize
    from semgjax.api.planned_step import DryRun, dry_run
    from semgjax.api.robustness import Robustness, stress
    from semgjax.api.runs import Export, Run, distill, export, train, verify
    from semgjax.api.signals import load_session
    from semgjax.api.transfer import TransferCheck, check_transfer
    from semgjax.data.band import Band
    from semgjax.data.sessions import Session
    from semgjax.errors import InputError, SemgjaxError
    from semgjax.evaluate.decoders import Decoder

__version__ = "0.1.0"

__all__ = [
    "Band",
    "Budgets",
    "Decoder",
    "DryRun",
    "Evaluation",
    "Export",
    "FittedLaw",
    "InputError",
    "LawComparison",
    "Model",
    "Robustness",
    "Run",
    "SemgjaxError",
    "Session",
    "TransferCheck",
    "check_transfer",
    "compare",
    "design",
    "distill",
    "dry_run",
    "export",
    "fit",
    "forecast",
    "forecast_record",
    "import_parameters",
    "init",
    "isoflop",
    "load",
    "load_fit",
    "load_session",
    "personalize",
    "plot_record",
    "report",
    "settle",
    "stress",
    "train",
    "verify",
]

_PLACES = {
    "semgjax.api.comparison": ("LawComparison", "compare", "report"),
    "semgjax.api.decisions": ("Budgets", "design"),
    "semgjax.api.fitting": ("FittedLaw", "fit", "load_fit"),
    "semgjax.api.forecasts": ("forecast", "forecast_record", "plot_record", "settle"),
    "semgjax.api.evaluation": ("Evaluation",),
    "semgjax.evaluate.decoders": ("Decoder",),
    "semgjax.api.imports": ("import_parameters",),
    "semgjax.api.models": ("Model", "init", "load"),
    "semgjax.api.optimal_compute": ("isoflop",),
    "semgjax.api.personalisation": ("personalize",),
    "semgjax.api.planned_step": ("DryRun", "dry_run"),
    "semgjax.api.robustness": ("Robustness", "stress"),
    "semgjax.api.runs": ("Export", "Run", "distill", "export", "train", "verify"),
    "semgjax.api.signals": ("load_session",),
    "semgjax.api.transfer": ("TransferCheck", "check_transfer"),
    "semgjax.data.band": ("Band",),
    "semgjax.data.sessions": ("Session",),
    "semgjax.errors": ("InputError", "SemgjaxError"),
}
_HOME = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'semgjax' has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
