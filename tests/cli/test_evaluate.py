"""`semgjax evaluate`: a run and its export give the same numbers, as lines or as one JSON object."""

import json
import shutil

import pytest

from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.data.splitting.inventory import list_folder
from semgjax.data.splitting.splits import read_split, write_split
from semgjax.files import read_json
from tests.runs import damage_biggest, fails, snapshot


@pytest.fixture
def evaluate(capsys):
    """Runs the command; its stdout."""

    def run(*words) -> str:
        capsys.readouterr()
        assert main(["evaluate", *map(str, words)]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out

    return run


def test_json_is_one_object_with_the_rows_of_the_runs_result(sessions, finished, evaluate):
    result = read_json(finished / "result.json", "semgjax/result", 4)
    for split in ("val", "test"):
        out = evaluate(finished, "--data", sessions, "--split", split, "--json")
        assert out.count("\n") == 1
        found = json.loads(out)
        wanted = {
            "model": str(finished),
            "metric": "cer",
            "spliced": False,
            "data": result["data"],
            "signals": {split: "simulated"},
            "mode": "stitched",
            "decoder": {"name": "greedy"},
            "bootstrap": {"draws": 10_000, "seed": 0, "level": 0.95},
            "scores": [row for row in result["scores"] if row["split"] == split],
            "users_scores": [row for row in result["users_scores"] if row["split"] == split],
        }
        assert {name: found[name] for name in wanted} == wanted
        pooled = wanted["scores"][1]
        names = {"insertions": pooled["deletions"], "deletions": pooled["insertions"]}
        assert found["emg2qwerty_names"] == {split: names}


def test_a_run_and_its_export_give_the_same_numbers_whatever_the_batch(sessions, finished, exported, evaluate):
    documents = [
        json.loads(evaluate(model, "--data", sessions, "--json", *batch))
        for model, batch in ((finished, []), (exported, []), (exported, ["--batch", "5"]))
    ]
    for document in documents:
        del document["model"]
    assert documents[0] == documents[1] == documents[2]


def test_a_table_shows_the_averages_and_every_user(sessions, exported, evaluate):
    document = json.loads(evaluate(exported, "--data", sessions, "--split", "train", "--json"))
    lines = evaluate(exported, "--data", sessions, "--split", "train").splitlines()
    assert [line.split()[2] for line in lines[:2]] == ["macro", "pooled"]
    users = {row["user"]: f"{row['cer']:.2f} %" for row in document["users_scores"]}
    assert len(users) == 2
    for line, (user, cer) in zip(lines[2:], users.items(), strict=True):
        assert line.strip().startswith(f"{user}: CER {cer}")


def test_turns_are_tried_on_request_and_the_output_says_which_were_chosen_without_labels(sessions, exported, evaluate):
    words = (exported, "--data", sessions, "--turns", "1")
    document = json.loads(evaluate(*words, "--json"))
    about = document["turns"]
    assert (about["tried"], about["labels_used"]) == (1, False)
    assert list(about["sessions"]) == list(read_split(sessions / "splits.json").test)
    assert all(len(turn) == 2 and set(turn) <= {-1, 0, 1} for turn in about["sessions"].values())
    lines = evaluate(*words).splitlines()
    shown = [f"{name}: " + ", ".join(f"{t:+d}" if t else "0" for t in turn) for name, turn in about["sessions"].items()]
    assert [line.strip() for line in lines[-len(shown) :]] == shown
    users = len(document["users_scores"])
    assert len(lines) == 2 + users + 1 + len(shown)


def test_evaluating_leaves_run_export_and_sessions_as_they_were(sessions, finished, exported, evaluate):
    before = [snapshot(folder) for folder in (sessions, finished, exported)]
    for model in (finished, exported):
        evaluate(model, "--data", sessions)
    assert [snapshot(folder) for folder in (sessions, finished, exported)] == before


def test_a_folder_that_is_neither_and_a_missing_one_are_refused(sessions, tmp_path, capsys):
    for folder in (tmp_path, tmp_path / "none", sessions):
        line = fails(capsys, ["evaluate", folder, "--data", sessions])
        assert f"{folder}: is neither a run (config.json) nor an export (model.json)" in line


def test_an_unfinished_run_is_refused(sessions, finished, tmp_path, capsys):
    shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    assert "not finished" in fails(capsys, ["evaluate", tmp_path / "run", "--data", sessions])


def test_a_damaged_export_is_one_line(sessions, exported, tmp_path, capsys):
    shutil.copytree(exported, tmp_path / "export")
    path = damage_biggest(tmp_path / "export" / "params")
    assert f"{path}: " in fails(capsys, ["evaluate", tmp_path / "export", "--data", sessions])


def test_an_empty_part_of_the_split_is_refused(sessions, exported, tmp_path, capsys):
    split = read_split(sessions / "splits.json")
    write_split(tmp_path / "splits.json", type(split)(split.train, (), split.test, {}))
    words = ["evaluate", exported, "--data", sessions, "--splits", tmp_path / "splits.json", "--split", "val"]
    assert "val" in fails(capsys, words)


@pytest.fixture(scope="module")
def words_model(tmp_path_factory):
    """A small model of characters."""
    folder = tmp_path_factory.mktemp("lm")
    (folder / "words.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 3)
    assert main(["lm", "train", str(folder / "words.txt"), "--out", str(folder / "words.arpa"), "--order", "3"]) == 0
    return folder / "words.arpa"


def test_a_beam_with_a_model_is_tuned_on_val_and_compared_user_by_user(
    sessions, exported, words_model, evaluate, tmp_path
):
    beam = ["--decoder", "beam", "--lm", words_model, "--beam.beam", "4", "--beam.top", "3"]
    words = [exported, "--data", sessions, "--split", "val", "test", *beam, "--tune", "--against", exported]
    out = tmp_path / "found.json"
    document = json.loads(evaluate(*words, "--against-decoder", "greedy", "--out", out, "--json"))
    tuned = document["tuned_on_val"]
    assert len(tuned["grid"]) == 30
    best = min(error for *_, error in tuned["grid"])
    assert [tuned["lm_weight"], tuned["insertion_bonus"], best] in tuned["grid"]
    # The best of the grid is what the val part then has.
    macro = {row["split"]: row["cer"] for row in document["scores"] if row["averaging"] == "macro"}
    assert macro["val"] == pytest.approx(best) and set(macro) == {"val", "test"}
    assert document["decoder"]["lm"] == "words.arpa" and document["decoder"]["lm_weight"] == tuned["lm_weight"]
    greedy = json.loads(evaluate(exported, "--data", sessions, "--json"))["scores"][0]["cer"]
    assert document["against"]["test"]["mean"] == pytest.approx(macro["test"] - greedy)
    assert read_json(out, "semgjax/evaluation", 1)["scores"] == document["scores"]


def test_letters_that_the_model_lacks_are_a_warning_with_their_presses(sessions, exported, tmp_path, capsys):
    (tmp_path / "words.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 3)
    model = tmp_path / "few.arpa"
    few = ["--vocabulary", "abcdfghijklmnopqrstuvwxy", "--order", "2"]
    assert main(["lm", "train", str(tmp_path / "words.txt"), "--out", str(model), *few]) == 0
    beam = ["--decoder", "beam", "--lm", str(model), "--beam.beam", "2", "--beam.top", "2"]
    capsys.readouterr()
    assert main(["evaluate", str(exported), "--data", str(sessions), *beam, "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)["letters_outside"]["test"]
    typed = "".join(session.text for session in load_corpus(sessions).test)
    assert found == {"e": typed.count("e"), "z": typed.count("z")} and found["e"] > 0
    assert printed.err.count("\n") == 1 and f"{sum(found.values())} of the {len(typed)} keys" in printed.err


def test_weights_are_tuned_on_the_users_that_are_named(sessions, exported, words_model, evaluate, capsys):
    beam = ["--decoder", "beam", "--lm", words_model, "--beam.beam", "2", "--beam.top", "2"]
    words = [exported, "--data", sessions, *beam, "--tune", "--json"]
    users = {row.session: row.user for row in list_folder(sessions)}
    split = read_split(sessions / "splits.json")
    (known,) = {users[name] for name in split.val}
    document = json.loads(evaluate(*words, "--split", "val", "--user", known))
    macro = next(row["cer"] for row in document["scores"] if row["averaging"] == "macro")
    assert min(error for *_, error in document["tuned_on_val"]["grid"]) == pytest.approx(macro)
    stranger = users[split.test[0]]
    assert "val" in fails(capsys, ["evaluate", *words[:-1], "--user", stranger])


@pytest.mark.slow
def test_windows_by_themselves_leave_out_the_end_and_a_stream_reads_all(sessions, exported, evaluate):
    found = {mode: json.loads(evaluate(exported, "--data", sessions, "--mode", mode, "--json")) for mode in MODES}
    keys = {mode: one["scores"][1]["characters"] for mode, one in found.items()}
    assert keys["session"] == keys["stitched"] == keys["windowed"] + found["windowed"]["left_out"]["test"]["keys"]
    assert found["stitched"]["left_out"]["test"] == {"keys": 0, "seconds": 0.0}


def test_users_are_picked_and_those_of_the_training_part_are_marked(sessions, finished, exported, evaluate):
    users = read_json(finished / "result.json", "semgjax/result", 4)["trained_on"]["users"]
    for model in (finished, exported):
        found = json.loads(evaluate(model, "--data", sessions, "--split", "train", "--user", users[0], "--json"))
        assert [row["user"] for row in found["users_scores"]] == users[:1] == found["trained_on_users"]["train"]
        assert found["intervals"]["train"] == {"macro": None, "pooled": None}


def test_a_user_of_the_training_in_the_test_part_is_a_warning_for_an_export_too(sessions, exported, tmp_path, capsys):
    split = read_split(sessions / "splits.json")
    write_split(tmp_path / "splits.json", type(split)(split.test, (), split.train[:1], {}))
    words = ["evaluate", exported, "--data", sessions, "--splits", tmp_path / "splits.json", "--json"]
    capsys.readouterr()
    assert main([str(word) for word in words]) == 0
    printed = capsys.readouterr()
    (user,) = json.loads(printed.out)["trained_on_users"]["test"]
    assert printed.err.startswith("warning: ") and user in printed.err


def test_a_page_and_lengths_show_what_the_json_holds(sessions, exported, evaluate, tmp_path):
    page = tmp_path / "page.html"
    found = json.loads(evaluate(exported, "--data", sessions, "--lengths", "--page", page, "--json"))
    (point, *_) = found["lengths"]["test"]
    assert point["seconds"] == 4.0 and point["users"] >= 1
    keys = {key["name"]: key for key in found["breakdown"]["test"]["keys"]}
    assert sum(key["reference"] for key in keys.values()) == found["scores"][1]["characters"]
    assert sum(key["insertions"] for key in keys.values()) == found["scores"][1]["insertions"]
    text = page.read_text()
    matrix = found["breakdown"]["test"]["matrix"]
    assert sum(times for typed, _, times in matrix if typed is not None) == found["scores"][1]["characters"]
    assert sum(times for _, read, times in matrix if read is None) == found["scores"][1]["deletions"]
    assert text.count("<img") == (6 if any(None not in row[:2] and row[0] != row[1] for row in matrix) else 4)
    assert "http" not in text.replace("http://www.w3.org", "")
    assert all(f">{row['user']}" in text for row in found["users_scores"])


MODES = ("stitched", "windowed", "session")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--split", "val", "val"], "val val"),
        (["--stress", "--lengths"], "--lengths"),
        (["--turns", "1", "--lengths"], "turns 1"),
        (["--out", "one.html", "--page", "one.html"], "one.html"),
        (["--user", "nobody"], "nobody"),
        (["--lm", "none.arpa"], "none.arpa"),
        (["--decoder", "beam", "--lm", "none.arpa"], "none.arpa"),
        (["--decoder", "beam", "--beam.top", "0"], "top"),
        (["--tune"], "--tune"),
        (["--against-decoder", "greedy"], "--against-decoder"),
        (["--beam.beam", "4"], "beam.beam 4"),
        (["--decoder", "beam", "--beam.lm-weight", "1"], "beam.lm_weight 1.0"),
        (["--decoder", "beam", "--beam.undo", "3", "--beam.beam", "4"], "beam.undo 3"),
        (["--decoder", "beam", "--lm", "none.arpa", "--tune", "--beam.lm-weight", "1"], "--tune"),
        (["--mode", "session", "--turns", "1"], "session"),
        (["--against", "none"], "none"),
        (["--split", "all"], "all"),
        (["--batch", "0"], "batch 0"),
        (["--turns", "-1"], "turns -1"),
        (["--turns", "8"], "turns 8"),
        (["--splits", "none.json"], "none.json"),
        (["--spilt", "val"], "--split"),
    ],
)
def test_words_that_cannot_work_are_one_line(sessions, exported, capsys, words, says):
    assert says in fails(capsys, ["evaluate", exported, "--data", sessions, *words])


def test_the_sessions_must_be_named(exported, capsys):
    assert "--data" in fails(capsys, ["evaluate", exported])
