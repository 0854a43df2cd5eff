"""The page of an evaluation: one self-contained HTML file with its rates, tables and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from semgjax.data.simulate.session_names import Signals
from semgjax.evaluate.breakdown import Breakdown, Share
from semgjax.evaluate.lengths import LengthPoint
from semgjax.evaluate.spread import Interval
from semgjax.measures import CER, MEASURES, SPLICED, Measure, measure_in, rate_in
from semgjax.pages.confusion_figures import confused_figure, confusion_figure, has_confusions
from semgjax.pages.evaluation_figures import keyboard_figure, lengths_figure, rows_figure, times_figure
from semgjax.pages.html import Image, both_widths, render_template


@dataclass(frozen=True)
class Part:
    """What the page shows of one part of a split: members as of semgjax.api.evaluation.Evaluation."""

    split: str
    mode: str
    decoder: str
    metric: str
    spliced: bool
    scores: Sequence[dict[str, Any]]
    users_scores: Sequence[dict[str, Any]]
    intervals: dict[str, Interval | None]
    met: tuple[str, ...]
    breakdown: Breakdown
    signals: Signals
    lengths: Sequence[LengthPoint] = ()
    against: str = ""


def render(source: str, parts: Sequence[Part]) -> str:
    """The page as HTML; the same numbers give the same text.

    Args:
        source: the decoder, in words.
    """
    return render_template("evaluation_page.html", title="Evaluation", source=source, parts=[_shown(p) for p in parts])


def _shown(part: Part) -> dict[str, Any]:
    measure = MEASURES[part.metric]
    words, typing = measure.words, measure is CER
    macro = next(row for row in part.scores if row["averaging"] == "macro")
    users = sorted(part.users_scores, key=lambda row: (rate_in(row) is None, rate_in(row) or 0.0))
    return {
        "name": part.split,
        "lead": f"{words} {_rate(rate_in(macro))} {_interval(part.intervals.get('macro'))}, mean of {macro['users']} "
        f"users; {part.mode}, {part.decoder}",
        "signals": _signals(part),
        "against": part.against,
        "averages": [_row(row, row["averaging"], part.intervals.get(row["averaging"])) for row in part.scores],
        "users": [_row(row, row["user"] + (" (trained on)" if row["user"] in part.met else "")) for row in users],
        "thing": measure.thing,
        "things": measure.things,
        "done": "typed" if typing else "made",
        "onset": "press" if typing else "onset",
        "tables": [
            (title, [_share(share) for share in rows])
            for title, rows in (
                ("By hand", part.breakdown.hands),
                ("By finger", part.breakdown.fingers),
                ("By row", part.breakdown.rows),
                ("By key" if typing else "By class", part.breakdown.keys),
            )
            if rows
        ],
        "confusions": [(_glyph(typed), _glyph(read), f"{times:,}") for typed, read, times in part.breakdown.confusions],
        "latency": _latency(part.breakdown, measure),
        "calibration": part.breakdown.calibration.error,
        "figures": _figures(part, measure),
        "lengths": [
            (f"{point.seconds:g}", _rate(point.error), _interval(point.interval), str(point.users))
            for point in part.lengths
        ],
    }


def _signals(part: Part) -> str:
    """What the sessions of a part hold, in words."""
    words = {
        "simulated": "Simulated sessions: these numbers are not of real people.",
        "recorded": "Recorded sessions.",
        "simulated and recorded": "Simulated and recorded sessions together: not of real people alone.",
    }[part.signals]
    order = SPLICED if part.signals == "recorded" else SPLICED.replace("real signals", "signals")
    return f"{words} They are {order}." if part.spliced else words


def _figures(part: Part, measure: Measure) -> dict[str, Image]:
    found = part.breakdown
    late, sure = found.latency, found.calibration
    figures = {"times": both_widths(lambda w: times_figure(late, sure, measure, w), "latency and calibration")}
    if found.rows:
        figures["keyboard"] = both_widths(lambda w: keyboard_figure(found.keys, w), "error rate of each key")
        figures["rows"] = both_widths(lambda w: rows_figure(found.row_confusion, w), "rows typed and read")
    if has_confusions(found.matrix):
        keys = measure is CER
        figures["confused"] = both_widths(lambda w: confused_figure(found.matrix, keys, w), "most confused classes")
        figures["confusion"] = both_widths(
            lambda w: confusion_figure(found.matrix, keys, w), "confusions of all classes"
        )
    if part.lengths:
        figures["lengths"] = both_widths(
            lambda w: lengths_figure(part.lengths, measure.words, w), "error by length of stretch"
        )
    return figures


def _row(row: dict[str, Any], name: str, interval: Interval | None = None) -> tuple[str, ...]:
    edits = (f"{row[kind]:,}" for kind in ("substitutions", "deletions", "insertions"))
    return (name, _rate(rate_in(row)), _interval(interval), *edits, f"{row[measure_in(row).counted]:,}")


def _share(share: Share) -> tuple[str, ...]:
    counts = (share.substitutions, share.deletions, share.insertions, share.reference)
    return (_glyph(share.name), _rate(share.rate), *(f"{count:,}" for count in counts))


def _glyph(name: str) -> str:
    return "space" if name == " " else name


def _latency(found: Breakdown, measure: Measure) -> str:
    if found.latency.quartiles is None:
        return ""
    low, median, high = found.latency.quartiles
    read = "keys read as typed" if measure is CER else f"{measure.things} read as what they were"
    return f"{median:.0f} ms (quartiles {low:.0f} and {high:.0f}) over {found.latency.keys:,} {read}"


def _rate(rate: float | None) -> str:
    return "-" if rate is None else f"{rate:.1f} %"


def _interval(interval: Interval | None) -> str:
    return "" if interval is None else f"[{interval[0]:.1f}, {interval[1]:.1f}]"
