"""`semgjax data splits`: every kind, what is printed and written, and every refusal."""

import json

import pytest

from semgjax.cli.main import main
from semgjax.data.sessions import load_sessions
from semgjax.data.splitting.splits import read_split
from tests.cli.folders import corpus as corpus
from tests.cli.folders import fails_with_one_line, files_in
from tests.data.fixtures import write_session
from tests.data.tables import write_metadata


def test_splits_writes_the_split_beside_the_sessions_once(corpus, capsys):
    words = ["data", "splits", str(corpus), "--test-users", "1", "--val-share", "0.2", "--seed", "4"]
    assert main(words) == 0
    out = capsys.readouterr().out.splitlines()
    split = read_split(corpus / "splits.json")
    assert split.rule == {"name": "leave_users_out", "test_users": 1, "val_share": 0.2, "seed": 4}
    assert sorted([*split.train, *split.val, *split.test]) == [s.name for s in load_sessions(corpus)]
    hours = sum(session.samples for session in load_sessions(corpus, split.test)) / 2000 / 3600
    assert out[2] == f"test  {len(split.test)} sessions of 1 users, {hours:.2f} h"
    assert out[3] == str(corpus / "splits.json")
    before = files_in(corpus)
    assert main(words) == 0
    assert files_in(corpus) == before


def test_splits_never_replaces_another_split_or_a_file_that_is_none(corpus, capsys):
    assert main(["data", "splits", str(corpus), "--test-users", "1"]) == 0
    (corpus / "notes.txt").write_text("mine")
    capsys.readouterr()
    before = files_in(corpus)
    assert "splits.json" in fails_with_one_line(capsys, ["data", "splits", corpus, "--test-users", "2"])
    words = ["data", "splits", corpus, "--test-users", "1", "--out"]
    assert "notes.txt" in fails_with_one_line(capsys, [*words, corpus / "notes.txt"])
    assert "a.json" in fails_with_one_line(capsys, [*words, corpus / "notes.txt" / "a.json"])
    assert files_in(corpus) == before


def test_splits_goes_where_out_says(corpus, tmp_path, capsys):
    path = tmp_path / "deep" / "mine.json"
    assert main(["data", "splits", str(corpus), "--test-users", "1", "--out", str(path)]) == 0
    assert read_split(path).test
    assert not (corpus / "splits.json").exists()


def test_splits_says_when_there_is_nothing_to_validate_on(tmp_path, capsys):
    for user in range(3):
        write_session(tmp_path / f"{user}.hdf5", 100, user=str(user))
    assert main(["data", "splits", str(tmp_path), "--test-users", "1"]) == 0
    assert capsys.readouterr().err != ""


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--test-users", "4"], "4 test users of 4 users"),
        (["--test-users", "1", "--val-share", "1.5"], "validation share is 1.5"),
        (["--test-user", "1"], "--test-users"),
        ([], "--test-users"),
    ],
)
def test_splits_refuses_wrong_options_in_one_line(corpus, capsys, options, says):
    before = files_in(corpus)
    assert says in fails_with_one_line(capsys, ["data", "splits", corpus, *options])
    assert files_in(corpus) == before


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--kind", "folds"], "--folds"),
        (["--kind", "listed"], "--names"),
        (["--kind", "subset"], "--out"),
        (["--kind", "folds", "--folds", "9"], "9 folds of 4 users"),
        (["--kind", "generic"], "metadata.csv"),
        (["--kind", "generic", "--users", "3"], "--users"),
        (["--test-users", "1", "--hours-per-user", "1"], "--hours-per-user"),
        (["--kind", "official"], "official"),
    ],
)
def test_options_that_do_not_go_together_are_one_line(corpus, capsys, options, says):
    before = files_in(corpus)
    assert says in fails_with_one_line(capsys, ["data", "splits", corpus, *options])
    assert files_in(corpus) == before


