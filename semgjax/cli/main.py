"""The command `semgjax`: runs a command group and turns errors into one line and an exit code."""

import importlib
import json
import os
import re
import sys

from semgjax import __version__
from semgjax.cli.commands import choose
from semgjax.cli.own_modules import import_own
from semgjax.cli.terminal import drop, prepare, reader_is_gone, say
from semgjax.errors import InputError, SemgjaxError, first_line, system_fault

# group -> description. semgjax.cli.<group> is imported only for its own commands, so that help is instant and a data
# command does not load the training code.
GROUPS = {
    "demo": "the whole pipeline on simulated sessions, with a report (minutes on a laptop)",
    "data": "simulate, ingest, check, split and show sessions",
    "train": "train one decoder",
    "distill": "train a small decoder from a teacher run",
    "personalize": "make a decoder one person's, from that person's first minutes",
    "evaluate": "error rates of a run or an export",
    "sweep": "plan, run and collect many trials",
    "scaling": "fit a scaling law to a table of results",
    "lm": "train and score character language models",
    "export": "write a run's parameters as a self-contained checkpoint",
    "stream": "live text from a wristband, a stream, a board or a recorded session",
    "import": "read parameters back, to train them further",
    "check": "check whether a learning rate tuned on a small network suits larger ones",
    "costs": "operations and bytes per second of signal, offline and streamed",
    "bench": "measure semgjax against its peers",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 2 bad input, 3 a number is withheld (`semgjax scaling`), 70 diverged, 74 the state could not be uploaded, 75
    preempted (run it again), 130 interrupted, 141 the reader of the output closed the pipe, 143 a stream was ended by
    SIGTERM; 1 any other failure, with its traceback.
    """
    words = sys.argv[1:] if arguments is None else arguments
    prepare()
    try:
        return _guarded(words)
    except BrokenPipeError:
        if not reader_is_gone():
            raise
        return 141


def _guarded(words: list[str]) -> int:
    try:
        code = _run(words)
        sys.stdout.flush()  # shows a broken pipe or a full disk here instead of in the interpreter's shutdown
        return code
    except SemgjaxError as error:
        return _fail(error, words)
    except KeyboardInterrupt:
        say("semgjax: error: interrupted", error=True)
        return 130
    except BrokenPipeError:
        raise
    except OSError as error:
        fault = system_fault(error)
        if fault is None:  # a bug: keep its traceback
            raise
        return _fail(fault, words)
    except (RuntimeError, MemoryError) as error:
        fault = _no_memory(error) or _no_platform(error)
        if fault is None:
            raise
        return _fail(fault, words)


def _run(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"semgjax {__version__}")
        return 0
    group = choose("semgjax", GROUPS, words)
    if group is None:
        return 0
    import_own()
    return importlib.import_module(f"semgjax.cli.{group}").run(words[1:])


def _no_memory(error: Exception) -> InputError | None:
    """Out of memory on the machine or a device, as reported by Python, NumPy or XLA."""
    if not isinstance(error, MemoryError) and not re.search(r"RESOURCE_EXHAUSTED|[Oo]ut of memory", str(error)):
        return None
    return InputError(
        f"not enough memory ({first_line(error)}); use a smaller batch or model, or a larger train.accumulate",
        "no-memory",
    )


def _no_platform(error: Exception) -> InputError | None:
    """JAX was asked for a platform that this machine lacks, which it reports only when it is first used."""
    named = os.environ.get("JAX_PLATFORMS") or os.environ.get("JAX_PLATFORM_NAME")
    if not named or not re.search(r"Unable to initialize backend|[Uu]nknown backend", str(error)):
        return None
    return InputError(
        f"environment: JAX_PLATFORMS is {named!r}: {first_line(error)}; name a platform of this machine or unset it",
        "bad-environment",
    )


def _fail(error: SemgjaxError, words: list[str]) -> int:
    """Print one line on stderr and, with --json, an object with the stable code on stdout."""
    say(f"semgjax: error: {error}", error=True)
    try:
        if "--json" in words:
            body = {"code": error.code, "message": str(error), "exit_code": error.exit_code}
            print(json.dumps({"error": body}))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError:  # stdout itself failed, as on a full disk
        drop(1)
    return error.exit_code
