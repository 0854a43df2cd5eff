"""What the study of real people found: tables, laws in words and figures; writes real_people.md and three figures.

    .venv/bin/python -m analysis.real_people_report --out out/analysis

It reads the tables that analysis/real_people.py writes (by default those in analysis/data) and trains nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from analysis import command
from analysis.people_figures import calibration_figure, people_figure, sizes_figure
from analysis.people_tables import (
    BY_DECODER,
    BY_DISCRIMINANT,
    CALIBRATION,
    WORN,
    Curve,
    Results,
    Row,
    read_results,
    read_rows,
)
from analysis.people_words import cell, difference_words, mean_difference, mean_interval, verdict
from analysis.study import markdown
from semgjax.errors import InputError
from semgjax.files import read_text, write_atomic
from semgjax.pages.law_plot import save_figure
from semgjax.pages.marks import blocking
from semgjax.scaling.compare import test_users_or_hours
from semgjax.scaling.decide.evidence import gather
from semgjax.scaling.ends import span
from semgjax.scaling.fit import Fit, fit_law
from semgjax.scaling.laws import FLOOR_POWER, law_named
from semgjax.scaling.profile import parameter_intervals
from semgjax.scaling.table import Table

DATA = Path(__file__).resolve().parent / "data"
SOURCE = "github.com/aljazfrancic/myo-readings-dataset (MIT licence, commit 2630b1d)"
UNSTABLE = ("12548", "32185", "45678", "45744", "51425", "64917", "65842", "95142", "95462", "21547")
"""people whose own two sessions disagree, and one whose amplifier saturates; left out only in tables beside"""
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
"""lines of a page between which the report is written"""
BAR, AIM = 66.0, 55.0
"""percent: the discriminant's error that a network should stay clearly below, and the aim"""


@dataclass(frozen=True)
class Report:
    """Where the tables are, and where the report goes."""

    table: Annotated[Path, tyro.conf.arg(help="folder of real_people.csv and the tables beside it")] = DATA
    out: Annotated[Path, tyro.conf.arg(help="folder for the report and its figures")] = Path("out/analysis")
    level: Annotated[float, tyro.conf.arg(help="of the intervals")] = 0.95
    page: Annotated[Path | None, tyro.conf.arg(help="page of docs/guides whose results are replaced")] = None

    @property
    def figures(self) -> Path:
        """Folder of the figures: those of the documentation for a page."""
        return self.out if self.page is None else self.page.resolve().parents[1] / "figures"

    def picture(self, name: str, shows: str) -> str:
        """The figure in the report's Markdown."""
        return f"![{shows}]({name if self.page is None else f'../figures/{name}'}.png)\n\n"


@dataclass(frozen=True)
class Centre:
    """The configuration that the curves share."""

    people: float
    width: float
    sessions: float

    def where(self, **changes: str | float) -> dict[str, str | float]:
        """Filters of the supervised networks of this configuration, as worn; a column is left free by None."""
        base: dict[str, str | float] = {
            "method": "network", "people": self.people, "width": self.width, "sessions": self.sessions,
            "repetitions": 1.0, "teacher_params": "", "aligned": "true", "turn": WORN,
        }  # fmt: skip
        return {**base, **changes}


def without(where: dict[str, str | float], *names: str) -> dict[str, str | float]:
    """Filters without some columns."""
    return {name: value for name, value in where.items() if name not in names}


def centre_of(rows: Sequence[Row]) -> Centre:
    """The middle size is that of the models of fewer people.

    Raises:
        InputError: no model of fewer people than the most, or two sizes of them.
    """
    networks = [row for row in rows if row["method"] == "network"]
    most = max((float(row["people"]) for row in networks), default=0.0)
    widths = {float(row["width"]) for row in networks if float(row["people"]) < most}
    if len(widths) != 1:
        raise InputError(f"real_people.csv: {len(widths)} sizes with fewer than {most:g} people, expected 1", "no-row")
    return Centre(most, widths.pop(), max(float(row["sessions"]) for row in networks))


