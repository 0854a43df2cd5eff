"""Check a folder of sessions: each session by itself, then against the others."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from semgjax.data.band import Band
from semgjax.data.batching.windows import WindowSpec
from semgjax.data.measure import measure_of
from semgjax.data.people import one_person_warning, similar_users
from semgjax.data.quality.eventchecks import compare_gestures, event_findings
from semgjax.data.quality.findings import Finding, Severity, Verdict, verdict
from semgjax.data.quality.key_meter import KeyFacts, key_facts
from semgjax.data.quality.keychecks import key_findings
from semgjax.data.quality.meter import Measures, measure
from semgjax.data.quality.rotation import rotations
from semgjax.data.quality.signalchecks import band_name, clock_findings, ring_name, signal_findings
from semgjax.data.sessions import SAMPLE_RATE, open_session
from semgjax.errors import InputError
from semgjax.measures import CER

TURN_FITS, TURN_GAINS = 0.6, 0.1  # correlation that a reported turn must have, and its gain over no turn


@dataclass(frozen=True, eq=False)
class SessionReport:
    """One session: counts, measurements and findings."""

    file: str
    session: str
    user: str
    facts: KeyFacts
    measures: Measures
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """Use, look, or leave out."""
        return verdict(self.findings)


@dataclass(frozen=True)
class Report:
    """All readable sessions, in order of file name, and one line for each damaged file."""

    sessions: tuple[SessionReport, ...]
    faults: tuple[str, ...]

    @property
    def things(self) -> str:
        """What their labels are: "keys", "events" of other classes, or "labels" where there are both."""
        found = {measure_of(row.measures.band).things for row in self.sessions}
        return "labels" if len(found) > 1 else found.pop() if found else CER.things


def check_session(path: Path, spec: WindowSpec) -> SessionReport:
    """Read a session twice (validation, measurement) in bounded memory.

    Raises:
        InputError: it is damaged.
    """
    session = open_session(path)
    typing = session.classes is None
    facts, measures = key_facts(session, at_rate(spec, session.rate)), measure(session)
    findings = (
        *clock_findings(measures),
        *signal_findings(measures),
        *event_findings(measures),
        *key_findings(facts, typing, session.labelled),
    )
    return SessionReport(path.name, session.name, session.user, facts, measures, findings)


def at_rate(spec: WindowSpec, rate: float) -> WindowSpec:
    """A window's lengths, given at 2 kHz, at another rate."""
    scaled = {name: round(value * rate / SAMPLE_RATE) for name, value in asdict(spec).items()}
    return WindowSpec(**scaled | {name: max(1, scaled[name]) for name in ("length", "stride")})


def check_sessions(
    paths: Sequence[Path],
    spec: WindowSpec,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Check every file, then look for duplicates and turned bands among them.

    Args:
        workers: processes; the report does not depend on it.
        progress: called with (done, total) after every file.
    """
    found: dict[str, SessionReport] = {}
    faults: list[str] = []
    for done, (path, result) in enumerate(zip(paths, _results(paths, spec, workers), strict=True), start=1):
        if isinstance(result, str):
            faults.append(result)
        elif result.session in found:
            faults.append(f"{path}: session_name {result.session!r} is also that of another file; keep one")
        else:
            found[result.session] = result
        progress(done, len(paths))
    more = compare(list(found.values()))
    rows = (replace(row, findings=(*more.get(row.session, ()), *row.findings)) for row in found.values())
    return Report(tuple(rows), tuple(faults))


def _results(paths: Sequence[Path], spec: WindowSpec, workers: int):
    if workers == 1:
        yield from (_try(path, spec) for path in paths)
        return
    # Spawned: a fork would inherit locks that other threads hold.
    with ProcessPoolExecutor(min(workers, len(paths)), mp_context=get_context("spawn")) as pool:
        yield from pool.map(_try, paths, [spec] * len(paths))


def _try(path: Path, spec: WindowSpec) -> SessionReport | str:
    """The report, or one line that describes the file's fault."""
    try:
        return check_session(path, spec)
    except InputError as error:
        return str(error)


def compare(rows: Sequence[SessionReport]) -> dict[str, list[Finding]]:
    """Session -> findings that need other sessions: duplicates, turned bands, similar user ids."""
    found: dict[str, list[Finding]] = defaultdict(list)
    first: dict[str, SessionReport] = {}
    by_user: dict[tuple[str, Band], list[SessionReport]] = defaultdict(list)
    gestures: dict[Band, dict[str, Measures]] = defaultdict(dict)
    measured = {row.session: row for row in rows}
    for row in rows:
        other = first.setdefault(row.measures.digest, row)
        if other is not row:
            whose = "" if other.user == row.user else f" of user {other.user}"
            text = f"the same signal as {other.session}{whose}"
            found[row.session].append(Finding("duplicate", "error", other.session, text))
        elif row.measures.activity is None:
            by_user[row.user, row.measures.band].append(row)
        else:
            gestures[row.measures.band][row.session] = row.measures
    for own in by_user.values():
        for row, turn in zip(own, rotations([row.measures.covariance for row in own]), strict=True):
            rings = row.measures.band.rings
            for ring in range(len(rings)):
                places = turn.places[ring]
                if places and turn.fit[ring] >= TURN_FITS and turn.gain[ring] >= TURN_GAINS:
                    name = ring_name(rings, ring)
                    value = {"band": name, "places": places, "fit": turn.fit[ring], "gain": turn.gain[ring]}
                    text = f"{band_name(rings, ring)} rotated by {places:+d} electrodes (fit {turn.fit[ring]:.2f})"
                    severity: Severity = "note" if abs(places) == 1 else "warning"
                    found[row.session].append(Finding("rotation", severity, value, text))
    for band in gestures.values():
        for name, findings in compare_gestures(band).items():
            named = {finding.code for finding in measured[name].findings}
            found[name] += [finding for finding in findings if finding.code not in named]
    for group in similar_users(row.user for row in rows):
        for row in rows:
            if row.user in group:
                found[row.session].append(Finding("similar_user", "warning", list(group), one_person_warning(group)))
    return found


def as_json(report: Report, folder: str) -> dict[str, Any]:
    """The report as JSON values: counts, a summary of the measurements, findings and verdicts."""
    return {
        "folder": folder,
        "sessions": [_row(row) for row in report.sessions],
        "verdicts": dict(Counter(row.verdict for row in report.sessions)),
        "codes": dict(Counter(code for row in report.sessions for code in {f.code for f in row.findings})),
        "faults": list(report.faults),
    }


def _row(row: SessionReport) -> dict[str, Any]:
    found = row.measures
    return {
        "session": row.session,
        "user": row.user,
        "file": row.file,
        "verdict": row.verdict,
        **asdict(row.facts),
        "rate": found.rate,
        "rms": [round(float(value), 4) for value in found.rms],
        "hum": [round(float(value), 4) for value in found.hum.max(axis=0)],
        "sha256": found.digest,
        "findings": [asdict(finding) for finding in row.findings],
    }
