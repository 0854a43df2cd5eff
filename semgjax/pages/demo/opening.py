"""The first half of the demo's report: the answer, the signal, learning, the law. Writes nothing."""

from typing import Any

from semgjax.data.sessions import SAMPLE_RATE
from semgjax.pages.demo import curves as figures
from semgjax.pages.demo.headings import section
from semgjax.pages.demo.number_text import MISSING, difference, digits, duration, percent, ratio, whole
from semgjax.pages.demo.views import (
    ReportInputs,
    RunView,
    heldout_cer,
    heldout_scores,
    is_number,
    role_of,
    user_cers,
)
from semgjax.pages.html import Html, el, image, paragraph, svg_bytes, table
from semgjax.pages.stretch import choose_stretch, keys_in
from semgjax.scaling.fit import predict
from semgjax.scaling.store import fit_document

CLAIMS = {"teacher": 20.0, "ratio": 6.0, "behind": 4.0, "gain": 20.0}
"""What the demo is built to show: the teacher's CER is below, the student has at least so many times fewer
parameters, is at most so many points behind the teacher, and at least so many better than from scratch."""


def headline(inputs: ReportInputs) -> Html:
    """What it is, that it is simulated, and the three numbers."""
    teacher, distilled, scratch = (heldout_cer(run) for _, run in inputs.trio)
    saved = ratio(inputs.teacher.result["params"], inputs.distilled.result["params"])
    behind, gained = difference(distilled, teacher), difference(scratch, distilled)
    users = len(user_cers(inputs.teacher))
    return el(
        "div",
        el(
            "div",
            el("strong", "All data here are simulated."),
            "No person typed and no electrode was worn. The numbers show that the way from recordings to a "
            "small exported decoder works; they do not say how well real typing can be read.",
            class_="warning",
            role="note",
        ),
        paragraph(
            f"Character error rate (CER), mean of {_users(users)} whom no model saw in training: of 100 "
            "keys typed, how many were read wrongly, missed or made up. Lower is better; above 100 is "
            "possible."
        ),
        el("div", *(_tile(role, run) for role, run in inputs.trio), class_="tiles"),
        paragraph(
            f"The student has {digits(saved)} times fewer parameters than the teacher that it learned from. "
            f"Its CER is {_points(behind)} {'above' if (behind or 0) >= 0 else 'below'} the teacher's and "
            f"{_points(gained)} {'below' if (gained or 0) >= 0 else 'above'} that of a model of its own "
            "size, steps, batch and learning rate trained on the keys alone. With more steps that model would "
            "catch up: a teacher pays where steps are few."
        ),
        el("h3", "What this demo was built to show, and whether it did"),
        el("ul", *(_claim(*claim) for claim in claims(inputs))),
    )


def claims(inputs: ReportInputs) -> list[tuple[str, str, bool]]:
    """(claim, what was measured, whether it holds); a claim about a missing number does not hold."""
    teacher, distilled, scratch = (heldout_cer(run) for _, run in inputs.trio)
    saved = ratio(inputs.teacher.result["params"], inputs.distilled.result["params"])
    behind, gained = difference(distilled, teacher), difference(scratch, distilled)
    rates = [heldout_cer(run) for run in inputs.ladder]
    known = [cer for cer in rates if is_number(cer)]
    falls = len(known) == len(rates) and all(b < a for a, b in zip(known, known[1:], strict=False))

    def holds(value: float | None, least: float, sign: float) -> bool:
        return value is not None and sign * value >= sign * least

    below = holds(teacher, CLAIMS["teacher"], -1.0) and teacher != CLAIMS["teacher"]
    return [
        ("The error falls with every step up the ladder of sizes", ", ".join(map(percent, rates)), falls),
        (f"The teacher's error is below {CLAIMS['teacher']:g} %", percent(teacher), below),
        (
            f"The student has at least {CLAIMS['ratio']:g} times fewer parameters",
            f"{digits(saved)} times",
            holds(saved, CLAIMS["ratio"], 1.0),
        ),
        (
            f"The student is within {CLAIMS['behind']:g} points of the teacher",
            _signed(behind),
            holds(behind, CLAIMS["behind"], -1.0),
        ),
        (
            f"The student is at least {CLAIMS['gain']:g} points better than its size from scratch in as many steps",
            _signed(gained),
            holds(gained, CLAIMS["gain"], 1.0),
        ),
    ]


