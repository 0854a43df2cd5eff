"""`semgjax evaluate`: error rates of a finished run or of an export on parts of a split."""

import json as jsonlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from semgjax.cli.evaluate_stress import check_stress, evaluate_stressed
from semgjax.cli.parse import run_commands
from semgjax.cli.terminal import say
from semgjax.decode.beam_options import BeamOptions
from semgjax.errors import InputError
from semgjax.measures import MEASURES, measure_in

if TYPE_CHECKING:
    from semgjax.api.evaluation import Evaluation
    from semgjax.api.models import Model
    from semgjax.data.corpus import Corpus
    from semgjax.evaluate.decoders import Decoder, Tuned
    from semgjax.pages.evaluation_page import Part as PagePart

Part = Literal["train", "val", "test"]
SCHEMA, VERSION = "semgjax/evaluation", 1


def evaluate(
    model: tyro.conf.Positional[str],
    /,
    *,
    data: Path,
    split: tuple[Part, ...] = ("test",),
    splits: Path | None = None,
    mode: Literal["stitched", "windowed", "session"] = "stitched",
    decoder: Literal["greedy", "beam"] = "greedy",
    lm: Path | None = None,
    beam: BeamOptions = BeamOptions(),  # noqa: B008
    tune: bool = False,
    against: str | None = None,
    against_decoder: Literal["same", "greedy"] = "same",
    user: tuple[str, ...] = (),
    batch: int = 16,
    turns: int = 0,
    lengths: bool = False,
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.json")] = None,
    page: Annotated[Path | None, tyro.conf.arg(metavar="FILE.html")] = None,
    stress: bool = False,
    stress_kinds: tuple[str, ...] = (),
    stress_out: Path | None = None,
    json: bool = False,
) -> None:
    """Decode sessions and count errors per user, with intervals over users.

    Args:
        model: finished run directory or an export, or the address of one (gs://...)
        data: folder of sessions
        split: which parts of the split are decoded, such as val test
        splits: split file (default: splits.json in the folder of sessions)
        mode: stitched: whole sessions, from windows with context, end to end; windowed: every window by itself;
            session: whole sessions as one stream, for networks that see the past only
        decoder: greedy takes the best class of each frame; beam searches for the best sequence
        lm: character language model of the beam, from semgjax lm train or an ARPA file
        beam: options of the beam search
        tune: choose the beam's weight and bonus by a grid search on the val part (with --user: on these users' sessions
            of it)
        against: another run or export (or the same), whose errors on the same sessions are subtracted user by user
        against_decoder: the other's decoder: the same, or greedy
        user: evaluate these users only
        batch: windows that go through the decoder at once
        turns: decode each session with its rings turned by up to this many electrodes to either side, and keep the turn
            that the decoder is most confident of (labels take no part)
        lengths: also read stretches of 4, 8, 15, 30 and 60 s, each in one forward pass
        out: write the JSON object to this file too
        page: write a page with tables and figures to this file
        stress: decode them besides with their signals made worse, in kinds and levels, and compare with the clean error
        stress_kinds: names of the kinds, of noise, hum-50, hum-60, lost-electrodes, turn, drift, lost-held, lost-zero,
            rate and fewer-electrodes (default: all)
        stress_out: folder for stress.json, stress.png and the page stress.html
        json: print one JSON object instead of a table
    """
    if against is None and against_decoder != "same":
        raise InputError(f"--against-decoder {against_decoder}: nothing to compare with; add --against", "conflict")
    if tune and _weights(beam) != _weights(BeamOptions()):
        raise InputError("--tune chooses beam.lm-weight and beam.insertion-bonus; leave these out", "conflict")
    others = {
        "--mode": mode != "stitched",
        "--tune": tune,
        "--against": against is not None,
        "--user": bool(user),
        "--lengths": lengths,
        "--out": out is not None,
        "--page": page is not None,
        "--turns": turns != 0,
        "--split": len(split) != 1,
    }
    check_stress(stress, stress_kinds, stress_out, [name for name, given in others.items() if given])
    from semgjax.api.evaluation import as_words
    from semgjax.api.models import check_batch, load, read_corpus
    from semgjax.cli.summary import shown_warnings
    from semgjax.evaluate.decoders import Decoder
    from semgjax.evaluate.spread import DRAWS, LEVEL, SEED
    from semgjax.files import write_atomic, write_json

    check_batch(batch)
    chosen = Decoder(decoder, lm, beam)
    if stress:
        evaluate_stressed(model, data, split[0], splits, batch, chosen, stress_kinds, stress_out, json)
        return
    if out is not None and out == page:
        raise InputError(f"{out}: is to be the JSON object and the page; name two files", "conflict")
    for file in (out, page):
        if file is not None and file.exists():
            raise InputError(f"{file}: exists; choose another file", "out-exists")
    if len(set(split)) != len(split) or not split:
        raise InputError(f"split {' '.join(split)}: name each part once", "bad-value")
    ours = load(model)
    other = None if against is None else load(against)
    about: dict[str, Any] = {"model": model, "bootstrap": {"draws": DRAWS, "seed": SEED, "level": LEVEL}}

    def read(one: "Model", how: Decoder, part: Part) -> "Evaluation":
        return one.evaluate(corpus, part, None, batch, turns, mode, how, user, lengths=lengths and one is ours)

    shown = []
    with shown_warnings():
        corpus = read_corpus(data, splits)  # once: HDF5 sessions are checked whole
        if tune:
            tuned = _tuned(ours, chosen, corpus, mode, batch, turns, user)
            chosen = replace(chosen, beam=tuned.options)
            about["tuned_on_val"] = {**_weights(tuned.options), "at_edge": tuned.at_edge, "grid": tuned.grid}
            if not json:
                _say_tuned(tuned)
        for part in split:
            found = read(ours, chosen, part)
            _add(about, found, turns)
            compared_words = ""
            if not json:
                _say(found, turns)
            if other is not None:
                theirs = chosen if against_decoder == "same" else Decoder()
                difference = found.less(read(other, theirs, part))
                compared = {"model": against, "decoder": theirs.as_json(), **asdict(difference)}
                about.setdefault("against", {})[part] = compared
                names = {"ours": f"{model} ({chosen.name})", "other": f"{against} ({theirs.name})"}
                compared_words = as_words(difference, names)
                if not json:
                    say(f"{part}: {compared_words}")
            shown.append(_part(found, compared_words))
    if page is not None:
        from semgjax.pages.evaluation_page import render

        write_atomic(page, render(model, shown))
    if out is not None:
        write_json(out, SCHEMA, VERSION, about)
    if json:
        print(jsonlib.dumps(about))