def report(options: Report) -> str:
    """Write the report and its figures; its text."""
    results = read_results(options.table)
    centre = centre_of(results.models)
    parts = [
        f"Real signals of 41 people in a made-up order (spliced), {SOURCE}. Event error rate in percent on people who "
        "were not trained on: the mean over test persons and seeds. Every person is tested once per seed. "
        f"Intervals: {options.level:.0%}, bootstrap over seeds and test persons. Turn chosen: training sessions are "
        "turned to each other by their labels, and each test session to where the discriminant of the training people "
        "finds its unlabelled frames likeliest.\n\n",
        section("People", _people, results, centre, options),
        section("Turns of the band", _alignment, results, centre, options),
        section("Sizes", sizes, results, centre, options),
        section("Hours", _hours, results, centre, options),
        section("Students", _students, results, centre, options),
        section("Calibration", _calibration, results, centre, options),
    ]
    text = "".join(parts)
    if options.page is None:
        write_atomic(options.out / "real_people.md", text)
    else:
        write_atomic(options.page, with_results(options.page, text))
    return text


def section(
    title: str, part: Callable[[Results, Centre, Report], str], results: Results, centre: Centre, options: Report
) -> str:
    """A section, or in its place which models it lacks."""
    try:
        text = part(results, centre, options)
    except InputError as error:
        if error.code not in ("no-row", "not-finished"):
            raise
        text = f"Not complete: {error}.\n\n"
    return f"## {title}\n\n{text}"


def with_results(page: Path, text: str) -> str:
    """The page with `text` between its two marks.

    Raises:
        InputError: no such page, or one without the marks.
    """
    head, mark, rest = read_text(page, "a page of docs/guides").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (mark and end):
        raise InputError(
            f"{page}: lacks the lines {BEGIN!r} and {END!r}; put them where the results belong", "bad-field"
        )
    return f"{head}{BEGIN}\n\n{text.strip()}\n\n{END}{tail}"


def _people(results: Results, centre: Centre, options: Report) -> str:
    names = ("network", "discriminant")
    free = {name: without(centre.where(method=name), "people") for name in names}
    worn = {name: results.curve("people", free[name]) for name in names}
    turned = {name: results.curve("people", {**free[name], "turn": BY_DISCRIMINANT}) for name in names}
    columns = {
        "network": worn["network"], "network, turn chosen": turned["network"],
        "discriminant": worn["discriminant"], "discriminant, turn chosen": turned["discriminant"],
    }  # fmt: skip
    level, most = options.level, centre.people
    numbers = worn["network"].values
    rows = [[f"{n:g}", *(cell(mean_interval(c.at(n), level)) for c in columns.values())] for n in numbers]
    fits = [people_law(curve["network"], results.source) for curve in (worn, turned)]
    said, said_turned = (verdict(fit, "U", "training people", 2.0, level) for fit in fits)
    save_figure(people_figure(gather(fits[0], level), columns), options.figures / "real_people.png")
    mean, low, high = mean_interval(worn["network"].at(most), level)
    better = mean_difference(worn["network"].at(most), worn["discriminant"].at(most), level)
    turn = mean_difference(turned["network"].at(most), worn["network"].at(most), level)
    clean = [p for p in worn["network"].people if p not in UNSTABLE]
    left_out = len(worn["network"].people) - len(clean)
    beside = "; ".join(f"{name} {cell(mean_interval(c.of(clean).at(most), level))}" for name, c in columns.items())
    return (
        f"{options.picture('real_people', 'Error on unseen people against people trained on')}"
        f"{markdown(['training people', *columns], rows)}{said}\n\nWith the band's turn chosen: {said_turned}\n\n"
        f"At {most:g} people the network has {mean:.1f} [{low:.1f}, {high:.1f}] %: "
        f"{'clearly below' if high < BAR else 'not clearly below'} {BAR:g} %, and the aim of {AIM:g} % is "
        f"{'reached' if mean <= AIM else 'not reached'}. Against the discriminant on the same sequences: "
        f"{difference_words(better)}. Choosing the turn: {difference_words(turn)}.\n\n"
        f"Without the {left_out} people whose own sessions disagree or whose amplifier saturates, at {most:g} people: "
        f"{beside}.\n\n"
    )