def signal(inputs: ReportInputs) -> Html:
    """A stretch of one held-out user's session."""
    session = inputs.sessions[0]
    start, stop = choose_stretch(session)
    keys = keys_in(session, start, stop)
    seconds = (stop - start) / SAMPLE_RATE
    typed = "".join(glyph for _, glyph in keys)
    alt = (
        f"{seconds:g} seconds of simulated sEMG from 16 electrodes on each wrist, drawn as 32 lines, with "
        f"{len(keys)} key presses as vertical lines: {typed}"
    )
    caption = (
        f"Held-out user {session.user}, session {session.name}, from {start / SAMPLE_RATE:.1f} s on. Each "
        "line is one electrode; each vertical line is the moment at which a key went down, with its key "
        "above (\u2423 space, \u21e7 shift, \u232b backspace, \u23ce enter)."
    )
    return section(
        "signal",
        paragraph(
            "Muscles move the fingers; electrodes round each wrist pick up their electrical activity 2,000 "
            "times a second. A key leaves a short burst on a few neighbouring electrodes, mostly just "
            "before it goes down, and the decoder has to tell from the place and shape of the bursts which "
            "key it was."
        ),
        image(svg_bytes(figures.emg_figure(session, start, stop)), alt, caption),
    )


def learning(inputs: ReportInputs) -> Html:
    """Learning curves."""
    sizes = len(inputs.ladder)
    last = [_last_loss(run) for run in (inputs.ladder[0], inputs.ladder[-1], inputs.distilled)]
    alt = (
        f"Two panels of learning curves for {sizes} sizes and the student. The training loss ends at "
        f"{digits(last[0])} for the smallest size, {digits(last[1])} for the largest and {digits(last[2])} "
        "for the student."
    )
    return section(
        "learning",
        paragraph(
            f"{_count(sizes)} sizes were trained from the keys alone, for {_steps(inputs.ladder)}; the "
            f"student of {whole(inputs.distilled.result['steps'])} steps, larger ones, also learned from the "
            "teacher's answer at every instant; from scratch is the student's run without that. "
            "Left: the loss on the training sessions, over the keys in them. "
            "Right: the error on sessions of the training users that were kept out of training."
        ),
        image(
            svg_bytes(figures.learning_figure(inputs)),
            alt,
            "The student's curve on the left is the CTC part of its loss only. A curve that is still "
            "falling at its end would gain from more steps: these runs are minutes long by design.",
        ),
    )


def law(inputs: ReportInputs) -> Html:
    """The scaling curve and all that must be known of it."""
    fit = inputs.fit
    found = fit_document(fit)
    shown = ", ".join(f"{percent(y)} at {whole(n)}" for n, y in zip(fit.table.sizes, fit.table.y, strict=True))
    sizes = _count(fit.levels)
    alt = f"Error on held-out users against the number of parameters, with the fitted curve: {shown}."
    level = f"{100 * found['level']:.0f} %"
    rows = [_parameter(p, fit.table.unit) for p in found["parameters"]]
    findings = [el("li", el("b", f"{d['severity']}: "), d["message"] + ".") for d in found["diagnostics"]] or [
        el("li", "No finding.")
    ]
    scatter = "" if fit.scatter is None else f" The points scatter by {digits(100 * fit.scatter)} % about the curve."
    band = (
        f"The band holds every curve of this form that the points do not reject at {level}."
        if found["no_interval"] is None
        else f"There is no band: {found['no_interval']}."
    )
    has_floor = any(p["name"] == "E" for p in found["parameters"])
    floor = "E + " if has_floor else ""
    parts = "a floor E that no size removes, and a part that shrinks with size" if has_floor else "it shrinks with size"
    return section(
        "law",
        paragraph(
            f"The law y = {floor}A \u00b7 N",
            el("sup", "\u2212\u03b1"),
            f" is fitted to the mean error y of the held-out users for each number of parameters N: {parts}. {band}",
        ),
        paragraph(
            el("b", "This law describes this demo only. "),
            f"It rests on {sizes.lower()} sizes, one run each, trained for minutes on simulated sessions; "
            "another training budget or other data give another law.",
        ),
        image(
            svg_bytes(figures.scaling_figure(inputs)),
            alt,
            "Filled marks: mean over held-out users of one run. Small circles: single held-out users; they "
            "vary together from size to size and are not fitted one by one. The distilled student and its size "
            "from scratch had fewer steps; they are shown for comparison and are not part of the fit.",
        ),
        table(
            f"The fitted numbers, with {level} intervals",
            ("parameter", "meaning", "value", "from", "to"),
            rows,
            texts=2,
        ),
        paragraph(
            f"Found by {_objective(found)}; {found['search']['starts_agree']:.0%} of "
            f"{found['search']['starts']} starts reached this minimum.{scatter} A is the shrinking part at "
            "N = 1, far below the sweep, so its interval is wide by nature.",
            class_="note",
        ),
        el("h3", "What to know before trusting it"),
        el("ul", *findings),
        table(
            "The ladder, trained from the keys alone",
            ("size", "role", "parameters", "steps", "epochs", "FLOPs", "training", "CER", "law"),
            [_ladder_row(inputs, run) for run in inputs.ladder],
            texts=2,
        ),
        paragraph(
            "CER: mean of the held-out users. Law: what the fitted curve says for that size. Training: wall "
            "time of a run since it was last started, which others may have run beside.",
            class_="note",
        ),
    )


