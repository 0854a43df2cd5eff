"""English-like sentences to type, built from the word lists and sentence patterns in this file."""

from collections.abc import Sequence

import numpy as np


def _words(text: str) -> tuple[str, ...]:
    """The words of `text`; an underscore stands for a blank inside an expression."""
    return tuple(word.replace("_", " ") for word in text.split())


# Lists are sorted by frequency: the n-th word is drawn with weight 1 / (n + 2), a flattened Zipf law.
NAMES = _words(
    """
    Anna Tom Maria James Zoe Peter Kim Laura Ben Quinn Ivan Sara Hugo Olga Frank Dana Victor Julia Xavier
    Will Grace Oscar Ella Yusuf
    """
)
PLACES = _words(
    """
    London Paris Oslo Quebec Kyoto Vienna Boston Zurich Lima Delhi Exeter Warsaw Jersey Havana Utrecht
    Galway Munich Denver Cairo Perth
    """
)
NOUNS = _words(
    """
    time day way house man woman child world school book letter car room door friend water night road table
    word dog question street garden kitchen window picture paper story boat coat bridge market box key job
    bird clock field river plan phone bag train hill tree glass horse lamp map apple village song cup fire
    engine quilt jacket piano machine axe zebra violin ticket pocket wax kettle fox puzzle yard judge vase
    queen
    """
)
PLURALS = _words(
    """
    people days years things words books friends houses hands children eyes letters keys boats plans stories
    birds windows apples cups tickets maps trees questions boxes horses songs jars quilts examples
    """
)
ADJECTIVES = _words(
    """
    good new old little long great small big young quiet early blue red warm cold dark black white green
    happy heavy busy empty strange bright quick kind brave simple dry soft yellow large wooden broken
    expensive lazy fuzzy exact jolly zigzag
    """
)
VERBS = _words(
    """
    took made saw found wanted had gave kept left brought moved opened bought sold painted fixed asked_for
    read carried used closed lost watched built washed borrowed liked needed drew hid cut pushed joined
    quoted mixed zipped examined juggled
    """
)
GOING = _words(
    """
    went came walked ran sat stayed waited worked slept lived stood talked looked drove played laughed
    danced jumped paused relaxed
    """
)
INFINITIVES = _words(
    """
    see know take find make get leave help write read keep ask buy open call visit explain choose join bring
    move fix
    """
)
ADVERBS = _words(
    """
    again now today then soon always together slowly almost_every_day later at_last very_quietly yesterday
    quickly here just_in_time for_a_while
    """
)
PREPOSITIONS = _words("in on by near under behind over for with from at across beyond")
DETERMINERS = _words("the a the my the his her this our the every your that their some_other")
PRONOUNS = _words("he she they we I you it")
PLURAL = _words("we you they I")  # go with a verb's plain form
CONJUNCTIONS = _words("and but so because while when if although before until")
NOT_WORDS = _words("don't can't won't didn't wouldn't couldn't shouldn't")
SHORT_FORMS = _words("it's that's I'm there's we're they'll I've you'd she's what's")
WANTS = _words("have_to would_like_to want_to must will should may need_to might used_to could")
ASKING = _words("where when why how")


def _pick(rng: np.random.Generator, words: Sequence[str]) -> str:
    """One word; a list's earlier words are the more frequent ones."""
    weights = 1.0 / (np.arange(len(words)) + 2.0)
    place = int(np.searchsorted(np.cumsum(weights), rng.random() * weights.sum(), side="right"))
    return words[min(place, len(words) - 1)]


def _noun_phrase(rng: np.random.Generator) -> str:
    draw = rng.random()
    if draw < 0.12:
        return _pick(rng, NAMES)
    if draw < 0.20:
        return f"{_pick(rng, NAMES)}'s {_pick(rng, NOUNS)}"
    if draw < 0.30:
        return f"{int(rng.integers(2, 100))} {_pick(rng, PLURALS)}"
    if draw < 0.40:
        return f"{_pick(rng, ADJECTIVES)} {_pick(rng, PLURALS)}"
    determiner = _pick(rng, DETERMINERS)
    words = [_pick(rng, ADJECTIVES)] if rng.random() < 0.45 else []
    words.append(_pick(rng, NOUNS))
    if determiner == "a" and words[0][0] in "aeiou":
        determiner = "an"
    return " ".join([determiner, *words])


def _place(rng: np.random.Generator) -> str:
    if rng.random() < 0.25:
        return f"in {_pick(rng, PLACES)}"
    return f"{_pick(rng, PREPOSITIONS)} {_noun_phrase(rng)}"


def _clause(rng: np.random.Generator) -> str:
    subject = _pick(rng, PRONOUNS) if rng.random() < 0.5 else _noun_phrase(rng)
    draw = rng.random()
    if draw < 0.40:
        return f"{subject} {_pick(rng, VERBS)} {_noun_phrase(rng)}"
    if draw < 0.65:
        return f"{subject} {_pick(rng, GOING)} {_place(rng)}"
    if draw < 0.78:
        return f"{subject} {_pick(rng, GOING)} {_pick(rng, ADVERBS)}"
    if draw < 0.90:
        return f"{_pick(rng, PLURAL)} {_pick(rng, WANTS)} {_pick(rng, INFINITIVES)} {_noun_phrase(rng)}"
    return f"{_pick(rng, PLURAL)} {_pick(rng, NOT_WORDS)} {_pick(rng, INFINITIVES)} {_noun_phrase(rng)}"


def _number(rng: np.random.Generator) -> str:
    """A number as people type them: a year, a time, a price, a share, a count."""
    forms = (
        f"in {int(rng.integers(1850, 2030))}",
        f"at {int(rng.integers(1, 13))}:{int(rng.integers(0, 60)):02d}",
        f"for ${int(rng.integers(2, 400))}",
        f"on page {int(rng.integers(2, 980))}",
        f"with {int(rng.integers(5, 96))}% of {_noun_phrase(rng)}",
        f"(number {int(rng.integers(10, 9999))})",
    )
    return forms[int(rng.integers(len(forms)))]


def sentence(rng: np.random.Generator) -> str:
    """One sentence of about 20 to 80 printable ASCII characters, capital first, closed by . ? or !"""
    draw = rng.random()
    end = "." if rng.random() < 0.93 else "!"
    if draw < 0.30:
        text = _clause(rng)
    elif draw < 0.50:
        text = f"{_clause(rng)}, {_pick(rng, CONJUNCTIONS)} {_clause(rng)}"
    elif draw < 0.60:
        text = f"{_clause(rng)} {_pick(rng, CONJUNCTIONS)} {_clause(rng)}"
    elif draw < 0.70:
        asking, verb = _pick(rng, ASKING), _pick(rng, INFINITIVES)
        text, end = f"{asking} did {_noun_phrase(rng)} {verb} {_noun_phrase(rng)}", "?"
    elif draw < 0.78:
        text = f"{_clause(rng)} {_number(rng)}"
    elif draw < 0.86:
        text = f"{_pick(rng, SHORT_FORMS)} {_pick(rng, ADJECTIVES)} {_place(rng)}"
    elif draw < 0.90:
        text = f"{_clause(rng)}; {_clause(rng)}"
    elif draw < 0.94:
        text = f"{_noun_phrase(rng)}, {_noun_phrase(rng)} and {_noun_phrase(rng)} - all {_place(rng)}"
    else:
        speech = _clause(rng)
        text, end = f'"{speech[0].upper()}{speech[1:]}," said {_pick(rng, NAMES)}', "."
        return f"{text}{end}"
    return f"{text[0].upper()}{text[1:]}{end}"
