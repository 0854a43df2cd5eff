"""Read and write ARPA files of character n-gram models, as KenLM and SRILM make them.

A token is one glyph of the key set, <s>, </s> or <unk>. Since blanks separate tokens, the space key is written as
<space>; other spellings of it, such as | (a key of its own here), are not translated.
"""

import re
from pathlib import Path

import numpy as np

from semgjax.decode.automaton import Automaton, check_automaton, is_character, read_automaton
from semgjax.decode.backoff import BASE, BEGIN, END, SPECIAL, Level, NgramModel, compile_model
from semgjax.errors import InputError
from semgjax.files import read_text, write_atomic

SPACE = "<space>"
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?(nan|inf|infinity)", re.IGNORECASE)


def write_arpa(path: Path, model: NgramModel) -> None:
    """Write a model, whole or not at all; `read_arpa` gives the same float32 numbers.

    Raises:
        InputError: the disk is full or not writable.
    """
    names = [SPACE if token == " " else token for token in model.tokens]
    lines = ["\\data\\", *(f"ngram {n}={len(level.token)}" for n, level in enumerate(model.levels, start=1)), ""]
    for order, level in enumerate(model.levels, start=1):
        lines.append(f"\\{order}-grams:")
        for row, tokens in enumerate(model.contents(order)):
            line = f"{level.log10p[row]!s}\t{' '.join(names[token] for token in tokens)}"
            last = order == model.order or tokens[-1] == SPECIAL.index(END)
            lines.append(line if last else f"{line}\t{level.backoff[row]!s}")
        lines.append("")
    write_atomic(path, "\n".join([*lines, "\\end\\", ""]))


def read_arpa(path: Path) -> NgramModel:
    """Read and check an ARPA file of any order, with or without back-off weights.

    Raises:
        InputError: no such file ("no-file"); no ARPA file ("wrong-schema"); no \\end\\ ("damaged"); counts that do not
            fit ("bad-field"); a line of the wrong length, a token that is no glyph, an n-gram that comes twice or
            whose context is missing ("bad-row"); no number ("bad-number"), NaN or infinity ("not-finite"), or a
            positive log10 probability ("bad-value").
    """
    lines = read_text(path, "an ARPA file").splitlines()
    at = next((number for number, line in enumerate(lines) if line.strip() == "\\data\\"), None)
    if at is None:
        raise InputError(f"{path}: has no line \\data\\; give an ARPA file, not a binary model", "wrong-schema")
    at, counts = _header(path, lines, at + 1)
    tokens = list(SPECIAL)
    number_of = {token: number for number, token in enumerate(tokens)}
    row_of: dict[tuple[int, ...], int] = {(): 0}
    levels: list[Level] = []
    for order, count in enumerate(counts, start=1):
        at = _blank(lines, at)
        _expect(path, lines, at, f"\\{order}-grams:")
        at += 1
        entries: dict[tuple[int, ...], tuple[float, float]] = {}
        while at < len(lines) and lines[at].strip() and not lines[at].startswith("\\"):
            place = f"{path}, line {at + 1}"
            names, log10p, backoff = _entry(place, lines[at], order, order == len(counts))
            if order == 1:
                _add_token(place, names[0], tokens, number_of)
            ngram = tuple(_number_of(place, name, number_of) for name in names)
            if ngram in entries:
                raise InputError(f"{place}: {' '.join(names)!r} comes twice; remove one", "bad-row")
            if ngram[:-1] not in row_of:
                text = " ".join(names[:-1])
                raise InputError(f"{place}: context {text!r} is not among the {order - 1}-grams; add it", "bad-row")
            entries[ngram] = log10p, backoff
            at += 1
        if len(entries) != count:
            raise InputError(
                f"{path}, line {at + 1}: {len(entries)} {order}-grams, expected {count} as in the header; "
                "correct the header or write the file again",
                "bad-field" if at < len(lines) else "damaged",
            )
        level, row_of = _level(entries, row_of)
        levels.append(level)
    at = _blank(lines, at)
    _expect(path, lines, at, "\\end\\")
    for token in (BEGIN, END):
        if not (levels[0].token == SPECIAL.index(token)).any():
            raise InputError(f"{path}: has no unigram {token}; train it on words between <s> and </s>", "bad-field")
    if len(tokens) == len(SPECIAL):
        raise InputError(f"{path}: has no unigram of a key; train it on characters", "bad-field")
    return NgramModel(tuple(" " if token == SPACE else token for token in tokens), tuple(levels))


