"""Error counts and rates on cases that are easy to count by hand."""

import numpy as np
import pytest

from semgjax.data.keys import text_to_labels
from semgjax.evaluate.error_rates import Counts, count_errors, score_rows
from semgjax.measures import EVENT_ERROR_RATE


@pytest.mark.parametrize(
    ("reference", "output", "counts"),
    [
        ("abc", "abc", Counts(3, 0, 0, 0)),
        ("abc", "abd", Counts(3, substitutions=1)),
        ("abc", "ac", Counts(3, deletions=1)),
        ("abc", "abxc", Counts(3, insertions=1)),
        ("abc", "", Counts(3, deletions=3)),
        ("", "ab", Counts(0, insertions=2)),
        ("", "", Counts()),
        ("ab cd", "xab c", Counts(5, insertions=1, deletions=1)),
        ("kitten", "sitting", Counts(6, substitutions=2, insertions=1)),
    ],
)
def test_a_missed_key_is_a_deletion_and_a_key_that_nobody_typed_an_insertion(reference, output, counts):
    assert count_errors(text_to_labels(reference), text_to_labels(output)) == counts
    assert count_errors(list(text_to_labels(reference)), list(text_to_labels(output))) == counts


def test_the_errors_are_the_edit_distance():
    rng = np.random.default_rng(0)
    for _ in range(30):
        a, b = (rng.integers(0, 4, rng.integers(0, 9)) for _ in range(2))
        table = np.zeros((len(a) + 1, len(b) + 1), int)
        table[:, 0], table[0] = np.arange(len(a) + 1), np.arange(len(b) + 1)
        for i, j in np.ndindex(len(a), len(b)):
            swap = table[i, j] + (a[i] != b[j])
            table[i + 1, j + 1] = min(swap, table[i, j + 1] + 1, table[i + 1, j] + 1)
        counts = count_errors(a, b)
        assert counts.substitutions + counts.deletions + counts.insertions == table[-1, -1]
        assert counts.reference + counts.insertions - counts.deletions == len(b)


def test_counts_add_member_by_member_and_the_rate_is_in_percent():
    total = Counts(10, 1, 2, 3) + Counts(30, 4, 0, 2)
    assert total == Counts(40, 5, 2, 5)
    assert total.rate == 30.0


def test_more_insertions_than_keys_give_a_rate_above_100_and_no_key_gives_none():
    assert count_errors([1, 2], [3, 4, 5, 6, 7]).rate == 250.0
    assert Counts(insertions=3).rate is None


USERS = {"b": Counts(100, 10, 0, 0), "a": Counts(300, 30, 30, 30), "silent": Counts(insertions=4)}


def test_macro_is_the_mean_over_users_with_keys_and_pooled_is_over_all_keys():
    averaged, per_user = score_rows("test", "greedy", USERS)
    macro, pooled = averaged
    shared = {"split": "test", "decoder": "greedy", "users": 2, "characters": 400}
    operations = {"substitutions": 40, "deletions": 30, "insertions": 34}
    assert macro == {**shared, **operations, "averaging": "macro", "cer": 20.0, "cer_std": 10.0}
    assert pooled == {**shared, **operations, "averaging": "pooled", "cer": 26.0, "cer_std": None}
    assert [(row["user"], row["cer"]) for row in per_user] == [("a", 30.0), ("b", 10.0), ("silent", None)]
    assert per_user[0] == {
        "split": "test", "decoder": "greedy", "user": "a", "characters": 300,
        "substitutions": 30, "deletions": 30, "insertions": 30, "cer": 30.0,
    }  # fmt: skip


def test_one_user_has_no_spread_and_no_user_no_rate():
    assert score_rows("val", "greedy", {"a": USERS["a"]})[0][0]["cer_std"] == 0.0
    averaged, per_user = score_rows("val", "greedy", {})
    assert [row["cer"] for row in averaged] == [None, None]
    assert averaged[0]["users"] == 0 and per_user == []


def test_rows_of_events_name_their_rate_and_what_was_counted():
    averaged, per_user = score_rows("test", "greedy", USERS, EVENT_ERROR_RATE)
    assert [row["event_error_rate"] for row in averaged] == [20.0, 26.0]
    assert (averaged[0]["events"], averaged[0]["event_error_rate_std"]) == (400, 10.0)
    assert [(row["user"], row["event_error_rate"]) for row in per_user] == [("a", 30.0), ("b", 10.0), ("silent", None)]
    assert not {"cer", "cer_std", "characters"} & set(averaged[0])
