"""English-like sentences to type: sentence patterns and their small words, filled from a vocabulary."""

from collections.abc import Sequence

import numpy as np

from semgjax.data.simulate.vocabulary import SMALL, Vocabulary, word_list

# Lists are sorted by frequency: the n-th word is drawn with weight 1 / (n + 2), a flattened Zipf law.
PREPOSITIONS = word_list("in on by near under behind over for with from at across beyond")
DETERMINERS = word_list("the a the my the his her this our the every your that their some_other")
PRONOUNS = word_list("he she they we I you it")
PLURAL = word_list("we you they I")  # go with a verb's plain form
CONJUNCTIONS = word_list("and but so because while when if although before until")
NOT_WORDS = word_list("don't can't won't didn't wouldn't couldn't shouldn't")
SHORT_FORMS = word_list("it's that's I'm there's we're they'll I've you'd she's what's")
WANTS = word_list("have_to would_like_to want_to must will should may need_to might used_to could")
ASKING = word_list("where when why how")


def _pick(rng: np.random.Generator, choices: Sequence[str]) -> str:
    """One word; a list's earlier words are the more frequent ones."""
    weights = 1.0 / (np.arange(len(choices)) + 2.0)
    place = int(np.searchsorted(np.cumsum(weights), rng.random() * weights.sum(), side="right"))
    return choices[min(place, len(choices) - 1)]


def _noun_phrase(rng: np.random.Generator, words: Vocabulary) -> str:
    draw = rng.random()
    if draw < 0.12:
        return _pick(rng, words.names)
    if draw < 0.20:
        return f"{_pick(rng, words.names)}'s {_pick(rng, words.nouns)}"
    if draw < 0.30:
        return f"{int(rng.integers(2, 100))} {_pick(rng, words.plurals)}"
    if draw < 0.40:
        return f"{_pick(rng, words.adjectives)} {_pick(rng, words.plurals)}"
    determiner = _pick(rng, DETERMINERS)
    phrase = [_pick(rng, words.adjectives)] if rng.random() < 0.45 else []
    phrase.append(_pick(rng, words.nouns))
    if determiner == "a" and phrase[0][0] in "aeiou":
        determiner = "an"
    return " ".join([determiner, *phrase])


def _place(rng: np.random.Generator, words: Vocabulary) -> str:
    if rng.random() < 0.25:
        return f"in {_pick(rng, words.places)}"
    return f"{_pick(rng, PREPOSITIONS)} {_noun_phrase(rng, words)}"


def _clause(rng: np.random.Generator, words: Vocabulary) -> str:
    subject = _pick(rng, PRONOUNS) if rng.random() < 0.5 else _noun_phrase(rng, words)
    draw = rng.random()
    if draw < 0.40:
        return f"{subject} {_pick(rng, words.verbs)} {_noun_phrase(rng, words)}"
    if draw < 0.65:
        return f"{subject} {_pick(rng, words.going)} {_place(rng, words)}"
    if draw < 0.78:
        return f"{subject} {_pick(rng, words.going)} {_pick(rng, words.adverbs)}"
    if draw < 0.90:
        return f"{_pick(rng, PLURAL)} {_pick(rng, WANTS)} {_pick(rng, words.infinitives)} {_noun_phrase(rng, words)}"
    return f"{_pick(rng, PLURAL)} {_pick(rng, NOT_WORDS)} {_pick(rng, words.infinitives)} {_noun_phrase(rng, words)}"


def _number(rng: np.random.Generator, words: Vocabulary) -> str:
    """A number as people type them: a year, a time, a price, a share, a count."""
    forms = (
        f"in {int(rng.integers(1850, 2030))}",
        f"at {int(rng.integers(1, 13))}:{int(rng.integers(0, 60)):02d}",
        f"for ${int(rng.integers(2, 400))}",
        f"on page {int(rng.integers(2, 980))}",
        f"with {int(rng.integers(5, 96))}% of {_noun_phrase(rng, words)}",
        f"(number {int(rng.integers(10, 9999))})",
    )
    return forms[int(rng.integers(len(forms)))]


def sentence(rng: np.random.Generator, words: Vocabulary = SMALL) -> str:
    """One sentence of about 20 to 80 printable ASCII characters, capital first, closed by . ? or !"""
    draw = rng.random()
    end = "." if rng.random() < 0.93 else "!"
    if draw < 0.30:
        text = _clause(rng, words)
    elif draw < 0.50:
        text = f"{_clause(rng, words)}, {_pick(rng, CONJUNCTIONS)} {_clause(rng, words)}"
    elif draw < 0.60:
        text = f"{_clause(rng, words)} {_pick(rng, CONJUNCTIONS)} {_clause(rng, words)}"
    elif draw < 0.70:
        asking, verb = _pick(rng, ASKING), _pick(rng, words.infinitives)
        text, end = f"{asking} did {_noun_phrase(rng, words)} {verb} {_noun_phrase(rng, words)}", "?"
    elif draw < 0.78:
        text = f"{_clause(rng, words)} {_number(rng, words)}"
    elif draw < 0.86:
        text = f"{_pick(rng, SHORT_FORMS)} {_pick(rng, words.adjectives)} {_place(rng, words)}"
    elif draw < 0.90:
        text = f"{_clause(rng, words)}; {_clause(rng, words)}"
    elif draw < 0.94:
        first, second, third = (_noun_phrase(rng, words) for _ in range(3))
        text = f"{first}, {second} and {third} - all {_place(rng, words)}"
    else:
        speech = _clause(rng, words)
        text, end = f'"{speech[0].upper()}{speech[1:]}," said {_pick(rng, words.names)}', "."
        return f"{text}{end}"
    return f"{text[0].upper()}{text[1:]}{end}"
