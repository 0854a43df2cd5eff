"""The second half of the demo's report: users, sizes and speeds, how it was made. Writes nothing."""

import platform
from importlib import metadata

from semgjax.pages.demo import curves as figures
from semgjax.pages.demo.headings import section
from semgjax.pages.demo.number_text import MISSING, data_size, digits, duration, percent, ratio, whole
from semgjax.pages.demo.views import ReportInputs, heldout_cer, heldout_scores, is_number, user_cers
from semgjax.pages.html import Html, dot, el, image, join, paragraph, svg_bytes, table

NAMES = {"teacher": "teacher", "distilled": "student, distilled", "from scratch": "same size, from scratch"}


def users(inputs: ReportInputs) -> Html:
    """The three models on every held-out user."""
    cers = {role: user_cers(run) for role, run in inputs.trio}
    everyone = sorted(set().union(*cers.values()))
    means = ", ".join(f"{NAMES[role]} {percent(heldout_cer(run))}" for role, run in inputs.trio)
    better = sum(
        cers["distilled"][user] < cers["from scratch"][user]
        for user in everyone
        if user in cers["distilled"] and user in cers["from scratch"]
    )
    rows = []
    for role, run in inputs.trio:
        macro, pooled = heldout_scores(run, "macro"), heldout_scores(run, "pooled")
        kinds = [pooled.get(kind) for kind in ("characters", "substitutions", "deletions", "insertions")]
        rates = [percent(macro.get("cer")), digits(macro.get("cer_std")), percent(pooled.get("cer"))]
        rows.append((_model(role), whole(run.result["params"]), *rates, *map(whole, kinds)))
    return section(
        "users",
        paragraph(
            "A mean can hide a user for whom a model fails, so here is each of them. The student reads "
            f"{better} of {len(everyone)} held-out users better than its own size from scratch does."
        ),
        image(
            svg_bytes(figures.users_figure(inputs)),
            f"Error of the three models for each of {len(everyone)} held-out users. Means: {means}.",
            "The grey line joins the three models on one user. Each user's sessions are decoded whole, by "
            "taking the most likely class at each instant; no language model helps.",
        ),
        table(
            "All held-out users together",
            ("model", "parameters", "CER, mean of users", "spread", "CER, all keys", "keys", "S", "D", "I"),
            rows,
        ),
        paragraph(
            "S: keys read as another key. D: keys missed. I: keys read that nobody typed. CER is S + D + I "
            "for 100 keys typed. Spread: standard deviation over the users, who are few.",
            class_="note",
        ),
        table(
            "CER by user",
            ("user", *map(_model, cers)),
            [(user, *(percent(cers[role].get(user)) for role in cers)) for user in everyone],
        ),
    )


def sizes(inputs: ReportInputs) -> Html:
    """Sizes, speeds and the export."""
    rows = []
    for speed in inputs.speeds:
        milliseconds = speed.get("ms_per_second_of_signal")
        role = _roles(inputs, speed["preset"])
        head = (speed["preset"], role, whole(speed.get("params")), data_size(speed.get("bytes")))
        rows.append((*head, digits(milliseconds), digits(ratio(1000.0, milliseconds))))
    exported = inputs.exported
    return section(
        "sizes",
        paragraph(
            "What it costs to carry and to run each size: bytes of its parameters, and time to "
            "compute one second of signal. The student costs the same as its size from scratch; only its "
            "training differed."
        ),
        table(
            "Sizes and speeds",
            ("size", "role", "parameters", "bytes", "ms for 1 s of signal", "times faster than live"),
            rows,
            texts=2,
        ),
        paragraph(
            f"Timed on one machine ({inputs.machine}), in the windows and batches that evaluation uses: good "
            "for comparing the sizes with each other, not the delay of a live decoder on a wearable.",
            class_="note",
        ),
        el("h3", "What the export showed"),
        paragraph(
            f"The student ({exported['preset']}, {whole(exported.get('params'))} parameters) was exported "
            f"as a self-contained checkpoint of {data_size(exported.get('bytes'))}, which a fresh process "
            "loaded without the training configuration. There it scored a CER of "
            f"{percent(exported.get('cer'))} on the held-out users (at the end of training: "
            f"{percent(heldout_cer(inputs.distilled))}). {_logits(exported.get('max_logit_difference'))}"
        ),
    )


def made(inputs: ReportInputs) -> Html:
    """Seeds, data, times, versions, commands."""
    simulation, result = inputs.simulation, inputs.teacher.result
    total = sum(seconds for seconds in inputs.seconds.values() if is_number(seconds))
    stages = [(stage, duration(seconds)) for stage, seconds in inputs.seconds.items()]
    held_out = sorted({session.user for session in inputs.sessions})
    facts = [
        ("seed of the demo", str(inputs.seed)),
        (
            "simulated sessions",
            f"{whole(simulation.get('users'))} users, {whole(simulation.get('sessions'))} sessions of "
            f"{digits(simulation.get('minutes'))} minutes each; noise and artefacts: "
            f"{simulation.get('severity', MISSING)}; seed {simulation.get('seed', MISSING)}",
        ),
        ("held out for the test", f"{_list(held_out)} ({len(inputs.sessions)} sessions)"),
        (
            "trained on",
            f"{whole(result.get('users'))} other users, {_minutes(result.get('hours'))} minutes of signal",
        ),
        ("steps of every run in the ladder", _span([run.result["steps"] for run in inputs.ladder])),
        ("steps of the student and of its size from scratch", whole(inputs.distilled.result["steps"])),
        (
            "seeds of the training runs",
            _span([run.result["seed"] for run in (*inputs.ladder, inputs.scratch, inputs.distilled)]),
        ),
        ("machine", inputs.machine),
        (
            "versions",
            f"semgjax {metadata.version('semgjax')}, jax {metadata.version('jax')}, Python {platform.python_version()}",
        ),
    ]
    lines = [Html(f"{el('span', '# ' + what, class_='note')}\n{join([command])}") for what, command in inputs.commands]
    return section(
        "made",
        paragraph(
            "Everything above comes from one command and one seed; the same seed makes the same sessions, "
            "and on the same kind of machine the same parameters."
        ),
        table("In numbers", ("what", "value"), facts, texts=2),
        table(
            "Time of each stage",
            ("stage", "time"),
            [*stages, (el("b", "together"), el("b", duration(total)))],
        ),
        el("h3", "Each stage by its own command"),
        paragraph("DEMO stands for the folder of this report; give another folder for what you make anew."),
        el("pre", el("code", Html("\n\n".join(lines))), tabindex="0"),
    )


def _model(role: str) -> Html:
    return join([dot(figures.COLOURS[role]), NAMES[role]])


def _roles(inputs: ReportInputs, preset: str) -> str:
    roles = [NAMES[role] for role, run in inputs.trio if run.result["preset"] == preset]
    return "student, and from scratch" if len(roles) > 1 else "".join(roles)


def _logits(worst: float | None) -> str:
    if not is_number(worst):
        return "Its logits were not compared."
    if worst == 0:
        return "Its logits for a held-out session equal those of the run, bit for bit."
    return f"Its logits for a held-out session differ from those of the run by {digits(worst)} at most."


def _minutes(hours: float | None) -> str:
    return MISSING if hours is None else digits(60.0 * hours)


def _span(values: list[int]) -> str:
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
