"""Find the typing sessions of a BIDS folder by their file names (BIDS 1.8, entities)."""

import re
from dataclasses import dataclass
from pathlib import Path

from semgjax.data.readers.discover import LeftOut, files_of, why_unread

SUFFIXES = (".bdf", ".edf")
"""of signals, in upper or lower case"""
_FOLDER = re.compile(r"sub-(?P<sub>[A-Za-z0-9]+)(?:/ses-(?P<ses>[A-Za-z0-9]+))?/emg")
_NAME = re.compile(r"sub-(?P<sub>[A-Za-z0-9]+)(?:_ses-(?P<ses>[A-Za-z0-9]+))?(?P<more>(?:_[a-z]+-[A-Za-z0-9]+)*)_emg")
_TASK = "typing"


@dataclass(frozen=True)
class BidsFile:
    """A signal's path and the entities in its name.

    Attributes:
        name: of the session: all entities except the task.
    """

    path: Path
    name: str
    user: str


def find_signals(folder: Path) -> tuple[list[BidsFile], list[LeftOut]]:
    """The typing sessions of a BIDS folder, in order of path, and every other file that looks like one."""
    found, left_out = [], []
    for path in files_of(folder):
        where = path.relative_to(folder).as_posix()
        try:
            found.append(_parse(path, folder))
        except ValueError as error:
            left_out.append(LeftOut(where, str(error)))
    return found, left_out


def parse_name(path: Path) -> BidsFile:
    """The entities in a signal's file name.

    Raises:
        ValueError: it is not that of a typing session; with the reason.
    """
    match = _NAME.fullmatch(path.stem)
    if match is None or path.suffix.lower() not in SUFFIXES:
        raise ValueError("no sub-USER[_ses-SESSION]_task-typing[_acq-A][_run-N]_emg.bdf or .edf")
    entities = [entity for entity in match["more"].split("_") if entity]
    tasks = [entity.removeprefix("task-") for entity in entities if entity.startswith("task-")]
    if tasks != [_TASK]:
        raise ValueError(f"its task is {tasks[0]}, not {_TASK}" if tasks else f"names no task-{_TASK}")
    parts = [f"sub-{match['sub']}", *([f"ses-{match['ses']}"] if match["ses"] else [])]
    return BidsFile(path, "_".join([*parts, *(e for e in entities if not e.startswith("task-"))]), match["sub"])


def _parse(path: Path, folder: Path) -> BidsFile:
    reason = why_unread(path)
    if reason:
        raise ValueError(reason)
    file, place = parse_name(path), _FOLDER.fullmatch(path.parent.relative_to(folder).as_posix())
    if place is None:
        raise ValueError("not in sub-USER/emg or sub-USER/ses-SESSION/emg")
    own = _NAME.fullmatch(path.stem)
    assert own is not None
    if (own["sub"], own["ses"]) != (place["sub"], place["ses"]):
        raise ValueError(f"its name and its folder {place[0]} name different people or sessions; rename one of them")
    return file
