"""Decode sessions under every kind and level of stress: error counts, and a curve for each kind."""

from collections.abc import Callable, Sequence

from semgjax.data.band import Band
from semgjax.data.sessions import Session, read_emg
from semgjax.errors import InputError
from semgjax.evaluate.error_rates import Counts
from semgjax.evaluate.stress.curve import Curve, point_of
from semgjax.evaluate.stress.kinds import KINDS, Kind, kind_named
from semgjax.evaluate.stress.stressed import stressed

Count = Callable[[Session], Counts]
"""Decodes a session and counts its errors"""
Users = dict[str, Counts]
Plan = list[tuple[Kind, list[float]]]


def kinds_named(names: Sequence[str]) -> tuple[Kind, ...]:
    """The kinds of these names in their own order; all without names.

    Raises:
        InputError: an unknown name ("unknown-name"), or one that is given twice ("conflict").
    """
    if len(set(names)) < len(names):
        raise InputError(f"stress kinds {' '.join(names)}: one is named twice; name it once", "conflict")
    wanted = [kind_named(name) for name in names]
    return tuple(kind for kind in KINDS if kind in wanted or not names)


def planned(kinds: Sequence[Kind], band: Band, shortest: int) -> Plan:
    """The default levels of each kind that a band and its shortest session (in samples) allow."""
    return [(kind, [level for level in kind.levels if not left_out(kind, level, band, shortest)]) for kind in kinds]


def left_out(kind: Kind, level: float, band: Band, shortest: int) -> str:
    """Why a default level is left out; "" if it is not."""
    if why := kind.misfit(band, level):
        return why
    if shortest < kind.needs(level):
        return f"the shortest session has {shortest} samples, and {kind.needs(level)} are needed"
    return ""


def count_stressed(sessions: Sequence[Session], plan: Plan, count: Count, seed: int = 0) -> list[Users]:
    """Error counts per user of each level of the plan, kind after kind.

    A session's signal is read once and held whole, with one changed copy of it (20 minutes of 32 electrodes at 2 kHz:
    twice 0.3 GB).

    Raises:
        InputError: see `semgjax.evaluate.stress.stressed.stressed`.
    """
    cells = [(kind, level) for kind, levels in plan for level in levels]
    worse: list[Users] = [{} for _ in cells]
    for session in sessions:
        emg_TxC = read_emg(session, 0, session.samples)
        for users, (kind, level) in zip(worse, cells, strict=True):
            _add(users, session.user, count(stressed(session, emg_TxC, kind, level, seed)))
    return worse


def _add(users: Users, user: str, counts: Counts) -> None:
    users[user] = users.get(user, Counts()) + counts


def curves_of(plan: Plan, clean: Users, worse: Sequence[Users], band: Band, shortest: int) -> tuple[Curve, ...]:
    """The curves of what `count_stressed` counted."""
    rest, curves = iter(worse), []
    for kind, levels in plan:
        found = {level: point_of(level, kind.shown(band, level), next(rest), clean) for level in levels}
        order = kind.in_order(levels)
        why = {kind.shown(band, level): left_out(kind, level, band, shortest) for level in kind.levels}
        curves.append(
            Curve(
                kind.name,
                kind.about,
                kind.axis,
                tuple(found[level] for level in order if level != kind.clean),
                order.index(kind.clean),
                {level: reason for level, reason in why.items() if reason},
                kind.note(band),
            )
        )
    return tuple(curves)
