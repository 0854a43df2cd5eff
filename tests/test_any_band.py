"""Sessions of other devices than two wrists at 2 kHz, from shards to an export."""

import dataclasses
import json
import math

import jax
import numpy as np
import pytest

import semgjax as sj
from semgjax.api.models import SessionsWarning
from semgjax.cli.main import main
from semgjax.config_json import to_json
from semgjax.data.band import TYPING, Band
from semgjax.data.batching.augment import AugmentConfig, draw, fit_augment
from semgjax.data.batching.batches import train_data
from semgjax.data.batching.windows import WindowSpec, fill_window
from semgjax.data.corpus import load_corpus
from semgjax.data.sessions import session_of_array
from semgjax.exporting.export_folder import load_export
from semgjax.measures import SPLICED
from semgjax.model.config import TDSConfig
from semgjax.model.encoder import PLAIN
from semgjax.model.for_band import fit_to_band
from semgjax.model.presets import PAPER, preset
from semgjax.pages.captions import runs_words
from semgjax.pages.law_report import data_words
from semgjax.scaling.diagnose import diagnose
from semgjax.scaling.fit import fit_law
from semgjax.scaling.laws import LAWS
from semgjax.scaling.read import read_table
from semgjax.scaling.store import read_fit, write_fit
from semgjax.sweep.collect import collect
from semgjax.sweep.resolve import run_config
from semgjax.training.metrics import read_metrics
from semgjax.training.run_config import recipe
from tests.bands import MYO, RINGS, TOY, write_band
from tests.guides.toy_network import PowerNetwork
from tests.refused import refused
from tests.sweep.plans import finish, planned, result_body

SHORT = {"steps": 2, "batch": 2, "evaluate_every": 1, "checkpoint_every": 2}
TINY = {"layers": 1, "position_kernel": 4}
NAMES = (*PAPER, "ladder-16", "ladder-96", "tds")
BANDS = {"one ring of 8 at 200 Hz": MYO, "4 electrodes at 500 Hz": TOY, "4 rings of 8 at 1 kHz": RINGS}


@pytest.mark.parametrize("name", NAMES)
def test_for_two_wrists_with_keys_every_preset_and_recipe_is_what_it_was(name):
    assert fit_to_band(preset(name), TYPING) == preset(name)
    assert recipe(name, TYPING) == recipe(name)


