"""What a run has learned from, and which of it may not appear in what its students are scored on."""

import dataclasses

import pytest

from semgjax.data.corpus import load_corpus
from semgjax.data.splitting.inventory import list_folder
from semgjax.data.splitting.splits import read_split, write_split
from semgjax.data.splitting.unlabelled import keep_labels
from semgjax.data.trained_on import Names, check_unmet, held_out, learned_from, names_from_json
from tests.refused import refused


def names(sessions: str, users: str) -> Names:
    return Names(frozenset(sessions.split()), frozenset(users.split()))


def test_a_corpus_says_what_is_learned_from_and_what_must_be_new(sessions, tmp_path):
    split = read_split(sessions / "splits.json")
    write_split(tmp_path / "few.json", keep_labels(split, list_folder(sessions), 1))
    corpus = load_corpus(sessions, tmp_path / "few.json")
    labelled = {session.name for session in corpus.train}
    assert learned_from(corpus, unlabelled=False) == Names(frozenset(labelled), frozenset({corpus.train[0].user}))
    everything = learned_from(corpus)
    assert everything.sessions == set(split.train) and len(everything.users) == 2
    held = held_out(corpus)
    assert held.sessions == {*split.val, *split.test}
    assert held.users == {session.user for session in corpus.test}


def test_a_test_user_who_is_in_the_train_part_too_is_no_stranger(sessions):
    corpus = load_corpus(sessions)
    person = dataclasses.replace(corpus.test[0], user=corpus.train[0].user)
    assert held_out(dataclasses.replace(corpus, test=(person,))).users == frozenset()


def test_a_spliced_session_brings_the_recording_that_it_was_made_from(sessions):
    corpus = load_corpus(sessions)
    spliced = dataclasses.replace(corpus.train[0], name="order-1", origin="recording")
    assert learned_from(dataclasses.replace(corpus, train=(spliced,))).sessions == {"order-1", "recording"}


def test_names_add_up_and_survive_json():
    both = names("a b", "u") | names("c", "u v")
    assert both == names("a b c", "u v") and both.as_json() == {"sessions": ["a", "b", "c"], "users": ["u", "v"]}
    assert names_from_json(both.as_json(), "result.json") == both
    for broken in (None, {"sessions": ["a"]}, {"sessions": "a", "users": []}, {"sessions": [1], "users": []}):
        with refused("bad-field", "result.json"):
            names_from_json(broken, "result.json")


def test_hidden_names_are_found_by_who_knows_them_and_do_not_show():
    known = names("a b", "u")
    hidden = known.hidden()
    assert known & hidden == known and names("b c", "v") & hidden == names("b", "")
    assert all(name.startswith("sha256:") and len(name) == 39 for name in hidden.sessions | hidden.users)
    assert hidden.hidden() == hidden == names_from_json(hidden.as_json(), "model.json")
    assert known & (hidden | names("x", "y")) == known and len((hidden | known).hidden().sessions) == 2


@pytest.mark.parametrize(
    ("met", "named"),
    [
        (names("x", "stranger"), "stranger"),
        (names("x", "stranger").hidden(), "stranger"),
        (names("v1 v2", "friend"), "v1"),
        (names("t1", ""), "t1"),
    ],
)
def test_a_teacher_that_met_what_its_student_is_scored_on_is_refused(met, named):
    with refused("conflict", "the teacher", repr(named)):
        check_unmet(names("v1 v2 t1", "stranger"), met, "the teacher")


def test_a_teacher_of_other_sessions_and_people_passes():
    check_unmet(names("v1 t1", "stranger"), names("a b", "friend other"), "the teacher")