def _alignment(results: Results, centre: Centre, options: Report) -> str:
    """What it gives to turn the training sessions to each other, and to choose the turn at test."""
    ways = {WORN: "test as worn", BY_DECODER: "turned by the decoder", BY_DISCRIMINANT: "turned by the discriminant"}
    found = {
        (aligned, turn): results.curve("people", centre.where(aligned=aligned, turn=turn)).at(centre.people)
        for aligned in ("false", "true")
        for turn in ways
    }
    rows = [
        [name, *(cell(mean_interval(found[aligned, turn], options.level)) for turn in ways)]
        for name, aligned in (("as recorded", "false"), ("turned to each other", "true"))
    ]
    both = mean_difference(found["true", BY_DISCRIMINANT], found["false", WORN], options.level)
    return (
        f"{markdown(['training sessions', *ways.values()], rows)}"
        f"At {centre.people:g} people, training sessions turned to each other and test sessions by the discriminant, "
        f"against neither: {difference_words(both)}.\n\n"
    )


def people_law(curve: Curve, source: str) -> Fit:
    """A floor and a power of the number of training people, fitted to a point per number and seed."""
    return fit_law(curve.table("U", curve.values, "people", source), law_named("additive", "U"))


def sizes(results: Results, centre: Centre, options: Report) -> str:
    where = without(centre.where(), "width")
    worn, turned = (results.curve("params", {**where, "turn": turn}) for turn in (WORN, BY_DISCRIMINANT))
    rows = [[f"{n:,.0f}", *(cell(mean_interval(c.at(n), options.level)) for c in (worn, turned))] for n in worn.values]
    fit = fit_law(worn.table("N", worn.values, "params", results.source), FLOOR_POWER)
    save_figure(sizes_figure(gather(fit, options.level)), options.figures / "real_people_sizes.png")
    whole = mean_difference(worn.at(worn.values[-1]), worn.at(worn.values[0]), options.level)
    return (
        f"{options.picture('real_people_sizes', 'Error on unseen people against model size')}"
        f"{markdown(['parameters', 'network', 'network, turn chosen'], rows)}"
        f"{verdict(fit, 'N', 'parameters', 2.0, options.level)} Largest against smallest, "
        f"{worn.values[-1] / worn.values[0]:.0f} times: {difference_words(whole)}.\n\n"
    )


def _hours(results: Results, centre: Centre, options: Report) -> str:
    """Repetitions and sessions at the largest number of people, and whether people or hours count."""
    free = without(centre.where(), "repetitions")
    shares = results.curve("repetitions", free)
    sessions = results.curve("sessions", without(centre.where(), "sessions"))
    level, hours = options.level, shares.column("hours") / centre.people
    rows = [
        [f"{centre.sessions:g}", f"{share:g}", f"{60 * each:.1f}", cell(mean_interval(shares.at(share), level))]
        for share, each in zip(shares.values, hours, strict=True)
    ]
    of_sessions = sessions.column("hours") / centre.people
    rows += [
        [f"{number:g}", "1", f"{60 * each:.1f}", cell(mean_interval(sessions.at(number), level))]
        for number, each in zip(sessions.values[:-1], of_sessions, strict=False)
    ]
    fit = fit_law(shares.table("H", hours, "hours of each person", results.source), law_named("additive", "H"))
    people = results.curve("people", without(centre.where(), "people"))
    users, _ = test_users_or_hours(_star(people, shares, centre))
    half = centre.sessions and 1.0 / centre.sessions
    if half in shares.values and sessions.values[0] == 1.0:
        equal = mean_difference(sessions.at(1.0), shares.at(half), level)
        said = f" One session whole against the same number of repetitions from all: {difference_words(equal)}."
    else:
        said = ""
    return (
        f"{markdown(['sessions', 'share of repetitions', 'minutes of each person', 'network'], rows)}"
        f"{verdict(fit, 'H', 'hours of each person', 2.0, level)} People or hours: {users}.{said}\n\n"
    )


def _star(people: Curve, shares: Curve, centre: Centre) -> Table:
    """The points of both axes over users U and hours per user H; the centre comes once."""
    each = people.column("hours") / np.array(people.values)
    table = people.table("U", people.values, "people", "real_people.csv")
    inner = [place for place, share in enumerate(shares.values) if share < 1.0]
    hours = shares.column("hours")[inner] / centre.people
    seeds, more = len(people.seeds), len(shares.seeds)
    errors = shares.errors[inner].mean(axis=2).reshape(-1)
    return Table(
        {
            "U": np.concatenate([table.x["U"], np.full(len(errors), centre.people)]),
            "H": np.concatenate([np.repeat(each, seeds), np.repeat(hours, more)]),
        },
        np.concatenate([table.y, errors]),
        "%",
        table.y_name,
        {"U": "people", "H": "hours of each person"},
        "real_people.csv",
    )