@pytest.mark.parametrize("band", BANDS.values(), ids=BANDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_preset_gets_the_bands_outputs_and_frames_of_about_the_same_seconds(name, band):
    at_2kHz, fitted = preset(name), fit_to_band(preset(name), band)
    assert (fitted.channels, fitted.classes, fitted.rate) == (band.channels, band.num_classes, band.rate)
    assert abs(math.log(fitted.stride / band.rate / (at_2kHz.stride / 2000))) < math.log(1.3)
    window, first = recipe(name, band).window, recipe(name).window
    for member in ("length", "left", "right"):
        assert getattr(window, member) % fitted.stride == 0
        assert getattr(window, member) / band.rate == pytest.approx(getattr(first, member) / 2000, rel=0.1)
    assert fitted.emission_delay <= window.right


@pytest.mark.parametrize(
    ("rate", "frame"), [(50, 1), (200, 4), (500, 10), (1000, 20), (1259, 25), (2048, 40), (4000, 80)]
)
def test_a_frame_of_the_ladder_lasts_as_nearly_as_possible_20_ms(rate, frame):
    fitted = fit_to_band(preset("ladder-64"), Band((8,), rate, ("a", "b")))
    assert fitted.stride == frame
    assert fitted.emission_delay == round(0.1 * rate / frame) * frame
    assert all(taps >= stride for taps, stride in zip(fitted.conv_kernels, fitted.conv_strides, strict=True))


@pytest.mark.parametrize(
    ("network", "band"),
    [
        (preset("tiny"), Band((8,), 30.0, ("a",))),
        (preset("ladder-16"), Band((8,), 1e9, ("a",))),
        (TDSConfig(), Band((8, 4), 2000.0, ("a",))),
        (PowerNetwork(), Band((8,), 200.0, ("a",))),
    ],
    ids=["sample longer than two frames", "frame of millions of samples", "unequal rings", "no field of the rate"],
)
def test_a_network_that_cannot_fit_is_refused(network, band):
    with refused("band-misfit"):
        fit_to_band(network, band)


def test_a_network_from_outside_gets_channels_and_classes():
    fitted = fit_to_band(PowerNetwork(), Band((5,), 2000.0, ("a", "b")))
    assert fitted == PowerNetwork(channels=5, classes=3)


def test_each_further_ring_has_a_lag_of_its_own_and_one_ring_has_none():
    config = AugmentConfig(roll=2, lag=5, scale=0.5)
    found = [draw(config, 0, np.random.default_rng(seed), RINGS) for seed in range(200)]
    assert {len(d.lags) for d in found} == {3}
    assert {len(d.rolls) for d in found} == {len(d.gains) for d in found} == {4}
    assert len({d.lags for d in found}) > 100
    one = draw(config, 0, np.random.default_rng(0), MYO)
    assert (one.lags, len(one.rolls), len(one.gains)) == ((), 1, 1)


def test_a_recipe_for_two_wrists_keeps_its_seconds_and_its_share_of_a_turn_on_another_band():
    paper = AugmentConfig(roll=1, lag=120)
    assert fit_augment(paper, TYPING) == paper
    assert fit_augment(paper, MYO) == AugmentConfig(roll=1, lag=0)
    assert fit_augment(paper, RINGS) == AugmentConfig(roll=1, lag=60)
    assert fit_augment(paper, TOY) == AugmentConfig(roll=0, lag=0)


def test_rings_are_turned_and_moved_one_by_one():
    rings, lags, rolls = (3, 2, 1), (4, -6), (1, -1, 0)
    emg = np.arange(200 * 6, dtype=np.float32).reshape(200, 6)
    session = session_of_array(emg, Band(rings, 100.0, ("a",)))
    out = np.empty((30, 6), np.float32)
    assert fill_window(out, session, 100, WindowSpec(20, 20, 5, 5), lags, rolls) == (0, 30)
    low = 0
    for size, offset, roll in zip(rings, (0, *lags), rolls, strict=True):
        begin = 95 + offset + 1  # the range -6 to 4 has its middle at -1
        ring = emg[begin : begin + 30, low : low + size]
        np.testing.assert_array_equal(out[:, low : low + size], np.roll(ring, roll, axis=1))
        low += size


@pytest.mark.parametrize("band", BANDS.values(), ids=BANDS)
def test_the_baseline_has_a_layer_for_each_ring(band):
    config = dataclasses.replace(fit_to_band(TDSConfig(), band), features=8, conv_channels=(4,))
    params = jax.eval_shape(lambda: config.init(jax.random.key(0)))
    emg, valid = np.zeros((2, 4 * config.stride, band.channels), np.float32), np.ones((2, 4 * config.stride), bool)
    logits = jax.eval_shape(lambda p: config.apply(p, emg, valid, None, "cheap", None, PLAIN), params)
    assert logits.shape == (2, 4, band.num_classes)
    assert sum(name.startswith("band") for name in params) == len(band.rings)


def test_the_command_takes_defaults_from_the_sessions(myo, capsys):
    assert main(["train", "--preset=ladder-16", f"--data={myo}", "--show-sharding"]) == 0
    printed = capsys.readouterr().out
    for name, shape in (("frontend/conv0", "[4, 8, 32]"), ("head", "[16, 4]")):
        (line,) = [one for one in printed.splitlines() if one.startswith(f"params/{name}/kernel")]
        assert line.endswith(shape)


def test_a_sweep_on_events_collects_their_error_rate_and_says_that_they_are_spliced(tmp_path):
    configs = [run_config({"preset": f"ladder-{width}"}, "sessions", None, MYO) for width in (16, 32, 48)]
    sweep = planned(tmp_path, *configs)
    for size, trial in enumerate(sweep.trials, start=1):
        body = result_body(trial)
        for row in (*body["scores"], *body["users_scores"]):
            row["events"], row["event_error_rate"] = row.pop("characters"), row.pop("cer") / size
        finish(sweep, trial, **body | {"params": 1000 * size**2, "metric": "event_error_rate", "spliced": True})
    rows = collect(sweep.folder).rows
    assert {(row["metric"], row["spliced"]) for row in rows} == {("event_error_rate", "true")}
    assert "cer" not in rows[0]
    fit = fit_law(read_table(sweep.folder, {}, {}), LAWS["power"])
    assert (fit.table.y_name, fit.table.unit, fit.table.spliced) == ("event_error_rate", "%", True)
    assert [d.severity for d in diagnose(fit, None) if d.code == "spliced"] == ["info"]
    assert SPLICED in runs_words(fit) and SPLICED in data_words(fit.table, fit)
    write_fit(tmp_path / "fit.json", fit)
    assert read_fit(tmp_path / "fit.json").table.spliced


@pytest.fixture(scope="module")
def myo(tmp_path_factory):
    return write_band(tmp_path_factory.mktemp("myo"), MYO)


def test_a_roll_by_a_whole_turn_is_refused(myo):
    with refused("bad-value", "augment"):
        train_data(load_corpus(myo).train, WindowSpec(200, 200, 0, 20), AugmentConfig(roll=8), 2, 0)


def test_a_class_that_is_scored_but_never_trained_is_named(tmp_path):
    corpus = load_corpus(write_band(tmp_path, MYO, untrained=True))
    assert corpus.untrained == ("fist",)
    assert any("fist" in line for line in corpus.warnings)


def test_sessions_of_two_bands_in_one_split_are_refused(tmp_path, myo):
    other = write_band(tmp_path / "other", dataclasses.replace(MYO, rate=250.0), users=1, sessions=1)
    (shard,) = (other / "shards").iterdir()
    mixed = json.loads((myo / "manifest.json").read_text())
    (row,) = json.loads((other / "manifest.json").read_text())["sessions"]
    folder = tmp_path / "mixed"
    (folder / "shards").mkdir(parents=True)
    for path in [*(myo / "shards").iterdir(), shard]:
        (folder / "shards" / path.name).write_bytes(path.read_bytes())
    mixed["sessions"] = [r for r in mixed["sessions"] if r["name"] != row["name"]] + [row]
    (folder / "manifest.json").write_text(json.dumps(mixed))
    (folder / "splits.json").write_text((myo / "splits.json").read_text())
    with refused("mixed-bands", "u0-0"):
        load_corpus(folder)


def test_a_network_given_whole_is_taken_as_it_is_and_refused_where_it_does_not_fit(tmp_path, myo):
    with refused("bad-value", "model.channels 32"):
        sj.train("ladder-16", data=myo, out=tmp_path / "run", model=preset("ladder-16"), train=SHORT)
    assert not (tmp_path / "run").exists()


def export_and_compare(run: sj.Run, place, session, band: Band) -> None:
    """The run's export knows the band, and gives the run's logits and names of its classes."""
    decoder = sj.load(sj.export(run, place))
    assert load_export(place).band == band == decoder.band
    logits = run.model().logits(session, batch=2)
    assert logits.shape == (math.ceil(session.samples / decoder.config.stride), band.num_classes)
    np.testing.assert_array_equal(logits, decoder.logits(session.emg[:], batch=2))
    assert set(decoder.decode(session, batch=2).split()) <= set(band.classes)


@pytest.mark.slow
@pytest.mark.parametrize("band", [TOY, RINGS], ids=str)
def test_a_run_on_another_band_and_its_export_give_the_same_logits(tmp_path, band):
    shards = write_band(tmp_path, band)
    run = sj.train("ladder-16", data=shards, out=tmp_path / "run", model=TINY, augment="robust", train=SHORT)
    assert {"events", "event_error_rate"} <= set(run.result["scores"][0])
    export_and_compare(run, tmp_path / "export", load_corpus(shards).test[0], band)


@pytest.mark.slow
def test_gestures_go_from_shards_to_a_distilled_student_its_export_and_its_error_rate(tmp_path, capsys):
    shards = write_band(tmp_path, MYO, untrained=True)
    with pytest.warns(SessionsWarning, match="fist"):
        teacher = sj.train("ladder-16", data=shards, out=tmp_path / "teacher", model=TINY, train=SHORT)
    assert (teacher.result["metric"], teacher.result["spliced"]) == ("event_error_rate", False)
    assert (teacher.result["band"], teacher.result["untrained"]) == (to_json(MYO), ["fist"])
    assert any("event_error_rate" in line for line in read_metrics(tmp_path / "teacher" / "metrics.jsonl"))

    with pytest.warns(SessionsWarning, match="fist"):
        student = sj.distill(teacher, "ladder-16", data=shards, out=tmp_path / "student", model=TINY, train=SHORT)
    export_and_compare(student, tmp_path / "export", load_corpus(shards).test[0], MYO)

    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "export"), f"--data={shards}", "--batch=2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["metric"], found["spliced"]) == ("event_error_rate", False)
    assert found["scores"] == [row for row in student.result["scores"] if row["split"] == "test"]
