"""`semgjax lm`: train a character language model, writes an ARPA file or an automaton (.npz); score a text with one."""

import json as jsonlib
from pathlib import Path
from typing import Literal

import tyro

from semgjax.cli.parse import run_commands
from semgjax.cli.terminal import say
from semgjax.errors import InputError


def train(
    source: tyro.conf.Positional[Path],
    *,
    out: Path,
    order: int = 6,
    form: Literal["auto", "counts", "text"] = "auto",
    vocabulary: str = "abcdefghijklmnopqrstuvwxyz",
    lower: bool = False,
    spaces: bool = False,
    words: int | None = None,
    data: Path | None = None,
    splits: Path | None = None,
    json: bool = False,
) -> None:
    """Train a character n-gram model with modified Kneser-Ney smoothing.

    Args:
        source: file with a word and its count in each line, or with text; a pipe or /dev/stdin too
        out: new file: .arpa, or .npz for the compiled automaton
        order: length of the longest n-grams
        form: what the source holds (auto: counts if most of its lines are a word and a number)
        vocabulary: the model's characters; any other character ends a word
        lower: turn capitals into small letters first
        spaces: one model across words: whole lines of text, with the space as a character
        words: scale the counts to a text of this many words (for counts from huge corpora; 1000000 suits them)
        data: folder of sessions: text that holds what a validation or test session typed is refused
        splits: their split file (default: splits.json in the folder of sessions)
        json: print one JSON object instead of lines
    """
    from semgjax.decode.arpa import write_arpa
    from semgjax.decode.automaton import write_automaton
    from semgjax.decode.backoff import compile_model
    from semgjax.decode.held_out_text import check_held_out
    from semgjax.decode.ngram import scale_counts, train_ngrams
    from semgjax.decode.word_counts import count_words, form_of, parse_counts, read_source

    if out.suffix not in (".arpa", ".npz"):
        raise InputError(f"{out}: a model is .arpa or .npz; give a name that ends so", "bad-path")
    if out.exists():
        raise InputError(f"{out}: exists; remove it or give another --out", "out-exists")
    text = read_source(source)
    kind = form_of(text) if form == "auto" else form
    if spaces and kind == "counts":
        raise InputError(f"{source}: --spaces needs text, and this is word counts (--form text overrides)", "conflict")
    if data is not None:
        if kind == "counts":
            raise InputError(f"{source}: --data compares text, and word counts have no order; leave it out", "conflict")
        check_held_out(source, text, data, splits)
    elif splits is not None:
        raise InputError("--splits needs --data, the folder of its sessions", "bad-option")
    known = vocabulary + " " if spaces and " " not in vocabulary else vocabulary
    counts = (parse_counts if kind == "counts" else count_words)(source, text, known, lower)
    trained = train_ngrams(counts if words is None else scale_counts(counts, words), known, order)
    automaton = compile_model(trained.model)
    if out.suffix == ".arpa":
        write_arpa(out, trained.model)
    else:
        write_automaton(out, automaton)
    body = {
        "out": str(out),
        "form": kind,
        "order": order,
        "words": trained.words,
        "weight": trained.weight,
        "ngrams": trained.model.ngrams,
        "states": automaton.states,
        "table_bytes": automaton.nbytes,
        "discounts": trained.discounts,
        "fallback": trained.fallback,
    }
    if json:
        print(jsonlib.dumps(body))
        return
    say(f"{source}: {kind}, {trained.words} different words, {trained.weight} in all")
    if trained.fallback:
        orders = ", ".join(map(str, trained.fallback))
        say(f"discounts of order {orders} cannot be estimated: 0.5, 1 and 1.5 are used", error=True)
    say(f"{out}: order {order}, {trained.model.ngrams} n-grams")
    say(f"compiled: {automaton.states} states, tables of {automaton.nbytes / 1e6:.1f} MB")


def score(model: tyro.conf.Positional[Path], text: tyro.conf.Positional[Path], *, json: bool = False) -> None:
    """Score the words of a text: log10 probability of each, and perplexity per character.

    Args:
        model: an .arpa or .npz file
        text: text file; characters that the model lacks end a word
        json: print one JSON object instead of a table
    """
    from semgjax.decode.arpa import read_language_model
    from semgjax.decode.automaton import score_words
    from semgjax.decode.word_counts import count_words, read_source

    automaton = read_language_model(model)
    counts = count_words(text, read_source(text), "".join(automaton.vocabulary))
    log10p = score_words(automaton, list(counts))
    total = sum(float(value) * count for value, count in zip(log10p, counts.values(), strict=True))
    characters = sum((len(word) + 1) * count for word, count in counts.items())
    perplexity = 10 ** (-total / characters)
    rows = [
        {"word": word, "count": count, "log10": float(value)}
        for (word, count), value in zip(counts.items(), log10p, strict=True)
    ]
    if json:
        facts = {"model": str(model), "log10": total, "characters": characters, "perplexity": perplexity}
        print(jsonlib.dumps(facts | {"words": rows}))
        return
    for row in rows:
        say(f"{row['word']}  {row['log10']:.4f}" + (f"  x{row['count']}" if row["count"] != 1 else ""))
    say(f"log10 {total:.4f}, perplexity {perplexity:.3f} per character ({characters} characters and ends of words)")


def run(words: list[str]) -> int:
    """The command group."""
    return run_commands("lm", {"train": train, "score": score}, words)