def read_language_model(path: Path) -> Automaton:
    """The tables of a model for a search or for scores, from an ARPA file (.arpa) or a compiled one (any other name).

    Raises:
        InputError: as `read_arpa` or `read_automaton`; a character whose probability is above 1, as back-off weights of
            a damaged model can make it ("bad-value").
    """
    if path.suffix != ".arpa":
        return read_automaton(path)
    automaton = compile_model(read_arpa(path))
    check_automaton(automaton, str(path))
    return automaton


def _header(path: Path, lines: list[str], at: int) -> tuple[int, list[int]]:
    counts: list[int] = []
    while at < len(lines) and not lines[at].startswith("\\"):
        text = lines[at].strip()
        found = re.fullmatch(r"ngram\s+(\d{1,4})\s*=\s*(\d{1,12})", text, re.ASCII)
        if text and (not found or int(found[1]) != len(counts) + 1):
            wanted = f"ngram {len(counts) + 1}=COUNT"
            raise InputError(f"{path}, line {at + 1}: is {text[:40]!r}, expected {wanted!r}; correct it", "bad-field")
        if found:
            counts.append(int(found[2]))
        at += 1
    if not counts:
        raise InputError(f"{path}, line {at + 1}: no counts of n-grams after \\data\\; write it again", "bad-field")
    return at, counts


def _blank(lines: list[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _expect(path: Path, lines: list[str], at: int, wanted: str) -> None:
    if at >= len(lines):
        raise InputError(f"{path}: ends before {wanted}; the file is truncated, write it again", "damaged")
    if lines[at].strip() != wanted:
        raise InputError(
            f"{path}, line {at + 1}: is {lines[at].strip()[:40]!r}, expected {wanted!r}; correct it", "bad-field"
        )


def _entry(place: str, line: str, order: int, longest: bool) -> tuple[list[str], float, float]:
    cells = line.split()
    if len(cells) not in (order + 1, order + 2):
        raise InputError(
            f"{place}: has {len(cells)} cells, expected a number, {order} tokens and maybe a back-off; correct it",
            "bad-row",
        )
    log10p = _number(place, cells[0])
    backoff = _number(place, cells[order + 1]) if len(cells) == order + 2 else 0.0
    if log10p > 0:
        raise InputError(f"{place}: log10 probability is {cells[0]}, expected 0 or less; correct it", "bad-value")
    if longest and backoff:
        raise InputError(f"{place}: back-off {cells[-1]} of a longest n-gram; remove it", "bad-value")
    return cells[1 : order + 1], log10p, backoff


def _number(place: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        code = "not-finite" if _NOT_FINITE.fullmatch(text) else "bad-number"
        raise InputError(f"{place}: {text[:40]!r} where a finite number is expected; correct it", code)
    if not abs(value := float(text)) < 1e30:
        raise InputError(f"{place}: {text[:40]} is beyond the range of float32; correct it", "not-finite")
    return value


def _add_token(place: str, name: str, tokens: list[str], number_of: dict[str, int]) -> None:
    if name in number_of:
        return
    if name != SPACE and not is_character(name):
        raise InputError(
            f"{place}: token {name[:40]!r} is no key of a word ({SPACE} stands for the space); train on characters "
            "that are keys",
            "bad-row",
        )
    number_of[name] = len(tokens)
    tokens.append(name)


def _number_of(place: str, name: str, number_of: dict[str, int]) -> int:
    if name not in number_of:
        raise InputError(f"{place}: token {name[:40]!r} has no unigram; add it", "bad-row")
    return number_of[name]


def _level(
    entries: dict[tuple[int, ...], tuple[float, float]], row_of: dict[tuple[int, ...], int]
) -> tuple[Level, dict[tuple[int, ...], int]]:
    """The n-grams sorted by (row of the context, last token), and the row of each."""
    parent = np.array([row_of[ngram[:-1]] for ngram in entries], np.int64)
    token = np.array([ngram[-1] for ngram in entries], np.int64)
    values = np.array(list(entries.values()), np.float32).reshape(-1, 2)
    order = np.argsort(parent * BASE + token)
    ngrams = list(entries)
    rows = {ngrams[old]: new for new, old in enumerate(order.tolist())}
    return Level(parent[order], token[order], values[order, 0], values[order, 1]), rows
