"""What users and hours are worth: two curves and the exchange with model size; writes users_hours.png and .md."""

from pathlib import Path

from analysis.study import Study, centre, data_words, finding_words, run, write_study
from semgjax.pages.law_curves import draw_curve
from semgjax.pages.style import DOUBLE, legend_below, new_figure
from semgjax.scaling.compare import test_users_or_hours
from semgjax.scaling.decide.decision import Decision, answer_words, ends_words
from semgjax.scaling.decide.evidence import gather
from semgjax.scaling.decide.exchange import exchange
from semgjax.scaling.ends import number
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS, law_named


def users_hours(study: Study) -> Path:
    """Error against users, and against hours of each user; users in parameters."""
    middle = centre(study)
    table = study.read({"U": "users", "H": "hours/users"}, {"params": f"{middle['N']:.0f}"})
    evidence = gather(fit_law(table, LAWS["users_hours"]), study.level)
    figure, axes = new_figure(DOUBLE, 76.0, 1, 2)
    extra = [entry for one, name in zip(axes, ("U", "H"), strict=True) for entry in draw_curve(one, evidence, name)]
    legend_below(figure, extra=extra)
    every = study.read({"N": "params", "U": "users", "H": "hours/users"})
    whole = fit_law(every, law_named("additive", ("N", "U", "H")))
    at = {"N": middle["N"], "U": middle["U"], "H": middle["H"] / middle["U"]}
    all_evidence = gather(whole, study.level)
    swaps = [exchange(whole, give, "N", at, 2.0, study.level, evidence=all_evidence).rate for give in ("U", "H")]
    verdict, _ = test_users_or_hours(table)
    caption = (
        f"Character error rate against training users and hours per user at {number(middle['N'])} parameters. "
        f"{data_words(table)}. {verdict}. From all {len(every.y)} runs, additive law: "
        f"{'; '.join(map(_words, swaps))} ({study.level:.0%} sampling intervals by profile likelihood; choice beside)."
        f"{finding_words((*evidence.findings, *all_evidence.findings))}"
    )
    return write_study(study, "users_hours", caption, figure)


def _words(swap: Decision) -> str:
    if swap.blocked:
        return f"{swap.question}: blocked"
    interval, choice = ends_words(swap, swap.interval), ends_words(swap, swap.choice)
    return f"{swap.question} {answer_words(swap, 3)} {interval}, choice {choice}"


if __name__ == "__main__":
    run(users_hours)
