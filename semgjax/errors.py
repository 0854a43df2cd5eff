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


class Unsaved(SemgjaxError):
    """A run's state could not be put to its address; it stays in a local folder, which the message names."""

    exit_code = 74


def first_line(error: BaseException) -> str:
    """What an error says, cut to one line of at most 200 characters."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