def _tuned(
    model: "Model", decoder: "Decoder", corpus: "Corpus", mode: Any, batch: int, turns: int, users: tuple[str, ...]
) -> "Tuned":
    """The best weights on the val part, of these users where some are named.

    Raises:
        InputError: a decoder without a language model, or turns ("conflict"); or a user who has no session there
            ("unknown-name").
    """
    from semgjax.evaluate.decoders import read_model, tune

    language = read_model(decoder, model.band)
    if decoder.name != "beam" or language is None:
        raise InputError("--tune searches the weights of a language model; add --decoder beam --lm FILE", "conflict")
    if turns:
        raise InputError(f"--turns {turns} with --tune: weights are searched on sessions as recorded", "conflict")
    sessions = model.sessions_of(corpus, "val", users)
    return tune(decoder, model.band, language, model.emissions(mode, batch), sessions, model.config.stride)


def _weights(options: BeamOptions) -> dict[str, float]:
    return {"lm_weight": options.lm_weight, "insertion_bonus": options.insertion_bonus}


def _add(about: dict[str, Any], found: "Evaluation", turns: int) -> None:
    """Add a part's numbers: rows to the tables, other facts by part."""
    values = found.as_json()
    for name in ("mode", "decoder", "metric", "data"):
        about[name] = values[name]
    about["spliced"] = about.get("spliced", False) or found.spliced
    for name in ("scores", "users_scores"):
        about.setdefault(name, []).extend(values[name])
    for name in ("signals", "intervals", "trained_on_users", "left_out", "emg2qwerty_names", "breakdown"):
        about.setdefault(name, {})[found.split] = values[name]
    if found.letters_outside:
        about.setdefault("letters_outside", {})[found.split] = found.letters_outside
    if found.lengths:
        about.setdefault("lengths", {})[found.split] = values["lengths"]
    if found.turns is not None:
        about.setdefault("turns", {"tried": turns, "labels_used": False, "sessions": {}})
        about["turns"]["sessions"] |= found.turns


def _part(found: "Evaluation", against: str) -> "PagePart":
    """What the page shows of a part."""
    from semgjax.pages.evaluation_page import Part as PagePart

    assert found.breakdown is not None
    return PagePart(
        found.split, found.mode, found.decoder["name"], found.metric, found.spliced, found.scores, found.users_scores,
        found.intervals, found.met or (), found.breakdown, found.signals, found.lengths, against,
    )  # fmt: skip


def _say_tuned(tuned: "Tuned") -> None:
    for weight, bonus, error in tuned.grid:
        best = "  <- best" if (weight, bonus) == tuple(_weights(tuned.options).values()) else ""
        say(f"val   lm_weight {weight:<7g} insertion_bonus {bonus:g}: {error:.2f} %{best}")
    if tuned.at_edge:
        say("the best weights lie at an end of the grid; a better one may lie beyond it")


def _say(found: "Evaluation", turns: int) -> None:
    from semgjax.cli.summary import rate_text, score_lines

    for line, row in zip(score_lines(found.scores, found.spliced), found.scores, strict=True):
        say(line + _interval_words(found.intervals, row["averaging"]))
    met = set(found.met or ())
    for row in found.users_scores:
        measure = measure_in(row)
        seen = ", trained on" if row["user"] in met else ""
        say(f"  {row['user']}: {measure.words} {rate_text(row)} of {row[measure.counted]} {measure.things}{seen}")
    for point in found.lengths:
        spread = "" if point.interval is None else " [{:.2f}, {:.2f}]".format(*point.interval)
        error = "unknown" if point.error is None else f"{point.error:.2f} %"
        say(f"stretches of {point.seconds:g} s: {error}{spread}, {point.users} users")
    if found.mode == "windowed":
        keys, seconds = found.left_out["keys"], found.left_out["seconds"]
        say(f"not scored: {keys} {MEASURES[found.metric].things} in {seconds:.1f} s after the last full windows")
    if found.turns is not None:
        say(f"turns of the rings, out of -{turns} to {turns}, chosen without labels by the decoder's confidence:")
        for session, turn in found.turns.items():
            say(f"  {session}: {', '.join(f'{places:+d}' if places else '0' for places in turn)}")


def _interval_words(intervals: Mapping[str, tuple[float, float] | None], averaging: str) -> str:
    found = intervals.get(averaging)
    return "" if found is None else f"; 95 % over users [{found[0]:.2f}, {found[1]:.2f}]"


def run(words: list[str]) -> int:
    """The command."""
    return run_commands("evaluate", {"": evaluate}, words)
