"""Packages that only some formats and sources need: what to install when one is missing, or is of another version."""

import importlib.metadata
import importlib.util

from semgjax.errors import InputError


def need(package: str, module: str, extra: str, what: str) -> None:
    """See that an optional package can be imported.

    Args:
        package: its name for pip.
        module: its name for import.
        extra: the extra of semgjax that installs it.
        what: what needs it, for the message.

    Raises:
        InputError: it is not installed ("missing-extra").
    """
    if importlib.util.find_spec(module) is None:
        raise InputError(
            f"{what} needs the package {package}; install it with: pip install 'semgjax[{extra}]'", "missing-extra"
        )


def need_alone(package: str, module: str, version: str, what: str) -> None:
    """See that a package that no extra can install beside the others is there, in the one version that works.

    Raises:
        InputError: it is not installed ("missing-extra"), or of another version ("wrong-version").
    """
    remedy = f"install it with: pip install --no-deps {package}=={version}"
    if importlib.util.find_spec(module) is None:
        raise InputError(f"{what} needs the package {package}; {remedy}", "missing-extra")
    found = importlib.metadata.version(package)
    if found != version:
        raise InputError(
            f"{what} works with {package} {version} only, and {found} is installed; {remedy}", "wrong-version"
        )
