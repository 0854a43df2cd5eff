"""The few ways a command ends badly, each with its exit code and one clear line."""


class SemgjaxError(Exception):
    """A failure with a message for the user; `exit_code` is what the process returns."""

    exit_code = 1


class InputError(SemgjaxError):
    """Bad input: the message names the file or option, the value, and the mend."""

    exit_code = 2


class Diverged(SemgjaxError):
    """Training met a non-finite loss or gradient; the last good checkpoint is kept."""

    exit_code = 70


class Preempted(SemgjaxError):
    """Training was asked to stop; the state is saved and the same command goes on."""

    exit_code = 75