def test_folds_are_a_file_each_and_hold_out_every_user_once(corpus):
    words = ["data", "splits", str(corpus), "--kind", "folds", "--folds", "3", "--out", str(corpus / "f.json")]
    assert main(words) == 0
    splits = [read_split(corpus / f"f-fold{number}.json") for number in range(3)]
    tested = [name for split in splits for name in split.test]
    assert sorted(tested) == sorted(session.name for session in load_sessions(corpus))
    before = files_in(corpus)
    assert main(words) == 0 and files_in(corpus) == before


def test_no_fold_is_written_when_another_split_stands_in_the_place_of_one(corpus, capsys):
    words = ["data", "splits", str(corpus), "--kind", "folds", "--folds", "2"]
    assert main(["data", "splits", str(corpus), "--test-users", "1", "--out", str(corpus / "splits-fold1.json")]) == 0
    capsys.readouterr()
    before = files_in(corpus)
    assert "splits-fold1.json" in fails_with_one_line(capsys, words)
    assert files_in(corpus) == before


def test_the_official_splits_come_from_the_metadata_table_alone(tmp_path, capsys):
    users = write_metadata(tmp_path / "metadata.csv")
    words = ["data", "splits", str(tmp_path / "metadata.csv"), "--kind"]
    assert main([*words, "generic"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines[:3]] == [
        "train 837 sessions of 96 users",
        "val   192 sessions of 96 users",
        "test  16 sessions of 8 users",
    ]
    assert len(read_split(tmp_path / "splits.json").train) == 837
    assert main([*words, "personalised"]) == 0
    found = sorted(path.name for path in tmp_path.glob("splits-user-*.json"))
    assert len(found) == 8 and found[0].removeprefix("splits-user-").removesuffix(".json") in users
    assert main([*words, "odv", "--out", str(tmp_path / "odv.json")]) == 0
    assert "val   6 sessions of 4 users" in capsys.readouterr().out


def test_users_of_other_alphabets_have_a_personalised_split_each(tmp_path):
    users = ["анна", "борис", "用户一", "用户二", "a b", "a_b", "Eve", "eve"]
    lines = ["user,session,duration_mins,quality_check_tags"]
    lines += [f"{user},{number}-{session},10.0,[]" for number, user in enumerate([*users, "x"]) for session in range(6)]
    lines = [line for line in lines if not line.startswith("x,") or line.split(",")[1][-1] < "4"]
    (tmp_path / "metadata.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["data", "splits", str(tmp_path / "metadata.csv"), "--kind", "personalised"]
    assert main(words) == 0
    splits = [read_split(path) for path in tmp_path.glob("splits-user-*.json")]
    assert sorted(split.rule["user"] for split in splits) == sorted(users)
    assert (tmp_path / "splits-user-用户一.json").exists() and (tmp_path / "splits-user-a_b.json").exists()
    assert main(words) == 0 and len(list(tmp_path.glob("splits-user-*.json"))) == 8


def test_an_official_split_of_a_folder_takes_the_sessions_that_are_there_and_says_so(tmp_path, capsys):
    users = write_metadata(tmp_path / "metadata.csv")
    few = next(names for names in users.values() if len(names) == 11)
    for name in few:
        write_session(tmp_path / f"{name}.hdf5", 100)
    assert main(["data", "splits", str(tmp_path), "--kind", "generic"]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("1034 of 1045 ")
    assert [line.split()[:2] for line in out.splitlines()[:3]] == [["train", "9"], ["val", "2"], ["test", "0"]]
    assert read_split(tmp_path / "splits.json").rule["left_out"] == 1034
    for path in tmp_path.glob("*.hdf5"):
        path.unlink()
    write_session(tmp_path / "another.hdf5", 100)
    words = ["data", "splits", tmp_path, "--kind", "generic", "--out", tmp_path / "none.json"]
    assert "1045" in fails_with_one_line(capsys, words)


def test_a_list_of_names_becomes_a_split(corpus, capsys):
    (corpus / "mine.json").write_text(json.dumps({"train": ["s00", "s01"], "val": ["s10"], "test": ["s20", "gone"]}))
    assert main(["data", "splits", str(corpus), "--kind", "listed", "--names", str(corpus / "mine.json")]) == 0
    out, err = capsys.readouterr()
    assert err.startswith("1 of 5 ")
    assert out.startswith("train 2 sessions of 1 users")
    assert read_split(corpus / "splits.json").test == ("s20",)


def test_a_subset_cuts_sessions_to_the_hours_and_leaves_the_split_it_is_of(corpus, capsys):
    assert main(["data", "splits", str(corpus), "--test-users", "1", "--val-share", "0"]) == 0
    base = (corpus / "splits.json").read_bytes()
    out = corpus / "small.json"
    words = ["data", "splits", str(corpus), "--kind", "subset", "--users", "2", "--seed", "3", "--out", str(out)]
    assert main([*words, "--hours-per-user", str(12 / 3600)]) == 0
    split = read_split(out)
    taken: dict[str, int] = {}
    for session in load_sessions(corpus, split.train):
        taken[session.user] = taken.get(session.user, 0) + split.limits.get(session.name, session.samples)
    assert list(taken.values()) == [24_000, 24_000]
    assert (corpus / "splits.json").read_bytes() == base


def test_a_subset_of_users_with_less_than_the_hours_says_so(corpus, capsys):
    assert main(["data", "splits", str(corpus), "--test-users", "1", "--val-share", "0"]) == 0
    words = ["data", "splits", str(corpus), "--kind", "subset", "--hours-per-user", "1"]
    assert main([*words, "--out", str(corpus / "all.json")]) == 0
    assert capsys.readouterr().out.splitlines()[-2].startswith("3 users ")


def test_only_some_users_keep_their_labels_and_sessions_without_any_are_unlabelled(corpus, capsys):
    write_session(corpus / "bare.hdf5", 3000, user="new", attributes={"keystrokes": None, "prompts": None})
    words = ["data", "splits", str(corpus), "--test-users", "1", "--val-share", "0", "--labelled-users", "2"]
    assert main(words) == 0
    split = read_split(corpus / "splits.json")
    user = {session.name: session.user for session in load_sessions(corpus)}
    labelled, rest = ({user[name] for name in names} for names in (split.train, split.unlabelled))
    assert len(labelled) == 2 and "bare" in split.unlabelled and not labelled & rest
    assert len({user[name] for name in split.test}) == 1 and not {user[name] for name in split.test} & rest
    assert sorted(split.names) == sorted(user)
    out = capsys.readouterr().out.splitlines()
    assert out[3].startswith(f"unlabelled {len(split.unlabelled)} sessions of {len(rest)} users, ")
    assert main(words) == 0
    assert main([*words[:-1], "9", "--out", str(corpus / "other.json")]) == 2


def test_a_list_may_name_unlabelled_sessions(corpus):
    (corpus / "mine.json").write_text(json.dumps({"train": ["s00"], "test": ["s20"], "unlabelled": ["s10", "s11"]}))
    assert main(["data", "splits", str(corpus), "--kind", "listed", "--names", str(corpus / "mine.json")]) == 0
    assert read_split(corpus / "splits.json").unlabelled == ("s10", "s11")


def test_a_subset_keeps_the_labels_of_some_of_its_users(corpus):
    assert main(["data", "splits", str(corpus), "--test-users", "1", "--val-share", "0"]) == 0
    out = corpus / "few.json"
    words = ["data", "splits", str(corpus), "--kind", "subset", "--users", "2", "--labelled-users", "1"]
    assert main([*words, "--out", str(out)]) == 0
    split = read_split(out)
    user = {session.name: session.user for session in load_sessions(corpus)}
    assert [len({user[name] for name in names}) for names in (split.train, split.unlabelled)] == [1, 1]