def _students(results: Results, centre: Centre, options: Report) -> str:
    where = without(centre.where(), "width", "teacher_params")
    taught = results.curve("params", where, lambda row: row["teacher_params"] != "")
    alone = results.curve("params", {**where, "teacher_params": ""})
    rows = []
    for size, models in zip(taught.values, taught.rows, strict=True):
        teacher = float(models[0]["teacher_params"])
        found = mean_difference(taught.at(size), alone.at(size), options.level)
        three = (alone.at(teacher), alone.at(size), taught.at(size))
        cells = [cell(mean_interval(errors, options.level)) for errors in three]
        rows.append([f"{size:,.0f}", f"{teacher:,.0f}", f"{teacher / size:.0f}", *cells, difference_words(found)])
    head = ["parameters", "of the teacher", "ratio", "teacher", "alone", "taught", "taught - alone"]
    return f"Equal steps.\n\n{markdown(head, rows)}"


def _calibration(results: Results, centre: Centre, options: Report) -> str:
    rows = read_rows(options.table / CALIBRATION)
    if not rows:
        raise InputError(f"{CALIBRATION}: no row; train these models first", "no-row")
    starts = list(dict.fromkeys(row["start"] for row in rows))
    curves = {start: calibration_curve(rows, start) for start in starts}
    counts = sorted({count for counts, _ in curves.values() for count in counts})
    table = []
    for count in counts:
        cells = [
            cell(mean_interval(errors[counts_.index(count)], options.level)) if count in counts_ else ""
            for counts_, errors in curves.values()
        ]
        table.append([f"{count:g}", *cells])
    fit = _calibration_fit(*curves[starts[0]])
    save_figure(calibration_figure(curves, fit, options.level), options.figures / "real_people_calibration.png")
    counts_, errors = curves[starts[0]]
    first = mean_difference(errors[1], errors[0], options.level)
    last = mean_difference(errors[-1], errors[0], options.level)
    return (
        f"{options.picture('real_people_calibration', 'Error on another session by calibration')}"
        f"{markdown(['events of each class', *(f'start: {start}' for start in starts)], table)}"
        f"Start {starts[0]}: {counts_[1]:g} of each class gives {difference_words(first)}, {counts_[-1]:g} give "
        f"{difference_words(last)}. {_calibration_words(fit, options.level)}\n"
    )


def _calibration_words(fit: Fit, level: float) -> str:
    codes = blocking(fit, level)
    if codes:
        return f"No law of calibration can be quoted: {', '.join(codes)}."
    at = {name: fit.parameters[name] for name in ("C0", "E", "m0", "beta")}
    ends = parameter_intervals(fit, level) or {}
    return f"Law {fit.law.formula}: " + ", ".join(f"{n} {v:.3g} {span(ends.get(n))}" for n, v in at.items()) + "."


def calibration_curve(rows: Sequence[Row], start: str) -> tuple[list[float], np.ndarray]:
    """(events of each class [k], errors in percent [k, seeds, people]) of the people whom all seeds and counts have."""
    mine = [row for row in rows if row["start"] == start]
    found = {(float(r["events_a_class"]), r["seed"], r["person"]): float(r["event_error_rate"]) for r in mine}
    counts, seeds = sorted({key[0] for key in found}), sorted({key[1] for key in found}, key=int)
    people = [p for p in sorted({k[2] for k in found}) if all((c, s, p) in found for c in counts for s in seeds)]
    if not people:
        raise InputError(f"{CALIBRATION}: no person has every count and seed with start {start}", "not-finished")
    return counts, np.array([[[found[c, s, p] for p in people] for s in seeds] for c in counts])


def _calibration_fit(counts: list[float], errors: np.ndarray) -> Fit:
    """The law of calibration over events of each class, of the start that has a value without any."""
    _, seeds, people = errors.shape
    users = errors.reshape(-1, people)
    table = Table(
        {"M": np.repeat(np.array(counts, np.float64), seeds)}, users.mean(axis=1), "%", "event_error_rate",
        {"M": "events of each class"}, CALIBRATION, users=tuple(map(str, range(people))), users_y=users,
    )  # fmt: skip
    return fit_law(table, law_named("personal"))


if __name__ == "__main__":
    command.run(report, Report, __doc__)
