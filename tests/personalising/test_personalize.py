"""A person's decoder from a base: what is trained, what is kept, what is refused, and that a stop changes nothing."""

import contextlib
import itertools
import json
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest

import semgjax
from semgjax.api.models import SessionsWarning
from semgjax.cli.main import main
from semgjax.data.corpus import load_corpus
from semgjax.data.simulate import simulate
from semgjax.data.splitting.inventory import KnownSession, list_folder
from semgjax.data.splitting.own_sessions import person_split
from semgjax.data.splitting.splits import Split, read_split, write_split
from semgjax.errors import Preempted
from semgjax.model import network
from semgjax.parallel.rules import path_name
from semgjax.training import loop
from semgjax.training.checkpoint import restore_params
from semgjax.training.optimizer import make_optimizer
from semgjax.training.personal_config import RANK, PersonalConfig
from semgjax.training.personal_params import count_trained, in_training, merged, trained_labels, with_additions
from semgjax.training.run_folder import load_finished, read_config, read_result
from tests.refused import refused
from tests.runs import MODEL, run_config

SHORT = {"steps": 4, "batch": 4}


@pytest.fixture(scope="module")
def people(sessions, tmp_path_factory) -> Path:
    """The people of `sessions` with two more sessions each, and the same split."""
    folder = tmp_path_factory.mktemp("people") / "sessions"
    simulate(folder, users=3, sessions=4, minutes=0.2, seed=0, severity="clean")
    shutil.copy(sessions / "splits.json", folder)
    return folder


@pytest.fixture(scope="module")
def user(people) -> str:
    """The person held out."""
    return user_of(people, read_split(people / "splits.json").test[0])


def user_of(people: Path, session: str) -> str:
    return next(row.user for row in list_folder(people) if row.session == session)


@pytest.fixture(scope="module")
def own(finished, people, user, tmp_path_factory) -> semgjax.Run:
    """A personalised run, never interrupted."""
    out = tmp_path_factory.mktemp("own") / "run"
    return semgjax.personalize(finished, people, user, 0.15, out, method="lora", learning_rate=0.01, **SHORT)


