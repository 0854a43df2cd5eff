"""Simulated typing: shift, slips and their corrections, the rhythm of keys, and sentences worth typing."""

import numpy as np

from semgjax.data.keys import label_of_key
from semgjax.data.simulate.text import sentence
from semgjax.data.simulate.typist import (
    PLACES,
    SHIFTED,
    TYPING,
    Press,
    draw_habits,
    neighbours,
    type_prompt,
    type_session,
    with_slips,
)


def test_every_printable_character_has_a_place_on_the_keyboard():
    assert set(PLACES) == {chr(code) for code in range(33, 127)}
    assert all(label_of_key(character) is not None for character in PLACES)
    assert len(SHIFTED) == len(PLACES) // 2


def presses_of(seed: int = 0, minutes: float = 5.0) -> list[Press]:
    rng = np.random.default_rng(seed)
    presses, _ = type_session(rng, minutes * 60, draw_habits(rng))
    return presses


def test_shift_goes_before_every_capital_and_is_held_across_it():
    presses = presses_of()
    assert sum(press.key in SHIFTED for press in presses) > 20
    for before, press in zip(presses, presses[1:], strict=False):
        if press.key in SHIFTED:
            assert before.key == "Key.shift"
            assert before.place.hand != press.place.hand
            assert before.end > press.start
        if before.key == "Key.shift":
            assert press.key in SHIFTED
    for before, press, after in zip(presses, presses[1:], presses[2:], strict=False):
        if press.key in SHIFTED:
            assert before.end < after.start


def test_what_is_left_after_corrections_is_the_prompt():
    rng = np.random.default_rng(3)
    prompt = "The quick brown fox can't jump over 12 lazy dogs (in Oslo)."
    for _ in range(20):
        struck = []
        for character, _noticed in with_slips(rng, prompt, 0.2):
            if character == "\b":
                struck.pop()
            else:
                struck.append(character)
        assert "".join(struck) == prompt


def test_slips_are_about_as_frequent_as_asked_and_corrected():
    rng = np.random.default_rng(0)
    struck = list(with_slips(rng, "letter" * 2000, 0.02))
    slips = sum(first for _, first in struck)
    assert 0.015 < slips / 12_000 < 0.025
    assert any(press.key == "Key.backspace" for press in presses_of())


def test_neighbours_touch_on_the_keyboard():
    assert neighbours("g") == ["b", "f", "h", "t", "v", "y"]
    assert "p" not in neighbours("q")


def test_the_typing_rate_lies_in_the_range_of_practised_typists():
    rates = []
    for seed in range(12):
        presses = presses_of(seed, minutes=2.0)
        gaps = np.diff([press.start for press in presses])
        rates.append(1 / np.median(gaps))
        assert gaps.min() >= TYPING.shortest - 1e-9
    assert min(rates) > 3.0 and max(rates) < 8.0
    assert 4.0 < np.mean(rates) < 6.5
    assert np.std(rates) > 0.2


def test_a_key_struck_twice_comes_up_in_between():
    rng = np.random.default_rng(1)
    for _ in range(20):
        presses = type_prompt(rng, "aabbccddeeffgg", 0.0, draw_habits(rng))
        for before, press in zip(presses, presses[1:], strict=False):
            if before.key == press.key:
                assert before.start < before.end < press.start


def test_sentences_vary_and_hold_only_keys():
    rng = np.random.default_rng(0)
    made = [sentence(rng) for _ in range(500)]
    assert len(set(made)) > 450
    assert all(character == " " or character in PLACES for text in made for character in text)
    assert all(text[0] in '"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789' and text[-1] in ".?!" for text in made)
    assert 15 < np.mean([len(text) for text in made]) < 80
    used = set("".join(made))
    assert set("abcdefghijklmnopqrstuvwxyz0123456789,.'?!\"") <= used
