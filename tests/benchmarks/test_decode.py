"""The benchmark of decoding: its small form runs, and its two forms of a model are one model."""

import numpy as np

from benchmarks import decode
from benchmarks._decode_model import ORDER, automaton_of, random_grams, random_words, write_arpa


def test_the_small_form_compares_a_frame(monkeypatch):
    monkeypatch.setenv("SEMGJAX_BENCH_SMALL", "1")
    monkeypatch.setenv("SEMGJAX_BENCH_ROUNDS", "1")
    rows = decode.run()
    assert sorted(rows) == ["decode.beam_frame", "decode.beam_frame.rows8"]
    assert all(row.ours > 0 and row.peer > 0 and row.unit == "ms" for row in rows.values())


def test_the_automaton_scores_by_back_off():
    words = random_words(30)
    grams = random_grams(words)
    model = automaton_of(grams)
    for word in [*words[:5], "zzxq", "qa"]:
        state, history, found, expected = model.start, ["<s>"], 0.0, 0.0
        for letter in (*word, "</s>"):
            context = tuple(history[-(ORDER - 1) :])
            while (*context, letter) not in grams:
                expected += grams[context][1] if context in grams else 0.0
                context = context[1:]
            expected += grams[(*context, letter)][0]
            history.append(letter)
            if letter == "</s>":
                found += model.end_log10p[state]
            else:
                column = model.vocabulary.index(letter)
                found += model.log10p[state, column]
                state = model.next_state[state, column]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_arpa_file_lists_every_gram(tmp_path):
    grams = random_grams(["abc", "abd"])
    write_arpa(tmp_path / "model.arpa", grams)
    lines = (tmp_path / "model.arpa").read_text().splitlines()
    assert lines[0] == "\\data\\" and lines[-1] == "\\end\\"
    counts = [int(line.split("=")[1]) for line in lines if line.startswith("ngram ")]
    assert len(counts) == ORDER
    assert sum(counts) == len(grams) + 1 == sum("\t" in line for line in lines)