def leaves(params) -> dict[str, np.ndarray]:
    return {path_name(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(params)}


@pytest.mark.slow
def test_a_personalised_run_is_a_run_with_its_base_and_its_persons_scores(own, finished, people, user):
    result, about = own.result, own.result["personal"]
    assert result["kind"] == "personalised" and result["users"] == 1 and result["known"] is False
    assert result["hours"] == pytest.approx(0.15 / 60)
    assert (about["user"], about["minutes"], about["method"], about["rank"]) == (user, 0.15, "lora", RANK)
    assert about["base"] == read_config(finished).hash == result["base"]["config"]
    assert user in result["trained_on"]["users"] and len(result["trained_on"]["users"]) == 3
    assert {row["user"] for row in result["users_scores"]} == {user}
    scores = semgjax.load(finished).evaluate(people, part := "test").users_scores
    (zero_shot,) = [row for row in about["base_scores"] if (row["split"], row["averaging"]) == (part, "macro")]
    assert zero_shot["cer"] == pytest.approx(next(row["cer"] for row in scores if row["user"] == user))
    best = min(row["cer"] for row in result["scores"] if row["split"] == "val")
    assert best <= min(row["cer"] for row in about["base_scores"] if row["split"] == "val")
    config, params = load_finished(Path(own.place))
    assert jax.tree.structure(params) == jax.tree.structure(load_finished(finished)[1])
    assert about["trained"] == count_trained(config.personal, params)


@pytest.mark.slow
def test_it_can_be_exported_evaluated_and_personalised_again(own, people, user, tmp_path):
    exported = semgjax.export(own, tmp_path / "export")
    source = exported.about["source"]
    assert source["kind"] == "personalised"
    assert {name: source[name] for name in ("personal", "base", "known")} == {
        name: own.result[name] for name in ("personal", "base", "known")
    }
    again = semgjax.personalize(exported, people, user, 0.1, tmp_path / "again", steps=1, batch=2)
    assert again.result["base"]["config"] == own.result["config"] and again.result["known"] is True
    with pytest.warns(SessionsWarning, match=user):
        assert semgjax.load(exported).evaluate(people, "test").met == (user,)
    old = tmp_path / "export" / "model.json"
    body = json.loads(old.read_text())
    del body["source"]["trained_on"], body["body_sha256"], body["files"]["README.md"]
    (tmp_path / "export" / "README.md").unlink()
    old.write_text(json.dumps(body | {"version": 1}))
    unknown = semgjax.personalize(exported.place, people, user, 0.1, tmp_path / "unknown", steps=1, batch=2)
    assert unknown.result["known"] is None and "trained_on" not in unknown.result
    assert semgjax.load(unknown).evaluate(people, "test").met is None


@pytest.mark.slow
def test_a_distilled_student_is_made_a_persons_whom_it_knows(student, people, tmp_path, capsys):
    user = user_of(people, trained := read_split(people / "splits.json").train[0])
    new = [row.session for row in list_folder(people) if row.user == user][2:]
    write_split(tmp_path / "split.json", Split((trained,), (new[0],), (new[1],), {}))
    words = [f"--data={people}", f"--user={user}", "--minutes=0.1", f"--out={tmp_path / 'x'}", "--steps=2", "--batch=2"]
    assert main(["personalize", str(student), *words, "--method=head", f"--splits={tmp_path / 'split.json'}"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("personalised ladder-16") and f"warning: user '{user}'" in said.err
    assert read_config(tmp_path / "x").distill is None
    assert read_result(tmp_path / "x")["known"] is True


@pytest.mark.parametrize("method", ["full", "head", "norms", "front", "lora"])
def test_a_method_trains_its_own_parameters_and_no_others(method, finished, sessions):
    personal = PersonalConfig("base", "someone", 1.0, method)
    base = load_finished(finished)[1]
    params = with_additions(personal, base, jax.random.key(0))
    config = run_config(load_corpus(sessions))
    optimizer = make_optimizer(config.optimizer, 10, config.train.batch, config.model, personal)
    gradient = jax.tree.map(lambda leaf: np.ones(leaf.shape, np.float32), params)  # of what is held, too

    @jax.jit
    def second_updates():
        _, state = optimizer.update(gradient, optimizer.init(params), params)  # the warm-up's first step has rate 0
        return optimizer.update(gradient, state, params)[0]

    updates = second_updates()
    moved = {name for name, update in leaves(updates).items() if np.any(update)}
    wanted = {
        "full": set(leaves(base)),
        "head": {"head/kernel", "head/bias"},
        "norms": {name for name in leaves(base) if name.endswith(("/scale", "/bias"))},
        "front": {name for name in leaves(base) if name.split("/")[0] in ("frontend", "norm_frontend", "project")},
        "lora": {name for name in leaves(params) if name.startswith("lora/")},
    }[method]
    assert moved == wanted != set()
    if method != "lora":
        assert count_trained(personal, base) == sum(leaves(base)[name].size for name in wanted)


def test_nothing_is_computed_for_what_is_held(finished):
    base = load_finished(finished)[1]
    for method in ("head", "lora"):
        personal = PersonalConfig("base", "someone", 1.0, method)
        params = with_additions(personal, base, jax.random.key(0))
        gradient = jax.grad(lambda p, one=personal: sum(x.sum() for x in jax.tree.leaves(in_training(one, p))))(params)
        labels = leaves_of_labels(trained_labels(personal, params))
        assert all(np.any(g) == (labels[name] == "trained") for name, g in leaves(gradient).items() if "/a" not in name)


def leaves_of_labels(labels) -> dict[str, str]:
    return {path_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(labels)}


def test_additions_change_nothing_at_first_and_are_the_merged_matrices(finished):
    base = load_finished(finished)[1]
    params = with_additions(PersonalConfig("base", "someone", 1.0, "lora", 2), base, jax.random.key(0))
    for name, leaf in leaves(merged(params)).items():
        np.testing.assert_array_equal(leaf, leaves(base)[name])
    draw = np.random.default_rng(0)
    filled = jax.tree.map(lambda x: np.asarray(draw.normal(0, 0.1, x.shape), np.float32), params["lora"])
    own = merged({**params, "lora": filled})
    x = draw.normal(size=(5, MODEL.dim)).astype(np.float32)
    for layer, name in itertools.product(range(MODEL.layers), ("attention/qkv", "attention/out", "expand")):
        pair, path = filled[name], f"layers/{name}/kernel"
        apart = x @ leaves(base)[path][layer] + (x @ pair["a"][layer]) @ pair["b"][layer]
        np.testing.assert_allclose(x @ leaves(own)[path][layer], apart, atol=1e-5)
    emg, valid = draw.normal(size=(1, 1600, MODEL.channels)).astype(np.float32), np.ones((1, 1600), bool)
    read = jax.jit(lambda params: network.apply(MODEL, params, emg, valid))
    assert not np.allclose(read(own), read(base), atol=1e-3)


@pytest.mark.slow
def test_a_stopped_run_ends_with_the_same_bits(own, finished, people, user, tmp_path, monkeypatch):
    stops = iter([False, False, True])

    @contextlib.contextmanager
    def stopped():
        yield lambda step: next(stops, False)

    monkeypatch.setattr(loop, "termination", stopped)
    words = (finished, people, user, 0.15, tmp_path / "run")
    with pytest.raises(Preempted):
        semgjax.personalize(*words, method="lora", learning_rate=0.01, **SHORT)
    monkeypatch.undo()
    resumed = semgjax.personalize(*words, method="lora", learning_rate=0.01, **SHORT)
    assert resumed.result["personal"] == own.result["personal"] and resumed.scores == own.scores
    one, other = (leaves(restore_params(Path(run.place) / "checkpoints")[1]) for run in (own, resumed))
    for name, leaf in one.items():
        np.testing.assert_array_equal(leaf, other[name])


def test_refusals_leave_nothing(finished, people, user, tmp_path):
    split = read_split(people / "splits.json")
    tested = split.train[0]
    known, met = user_of(people, tested), tmp_path / "met.json"
    others = tuple(row.session for row in list_folder(people) if row.user == known and row.session != tested)
    write_split(met, Split(others[1:], others[:1], (tested,), {}))
    for code, named, person, minutes, more in (
        ("unknown-name", "nobody", "nobody", 0.1, {}),
        ("bad-value", "0.2", user, 0.5, {}),
        ("bad-value", "minutes", user, 0.0, {}),
        ("bad-value", "minutes", user, float("nan"), {}),
        ("no-sessions", known, known, 0.1, {}),  # the split tests others only
        ("no-keys", "splits.json", user, 0.005, {}),  # before the first key
        ("conflict", tested, known, 0.1, {"splits": met}),  # the base was trained on what it would be scored on
        ("bad-value", "rank", user, 0.1, {"method": "lora", "rank": 1000}),
        ("bad-value", "rank", user, 0.1, {"method": "head", "rank": 2}),
        ("bad-value", "method", user, 0.1, {"method": "all"}),
    ):
        with refused(code, named):
            semgjax.personalize(finished, people, person, minutes, tmp_path / "x", **SHORT, **more)
    assert list(tmp_path.iterdir()) == [met]


def rows(*names: str, user: str = "a") -> list[KnownSession]:
    return [KnownSession(name, user, 60 * 2000) for name in names]


def test_a_persons_sessions_are_split_in_order():
    own = rows("3", "1", "2", "4", "5")
    assert split_of(None, own, 2.5) == (("1", "2", "3"), ("4",), ("5",), {"3": 60_000})
    zero_shot = Split(("x",), ("y",), ("2",), {}, {"2": 10})
    assert split_of(zero_shot, own, 2) == (("1", "3"), ("5",), ("2",), {"2": 10})
    official = Split(("3", "4", "5"), ("1",), ("2",), {}, {"3": 60_000})
    assert split_of(official, own, 1) == (("3", "4"), ("1",), ("2",), {"3": 60_000, "4": 60_000})
    assert split_of(official, own, 2.5)[0] == ("3", "4", "5")
    with refused("bad-value", "2.5"):
        split_of(official, own, 2.6)


def split_of(split, own, minutes):
    found = person_split(split, [*own, *rows("x", "y", user="b")], "a", minutes)
    return found.train, found.val, found.test, found.limits
