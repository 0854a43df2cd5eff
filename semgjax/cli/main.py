"""The command `semgjax`: picks a command group, runs it, turns errors into one line and an exit code."""

import importlib
import json
import os
import select
import sys

from semgjax import __version__
from semgjax.cli.choice import choose
from semgjax.errors import SemgjaxError, system_fault
from semgjax.printable import printable

# group -> what it does. The module semgjax.cli.<group> is imported only when asked for, so that help is
# instant and a data command never pays for loading the training stack.
GROUPS = {
    "demo": "the whole path on simulated sessions, with a report (minutes on a laptop)",
    "data": "simulate, ingest, check, split and show sessions",
    "train": "train one decoder",
    "distill": "train a small decoder from a teacher run",
    "evaluate": "error rates of a run or an export",
    "sweep": "plan, run and collect many trials",
    "scaling": "fit a scaling law to a table of results",
    "export": "write a run's parameters as a self-contained checkpoint",
    "bench": "measure semgjax against its peers",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 2 bad input, 70 diverged, 74 the state is not at its address, 75 preempted (run it again), 130
    interrupted, 141 the reader of our output went away; 1 any other failure, with its traceback.
    """
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = _run(words)
        sys.stdout.flush()  # a broken pipe shows here, not in the interpreter's own shutdown
        return code
    except SemgjaxError as error:
        return _fail(error, words)
    except KeyboardInterrupt:
        print("semgjax: error: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        if not _stdout_is_gone():
            raise
        return 141
    except OSError as error:
        fault = system_fault(error)
        if fault is None:  # a fault of ours: it keeps its traceback
            raise
        return _fail(fault, words)


def _run(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"semgjax {__version__}")
        return 0
    group = choose("semgjax", GROUPS, words)
    if group is None:
        return 0
    return importlib.import_module(f"semgjax.cli.{group}").run(words[1:])


def _fail(error: SemgjaxError, words: list[str]) -> int:
    """One line on stderr; with --json also an object on stdout, whose code is stable."""
    if "--json" in words:
        body = {"code": error.code, "message": str(error), "exit_code": error.exit_code}
        print(json.dumps({"error": body}))
    print(f"semgjax: error: {printable(error)}", file=sys.stderr)
    return error.exit_code


def _stdout_is_gone() -> bool:
    """Whether a broken pipe was our output's (`semgjax ... | head`); drops what is still buffered then."""
    poll = select.poll()
    poll.register(1, select.POLLOUT)
    gone = any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
    if gone:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return gone
