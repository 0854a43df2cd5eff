"""The ways in which a command fails, each with an exit code, a stable code and one line."""

import errno
import os
import re
from pathlib import Path

# Every code that an error can carry. Sentences may change; codes may not, since scripts and tests rely on them. The
# table of docs/errors.md is written from this one: python docs/write_codes.py.
CODES = {
    # paths and disks
    "no-file": "the file or folder does not exist",
    "not-a-file": "the path is a folder where a file is expected, or the reverse",
    "out-exists": "the output already exists, or its folder is not empty",
    "in-use": "another live process holds the folder",
    "no-permission": "the system does not permit reading or writing there",
    "no-space": "the disk or the user's quota is full",
    "too-many-files": "the process has reached its limit of open files",
    "io-error": "the device failed during a read or a write",
    "stale-handle": "a network file system has lost the file; a retry may succeed",
    "file-locked": "another process has locked the file",
    "bad-path": "the path cannot be used: too long, a loop of links, or not in the file system's encoding",
    "no-memory": "the machine or the device has too little memory",
    # documents
    "bad-encoding": "the text is not valid UTF-8",
    "bad-json": "the file is not valid JSON, or is nested too deeply",
    "bad-toml": "the file is not valid TOML, or is nested too deeply",
    "wrong-schema": "the file is of another kind",
    "wrong-version": "the file has a version that this release cannot read",
    "bad-field": "a field is missing, unknown, of another type, or out of range",
    "damaged": "the bytes differ from the recorded hash or size, or the file is truncated",
    "changed": "the content was changed after it was recorded",
    "not-finite": "a number is NaN or infinite where a finite one is required",
    # options
    "bad-option": "an option is unknown, missing, or cannot be parsed",
    "bad-value": "a value is out of range",
    "unknown-name": "a name is not one of the known ones",
    "conflict": "two options or settings exclude each other",
    "missing-extra": "an optional package is not installed",
    "port-in-use": "another program listens on the port",
    "bad-environment": "an environment variable, or the machine that it describes, cannot be used",
    # sessions
    "no-sessions": "nothing there can be read as a session",
    "duplicate-session": "two files have the same session name",
    "no-labels": "a session without labels is in a part of a split that needs them",
    "no-keys": "no key of the key set lies inside the signal, so there is nothing to learn or to score",
    "bad-name": "a name does not have the form that its place requires",
    "channel-count": "the number of electrodes differs from the model's",
    "one-recording": "sessions spliced from one recording are in different parts of a split",
    "mixed-bands": "sessions that belong together differ in electrodes, sample rate or classes",
    "band-misfit": "the network cannot take the sessions' electrodes, sample rate or classes",
    "bad-header": "the header of a signal file holds impossible values",
    "unknown-unit": "a channel's unit is not a form of volts",
    "gap-in-signal": "the signal is not continuous, or its times are unknown",
    "no-forecast": "the plan lets this trial run only after an open forecast of it was signed",
    "no-source": "no device or sender answers there, or what it sends is no signal",
    "bad-packet": "a packet of samples is not of the documented form, or not of the stream that it belongs to",
    "electrode-order": "the channels' names do not say which electrode each one is",
    "fill-in": "a line of semgjax.toml that only the owner of the data can know is not filled in",
    "rate-differs": "the rate of the times in a file, or the one that it names, is not the declared one",
    "unknown-class": "a label is neither one of the declared classes nor rest",
    "outside-signal": "an event begins or ends outside of the signal",
    "empty": "the file holds no samples",
    "too-large": "a line or an array is larger than anything that a recording holds",
    # runs and exports
    "not-finished": "the run has not reached its last step, or has no checkpoint yet",
    "scores-differ": "an export's recorded scores differ from those that it gives",
    "parity": "what an export's files give differs from what JAX gives by more than its bound",
    "tensor-misfit": "a tensor is missing or unknown, or not of the shape or type of the network's parameter",
    "unsigned": "the checkpoint has no record of hashes",
    "unreadable": "the place or file cannot be read, although nothing shows that it is damaged",
    # tables
    "no-column": "the table has no column of that name",
    "bad-row": "a row is not valid CSV or JSON, or its number of cells differs from the header's",
    "no-row": "the filters leave no row of the table",
    "duplicate-run": "two rows belong to the same run",
    "bad-number": "a cell holds no usable number",
    # scaling laws
    "too-few-levels": "there are too few points, or they vary too little, for the question",
    "not-identified": "the points lie at too few different places to determine what is asked",
    "several-curves": "the rows lie on more than one curve",
    "bad-shape": "arrays have unexpected shapes or different lengths",
    "bad-law": "a law's declaration, or the file that holds it, cannot be used",
    "wrong-law": "the law lacks the inputs or the parts that the question or the file needs",
    "swapped-columns": "a part exceeds its whole, as unique tokens above all tokens: two columns are swapped",
    "out-of-reach": "no value within range gives what is asked for",
    "input": "any other bad input",
}


