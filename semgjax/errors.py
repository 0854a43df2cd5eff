"""The few ways a command ends badly, each with its exit code, a stable code and one clear line."""

import errno
import os
import re
from pathlib import Path

# Every code that an error can carry. Sentences may change; a code may not, scripts and tests rely on it. The table in
# docs/errors.md is held to this one by a test.
CODES = {
    # any place on a disk
    "no-file": "there is no such file or folder",
    "not-a-file": "the path is a folder where a file is wanted, or the other way round",
    "out-exists": "the output is there already, or its folder is not empty",
    "in-use": "another live process holds the folder",
    "no-permission": "the system does not permit reading or writing there",
    "no-space": "the disk, or the user's quota, is full",
    "too-many-files": "the process has reached its limit of open files",
    "io-error": "the device failed while it was read or written",
    "stale-handle": "a network file system has lost the file; it may be back on the next try",
    "file-locked": "another process has locked the file",
    "bad-path": "the path cannot be used: too long, a loop of links, or not in the file system's encoding",
    "no-memory": "the machine or the device has not enough memory",
    # any document
    "bad-encoding": "the text is in another encoding than UTF-8, or holds bytes that no text has",
    "bad-json": "the file is no JSON, or is nested too deep",
    "bad-toml": "the file is no TOML, or is nested too deep",
    "wrong-schema": "the file is of another kind",
    "wrong-version": "the file was written by a version that cannot be read",
    "bad-field": "a field is missing, unknown, or of another type or range",
    "damaged": "the bytes differ from the hash or the size that was recorded for them, or the file is cut short",
    "changed": "the content was changed after it was signed",
    "not-finite": "a number is NaN or infinite where a finite one is needed",
    # any option
    "bad-option": "an option is unknown, missing, or its words do not parse",
    "bad-value": "a value is out of its range",
    "unknown-name": "a name is none of the known ones",
    "conflict": "two options or settings exclude each other",
    "missing-extra": "an optional package is not installed",
    "bad-environment": "an environment variable cannot be understood",
    # sessions
    "no-sessions": "nothing there can be read as a session",
    "duplicate-session": "two files have one session name",
    "no-keys": "no key of the key set lies inside the signal, so that there is nothing to learn or to score",
    "bad-name": "a file's name is not in the form that its kind of folder asks for",
    "channel-count": "the number of electrodes is another than the model's",
    "bad-header": "a signal file's header holds what cannot be",
    "unknown-unit": "a channel's unit is none of volts",
    "gap-in-signal": "the signal is not continuous, or its times are not known",
    "electrode-order": "the channels' names do not tell which electrode each is",
    # runs and exports
    "not-finished": "the run has not reached its last step, or has no checkpoint yet",
    "scores-differ": "an export's recorded scores are not those that its bytes give",
    "unsigned": "the checkpoint has no record of hashes",
    "unreadable": "the file's bytes are those that were written, and yet a library cannot read it",
    # tables
    "no-column": "the table has no column of that name",
    "bad-row": "a row is no CSV or JSON, or has not the header's cells",
    "no-row": "no row of the table is left by the filters",
    "duplicate-run": "two rows are of one run",
    "bad-number": "a cell holds no number, or one that cannot be used",
    # scaling laws
    "too-few-levels": "the points are too few, or vary too little, for what is asked of them",
    "several-curves": "the rows lie on more than one curve",
    "bad-shape": "arrays have another shape than is expected, or lengths that differ",
    "bad-law": "a law's declaration, or the file that holds it, cannot be used",
    "wrong-law": "the law has not the inputs, or the parts, that the question or the file needs",
    "out-of-reach": "no value within reach gives what is asked for",
    "input": "any other bad input",
}


class SemgjaxError(Exception):
    """A failure with a message for the user.

    Attributes:
        exit_code: what the process returns.
        code: a stable name of the kind of failure, one of CODES for bad input.
    """

    exit_code = 1
    code = "failed"

    def __init__(self, message: str = "", code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class InputError(SemgjaxError):
    """Bad input: the message names the file or option, the value, and what to do about it."""

    exit_code = 2
    code = "input"


class Diverged(SemgjaxError):
    """Training met a non-finite loss or gradient; the last good checkpoint is kept."""

    exit_code = 70
    code = "diverged"


class Preempted(SemgjaxError):
    """Training was asked to stop; the state is saved and the same command resumes it."""

    exit_code = 75
    code = "preempted"


class Unsaved(SemgjaxError):
    """A run's state could not be put to its address; it stays in a local folder, which the message names."""

    exit_code = 74
    code = "unsaved"


# What the operating system says of a place -> code and remedy. None of these proves that data are damaged, so none
# advises to remove any.
_FAULTS = {
    errno.ENOENT: ("no-file", "check the path"),
    errno.ENOTDIR: ("not-a-file", "check the path"),
    errno.EISDIR: ("not-a-file", "give a file"),
    errno.EEXIST: ("out-exists", "choose another place"),
    errno.ENOTEMPTY: ("out-exists", "choose another place"),
    errno.EACCES: ("no-permission", "ask for the right to it or choose another place"),
    errno.EPERM: ("no-permission", "ask for the right to it or choose another place"),
    errno.EROFS: ("no-permission", "choose a place that can be written"),
    errno.ENOSPC: ("no-space", "free some space or choose another disk, then run the same command again"),
    errno.EDQUOT: ("no-space", "free some space or choose another disk, then run the same command again"),
    errno.EFBIG: ("no-space", "the file system takes no file of this size; choose another disk"),
    errno.EMFILE: ("too-many-files", "raise the limit of open files (ulimit -n 4096) and run the same command again"),
    errno.ENFILE: ("too-many-files", "the whole system has too many files open; try again later"),
    errno.EIO: ("io-error", "check the disk and its cable or network, then run the same command again"),
    errno.ESTALE: ("stale-handle", "the network file system lost it; mount it again or try again"),
    errno.EAGAIN: ("file-locked", "another process has it locked; wait for that one to end"),
    errno.ENAMETOOLONG: ("bad-path", "choose a shorter name"),
    errno.ELOOP: ("bad-path", "its links lead in a circle; correct them"),
}


def fault_code(error: Exception) -> str:
    """The code of what the system says of a place."""
    fault = system_fault(error)
    return "io-error" if fault is None else fault.code


def system_fault(error: BaseException, place: Path | str | None = None) -> InputError | None:
    """What the operating system says of a place that the user gave, as one line; None for an error of another kind.

    HDF5, tensorstore and other libraries keep the system's number, or its words alone, within their own text: pass
    their errors here before taking them for damage.
    """
    number = getattr(error, "errno", None) or _number_in(str(error))
    if number not in _FAULTS:
        return None
    code, remedy = _FAULTS[number]
    where = place or getattr(error, "filename2", None) or getattr(error, "filename", None) or "output"
    return InputError(f"{where}: {os.strerror(number)}; {remedy}", code)


def _number_in(text: str) -> int | None:
    """The errno that a library names within its message, by number or in the system's words."""
    named = re.search(r"\b[Ee]rrno\s*[=:]?\s*(\d{1,3})\b", text, re.ASCII)
    if named:
        return int(named[1])
    return next((number for number in _FAULTS if os.strerror(number).lower() in text.lower()), None)


def first_line(error: BaseException) -> str:
    """What an error says, cut to one line of at most 200 characters."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
