"""Error against model size with its three layers, at the centre of the star; writes size_scaling.png and .md."""

from pathlib import Path

from analysis.study import Study, centre, data_words, finding_words, run, write_study
from semgjax.pages.law_curves import curve_figure
from semgjax.scaling.answer import predict_at
from semgjax.scaling.decide.evidence import gather
from semgjax.scaling.ends import number, span
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import FLOOR_POWER


def size_scaling(study: Study) -> Path:
    """The size curve."""
    middle = centre(study)
    table = study.read({"N": "params"}, {"users": f"{middle['U']:g}", "hours": repr(middle["H"])})
    fit = fit_law(table, FLOOR_POWER)
    evidence = gather(fit, study.level)
    largest = float(table.sizes.max())
    answer = predict_at(fit, 10.0 * largest, study.level)
    if answer.blocked:
        said = "No prediction can be quoted."
    else:
        choice = (answer.choice.low, answer.choice.high) if answer.choice else None
        said = (
            f"At {number(10.0 * largest)} parameters, ten times the largest: {number(answer.value)} {table.unit}; "
            f"sampling {span(answer.interval)} ({study.level:.0%}, profile likelihood), choice {span(choice)}, "
            f"extrapolation {span(answer.extrapolation)}."
        )
    caption = (
        f"Character error rate against model size at {middle['U']:g} users and {middle['H']:.3g} hours. "
        f"{data_words(table)}. {said}{finding_words(answer.diagnostics)}"
    )
    return write_study(study, "size_scaling", caption, curve_figure(evidence))


if __name__ == "__main__":
    run(size_scaling)
