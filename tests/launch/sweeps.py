"""A small planned sweep with awkward names, and comparing rendered files with golden ones."""

import os
import subprocess
from pathlib import Path

from semgjax.sweep.plan import Sweep, plan_sweep
from tests.sweep.plans import SPLIT, config_of, students_of

GOLDEN = Path(__file__).parents[1] / "golden" / "launch"


def awkward(folder: Path) -> Sweep:
    """A teacher, a single trial and two students, in a sweep whose name wants quoting."""
    configs = [config_of("ladder-48"), config_of("ladder-32"), *students_of("ladder-48", "ladder-16")]
    name = "sizes: \"new\" $(touch x) 'n' #1"
    return plan_sweep(name, configs, folder / "sessions", {configs[0].data: SPLIT}, folder / "my sweep")


def check_golden(name: str, text: str) -> None:
    """The golden file holds this text. Changing it is legitimate when the rendered file is meant to change:
    SEMGJAX_UPDATE_GOLDEN=1 writes it anew."""
    path = GOLDEN / name
    if os.environ.get("SEMGJAX_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text(), f"{path} differs; SEMGJAX_UPDATE_GOLDEN=1 writes it anew"


def shell_faults(text: str) -> str:
    """What `bash -n` says."""
    return subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).stderr


def has_credential(text: str) -> bool:
    """Words that only a file with a secret in it would have."""
    words = ("private_key", "BEGIN", "password", "token:", "client_secret", "AIza", "Authorization")
    return any(word in text for word in words)