class SemgjaxError(Exception):
    """A failure with a message for the user.

    Attributes:
        exit_code: what the process returns.
        code: a stable name of the kind of failure; for bad input, one of CODES.
    """

    exit_code = 1
    code = "failed"

    def __init__(self, message: str = "", code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class InputError(SemgjaxError):
    """Bad input: the message names the file or option, the value and the remedy."""

    exit_code = 2
    code = "input"


class Diverged(SemgjaxError):
    """The loss or gradient became non-finite; the last good checkpoint is kept."""

    exit_code = 70
    code = "diverged"


class Preempted(SemgjaxError):
    """Training was asked to stop and has saved its state; the same command resumes it."""

    exit_code = 75
    code = "preempted"


class Unsaved(SemgjaxError):
    """A run's state could not be uploaded to its address; it is kept in a local folder, which the message names."""

    exit_code = 74
    code = "unsaved"


# errno -> code and remedy. None of these proves that data are damaged, so none advises to remove any.
_FAULTS = {
    errno.ENOENT: ("no-file", "check the path"),
    errno.ENOTDIR: ("not-a-file", "check the path"),
    errno.EISDIR: ("not-a-file", "give a file"),
    errno.EEXIST: ("out-exists", "choose another place"),
    errno.ENOTEMPTY: ("out-exists", "choose another place"),
    errno.EACCES: ("no-permission", "request access or choose another place"),
    errno.EPERM: ("no-permission", "request access or choose another place"),
    errno.EROFS: ("no-permission", "choose a writable place"),
    errno.ENOSPC: ("no-space", "free some space or choose another disk, then run the same command again"),
    errno.EDQUOT: ("no-space", "free some space or choose another disk, then run the same command again"),
    errno.EFBIG: ("no-space", "the file system does not support files of this size; choose another disk"),
    errno.EMFILE: ("too-many-files", "raise the limit of open files (ulimit -n 4096) and run the same command again"),
    errno.ENFILE: ("too-many-files", "the whole system has too many open files; retry later"),
    errno.EIO: ("io-error", "check the disk and its cable or network, then run the same command again"),
    errno.ESTALE: ("stale-handle", "the network file system lost it; mount it again or retry"),
    errno.EAGAIN: ("file-locked", "another process has locked it; wait for that process to end"),
    errno.ENAMETOOLONG: ("bad-path", "choose a shorter name"),
    errno.ELOOP: ("bad-path", "its links form a loop; correct them"),
}


def fault_code(error: Exception) -> str:
    """The code of a system error; "io-error" for an error of another kind."""
    fault = system_fault(error)
    return "io-error" if fault is None else fault.code


def system_fault(error: BaseException, place: Path | str | None = None) -> InputError | None:
    """An operating-system error about a place that the user gave, as one line; None for an error of another kind.

    HDF5, tensorstore and other libraries wrap the errno, or only its text, in their own messages: pass their errors
    here before treating them as damage.
    """
    number = getattr(error, "errno", None) or _number_in(str(error))
    if number not in _FAULTS:
        return None
    code, remedy = _FAULTS[number]
    where = place or getattr(error, "filename2", None) or getattr(error, "filename", None) or "output"
    return InputError(f"{where}: {os.strerror(number)}; {remedy}", code)


def _number_in(text: str) -> int | None:
    """The errno in a library's message, given by number or by its text."""
    named = re.search(r"\b[Ee]rrno\s*[=:]?\s*(\d{1,3})\b", text, re.ASCII)
    if named:
        return int(named[1])
    return next((number for number in _FAULTS if os.strerror(number).lower() in text.lower()), None)


def first_line(error: BaseException) -> str:
    """The first line of an error's message, at most 200 characters."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
