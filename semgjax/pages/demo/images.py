"""The figures of the demo's report with what their captions and their texts for screen readers say."""

from semgjax.losses.student_summary import summary_of
from semgjax.pages.demo import curves
from semgjax.pages.demo.number_text import digits, percent, whole
from semgjax.pages.demo.views import ReportInputs, RunView, heldout_cer, is_number, user_cers
from semgjax.pages.html import Image, both_widths
from semgjax.pages.offset_plot import offsets_figure
from semgjax.pages.stretch import choose_stretch, keys_in


def signal(inputs: ReportInputs) -> Image:
    """A stretch of one held-out user's session."""
    session = inputs.sessions[0]
    start, stop = choose_stretch(session)
    keys = keys_in(session, start, stop)
    band = session.band
    typed = ("" if band.classes is None else ", ").join(glyph for _, glyph in keys)
    if band.classes is None:
        each, named = "key presses", "the moment at which a key went down, with its key above "
        named += "(\u2423 space, \u21e7 shift, \u232b backspace, \u23ce enter)"
    else:
        each, named = "events", "the start of an event, with its class above"
    kind = "sEMG" if inputs.real else "simulated sEMG"
    return both_widths(
        lambda width: curves.emg_figure(session, start, stop, width),
        f"{(stop - start) / band.rate:g} seconds of {kind} from {' + '.join(map(str, band.rings))} electrodes, each "
        f"drawn as a line, with {len(keys)} {each} as vertical lines: {typed}",
        f"Held-out user {session.user}, session {session.name}, starting at {start / band.rate:.1f} s. Each "
        f"line is one electrode; each vertical line is {named}.",
    )


def learning(inputs: ReportInputs) -> Image:
    """Learning curves."""
    last = [_last_loss(run) for run in (inputs.ladder[0], inputs.ladder[-1], inputs.distilled)]
    return both_widths(
        lambda width: curves.learning_figure(inputs, width),
        f"Two panels of learning curves for {len(inputs.ladder)} sizes and the student. The training loss ends at "
        f"{digits(last[0])} for the smallest size, {digits(last[1])} for the largest and {digits(last[2])} "
        "for the student.",
        "The student's curve of the training loss is the CTC part of its loss only. A curve that is still "
        "falling at its end would gain from more steps: these runs are minutes long by design.",
    )


def scaling(inputs: ReportInputs) -> Image:
    """The fitted curve."""
    table = inputs.fit.table
    shown = ", ".join(f"{percent(y)} at {whole(n)}" for n, y in zip(table.sizes, table.y, strict=True))
    return both_widths(
        lambda width: curves.scaling_figure(inputs, width),
        f"Error on held-out users against the number of parameters, with the fitted curve: {shown}.",
        "Filled marks: mean over held-out users of one run. Small circles: single held-out users; they "
        "vary together from size to size and are not fitted one by one. The distilled student and its size "
        "from scratch had other numbers of steps; they are shown for comparison and are not part of the fit.",
    )


def crowd(inputs: ReportInputs) -> Image:
    """The curve over training users."""
    shown = ", ".join(f"{percent(heldout_cer(run))} with {whole(run.result['users'])}" for run in inputs.crowds)
    return both_widths(
        lambda width: curves.crowd_figure(inputs, width),
        f"Error on held-out users against the number of training users, with the fitted curve: {shown}.",
        "Filled marks: mean over held-out users of one run. The held-out users are the same for all runs.",
    )


def users(inputs: ReportInputs) -> Image:
    """The three models on every held-out user."""
    everyone = set().union(*(user_cers(run) for _, run in inputs.trio))
    means = ", ".join(f"{role} {percent(heldout_cer(run))}" for role, run in inputs.trio)
    return both_widths(
        lambda width: curves.users_figure(inputs, width),
        f"Error of the three models for each of {len(everyone)} held-out users. Means: {means}.",
        "The grey line joins the three models on one user. Each user's sessions are decoded whole, by "
        "taking the most likely class at each instant, without a language model.",
    )


def offsets(inputs: ReportInputs) -> Image | None:
    """When the student emits, beside its teacher; None where the run's lines do not say."""
    found = summary_of(inputs.distilled.metrics)
    if found is None or not found.symbols:
        return None
    near = found.within(1)
    return both_widths(
        lambda width: offsets_figure(found, width, curves.COLOURS["distilled"]),
        f"Bars for {whole(found.symbols)} symbols of the teacher by how many frames later the student has them: "
        f"{percent(None if near is None else 100.0 * near)} of those that it has lie within one frame, and "
        f"{percent(100.0 * (found.without or 0.0))} of all it has not.",
    )


def _last_loss(run: RunView) -> float | None:
    losses = [line["ctc"] for line in run.metrics if is_number(line.get("ctc"))]
    return losses[-1] if losses else None