def _ladder_row(inputs: ReportInputs, run: RunView) -> tuple[str, ...]:
    result = run.result
    return (
        result["preset"],
        role_of(inputs, run) or "",
        whole(result["params"]),
        whole(result["steps"]),
        digits(result.get("epochs")),
        digits(result.get("flops")),
        duration(result.get("seconds")),
        percent(heldout_cer(run)),
        percent(float(predict(inputs.fit, result["params"]))),
    )


def _parameter(parameter: dict[str, Any], unit: str) -> tuple[str, ...]:
    scale = f"\u00a0{unit}" if parameter["unit"] == "y" and unit else ""
    name = {"alpha": "\u03b1"}.get(parameter["name"], parameter["name"])
    ends = (parameter["low"], parameter["high"])
    numbers = [text + scale if text != MISSING else text for text in (digits(v) for v in (parameter["value"], *ends))]
    for place, (end, words) in enumerate((("low", "no lower end"), ("high", "no upper end")), start=1):
        if end in parameter.get("unbounded", ()):
            numbers[place] = words
    return (name, parameter["meaning"], *numbers)


def _objective(found: dict[str, Any]) -> str:
    if found["objective"]["kind"] == "huber_log":
        return "least Huber loss of the log errors, which bends less to outliers than squares do"
    return "least squares of the log errors"


def _tile(role: str, run: RunView) -> Html:
    title = {
        "teacher": "Teacher",
        "distilled": "Student, distilled",
        "from scratch": "Same size, from scratch",
    }[role]
    spread = heldout_scores(run, "macro").get("cer_std")
    return el(
        "div",
        el("h3", title),
        el("span", percent(heldout_cer(run)), class_="number"),
        paragraph(f"{whole(run.result['params'])} parameters ({run.result['preset']})"),
        paragraph(f"\u00b1\u00a0{digits(spread)} between users" if is_number(spread) else "spread not known"),
        class_="tile",
        style=f"border-top-color: {figures.COLOURS[role]}",
    )


def _claim(text: str, measured: str, holds: bool) -> Html:
    verdict = el("span", "yes" if holds else "no", class_="yes" if holds else "no")
    return el("li", f"{text}: ", verdict, f" ({measured})")


def _last_loss(run: RunView) -> float | None:
    losses = [line["ctc"] for line in run.metrics if is_number(line.get("ctc"))]
    return losses[-1] if losses else None


def _points(value: float | None) -> str:
    return MISSING if value is None else f"{abs(value):.1f} points"


def _signed(value: float | None) -> str:
    return MISSING if value is None else f"{value:+.1f} points"


def _steps(runs: tuple[RunView, ...]) -> str:
    steps = sorted({run.result["steps"] for run in runs})
    return f"{whole(steps[0])} steps each" if len(steps) == 1 else f"{whole(steps[0])} to {whole(steps[-1])} steps"


def _users(count: int) -> str:
    return "one held-out user" if count == 1 else f"{count} held-out users"


def _count(number: int) -> str:
    words = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
    return words[number] if number < len(words) else str(number)
