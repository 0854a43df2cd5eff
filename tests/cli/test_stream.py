"""`semgjax stream` as a user runs it: text in a pipe and as JSON, recordings, Ctrl-C, a kill, and refusals."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
import pyxdf

from semgjax.api.models import load
from semgjax.cli.main import main
from semgjax.cli.stream import _interruptible
from semgjax.data.sessions import open_session, read_emg
from semgjax.decode.greedy import greedy
from semgjax.streaming.packets import Packet, encode_packet
from tests.streaming.live_parts import SMALL, write_talkative
from tests.streaming.live_parts import signal as emg_signal

SECONDS = 6.0
"""of the session, the simulation's shortest"""
TOML = """
version = 1
[files]
pattern = "{user}.csv"
form = "text"
[text]
columns = 8
[signal]
rate = 200
channels = [1, 2, 3, 4, 5, 6, 7, 8]
unit = "mV"
[labels]
source = "none"
names = {1 = "fist", 2 = "open", 3 = "pinch"}
[filters]
highpass = 20
gain = "session"
"""


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return write_talkative(tmp_path_factory.mktemp("live") / "export")


@pytest.fixture(scope="module")
def arm(tmp_path_factory):
    return write_talkative(tmp_path_factory.mktemp("live") / "arm", SMALL)


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live") / "data"
    assert main(["data", "simulate", str(folder), "--users", "1", "--sessions", "1", "--minutes", "0.1"]) == 0
    return next(folder.glob("*.hdf5"))


def expected(export, session):
    """What `semgjax evaluate --mode session` reads."""
    model = load(export)
    ((_, _, log_probs),) = model.emissions("session")(open_session(session))
    return model.band.text(greedy(log_probs))


def run(capsys, *words):
    code = main(["stream", *map(str, words)])
    found = capsys.readouterr()
    return code, found.out, found.err


def test_text_is_what_evaluate_reads_and_the_recording_is_the_session(export, session, tmp_path, capsys):
    files = tmp_path / "day.hdf5", tmp_path / "day.xdf"
    code, out, err = run(capsys, export, "--source", session, "--fast", "--record", *files, "--user", "ada")
    text = expected(export, session)
    assert code == 0 and out == f"{text}\n" and len(text) > 10
    assert f"{len(text)} keys" in err and "dropped: 0" in err
    one, other = open_session(session), open_session(files[0])
    assert (other.user, other.labelled) == ("ada", False)
    np.testing.assert_array_equal(read_emg(one, 0, one.samples), read_emg(other, 0, one.samples))
    (stream,), _ = pyxdf.load_xdf(str(files[1]), dejitter_timestamps=False)
    np.testing.assert_array_equal(stream["time_series"], read_emg(one, 0, one.samples))
    assert run(capsys, export, "--source", files[0], "--fast")[1] == out


def test_json_lines_hold_the_text_and_the_summary(export, session, capsys):
    code, out, _ = run(capsys, export, "--source", session, "--fast", "--json")
    *updates, last = map(json.loads, out.splitlines())
    assert code == 0 and "".join(one["committed"] for one in updates) == expected(export, session)
    assert set(updates[0]) == {"seconds", "committed", "tentative", "latency_ms", "dropped"}
    found = last["summary"]
    assert found["seconds"] == SECONDS and found["dropped"] == 0 and found["error"] is None
    assert found["step_ms"]["p99"] >= found["step_ms"]["median"] > 0


def spawn(*words, **options):
    return subprocess.Popen([sys.executable, "-m", "semgjax", "stream", *map(str, words)], **options)


def packets(emg_TxC, rate=200.0, size=20, skip=()):
    parts = [(at, emg_TxC[at : at + size]) for at in range(0, len(emg_TxC), size) if at not in skip]
    return [encode_packet(Packet(emg, rate, at)) for at, emg in parts]


def test_an_armband_through_a_pipe_prints_names_and_its_gaps(arm):
    emg = emg_signal(20, SMALL)
    process = spawn(arm, "--source", "-", "--json", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=False)
    out, _ = process.communicate(b"".join(packets(emg, skip=(1000,))), timeout=120)
    *updates, last = map(json.loads, out.splitlines())
    words = "".join(one["committed"] for one in updates).split()
    assert process.returncode == 0 and len(words) > 3 and set(words) <= {"fist", "open", "pinch"}
    assert (last["summary"]["keys"], last["summary"]["lost"], last["summary"]["gaps"]) == (len(words), 20, 1)


def until(process, content):
    """Wait until its stdout has given this many bytes."""
    found = b""
    while len(found) < content:
        piece = os.read(process.stdout.fileno(), 1 << 16)
        if not piece:
            break
        found += piece
    return found


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_ends_the_stream_with_its_summary_and_a_whole_recording(arm, tmp_path, number, code):
    path = tmp_path / "day.xdf"
    process = spawn(
        arm, "--source", "-", "--record", path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    emg = emg_signal(20, SMALL)
    process.stdin.write(b"".join(packets(emg)))
    process.stdin.flush()
    until(process, 5)
    process.send_signal(number)
    process.send_signal(number)  # as some wrappers do
    _, err = process.communicate(timeout=60)
    assert process.returncode == code and b"interrupted" in err and b"dropped: 0" in err
    (stream,), _ = pyxdf.load_xdf(str(path), dejitter_timestamps=False)
    count = len(stream["time_series"])
    np.testing.assert_array_equal(stream["time_series"], emg[:count])
    assert stream["footer"]["info"]["sample_count"] == [str(count)]


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_while_a_source_is_waited_for_ends_at_once(number, error):
    with pytest.raises(error), _interruptible():
        signal.raise_signal(number)
    with _interruptible() as (stop, codes, begun):
        begun.set()
        signal.raise_signal(number)
        assert stop.is_set() and codes == [{signal.SIGINT: 130, signal.SIGTERM: 143}[number]]


def test_a_process_that_is_killed_leaves_a_recording_that_can_be_finished(export, session, tmp_path, capsys):
    path = tmp_path / "day.hdf5"
    process = spawn(export, "--source", session, "--record", path, stdout=subprocess.DEVNULL)
    part = tmp_path / "day.hdf5.part"
    give_up = time.monotonic() + 120
    while time.monotonic() < give_up and not (part.exists() and part.stat().st_size > 500_000):
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert not path.exists()
    assert main(["data", "recover", str(part)]) == 0
    found, source = open_session(path), open_session(session)
    assert found.samples > 3_000
    np.testing.assert_array_equal(read_emg(found, 0, found.samples), read_emg(source, 0, found.samples))
    with h5py.File(path) as file:
        assert file["emg2qwerty/lost"].shape == (0, 2)


def test_a_terminal_shows_the_text(arm):
    """The last line on the terminal, after everything that was rewritten, is the whole text."""
    reads, writes = pty.openpty()
    process = spawn(arm, "--source", "-", stdin=subprocess.PIPE, stdout=writes, stderr=subprocess.DEVNULL)
    os.close(writes)
    process.stdin.write(b"".join(packets(emg_signal(8, SMALL))))
    process.stdin.close()
    shown = b""
    while select.select([reads], [], [], 60)[0]:
        try:
            piece = os.read(reads, 4096)
        except OSError:
            break
        shown += piece
    os.close(reads)
    assert process.wait() == 0
    words = shown.decode().rpartition("\x1b[K")[2].split()
    assert words and set(words) <= {"fist", "open", "pinch"}


def refusal(capsys, *words):
    code, out, _ = run(capsys, *words, "--json")
    return code, json.loads(out.splitlines()[-1])["error"]["code"]


def test_what_does_not_fit_is_refused(export, arm, session, tmp_path, capsys):
    assert refusal(capsys, export, "--source", tmp_path / "none.hdf5") == (2, "no-file")
    assert refusal(capsys, arm, "--source", session) == (2, "channel-count")
    eight = [word for number in range(8) for word in [str(number)]]
    assert refusal(capsys, arm, "--source", session, "--channels", *eight) == (2, "rate-differs")
    assert refusal(capsys, export, "--source", session, "--open-keys", 0) == (2, "bad-value")
    assert refusal(capsys, export, "--source", session, "--beam.beam", 5) == (2, "conflict")
    assert refusal(capsys, export, "--source", "udp:0", "--wait", 0.1) == (2, "no-source")
    assert refusal(capsys, tmp_path, "--source", session) == (2, "no-file")


def test_a_source_of_another_rate_is_resampled_when_asked(arm, session, tmp_path, capsys):
    eight = [str(number) for number in range(8)]
    options = "--channels", *eight, "--resample", "--fast", "--json", "--record", tmp_path / "day.hdf5"
    assert refusal(capsys, arm, "--source", session, *options) == (2, "band-misfit")
    code, out, _ = run(capsys, arm, "--source", session, *options[:-1], tmp_path / "day.xdf")
    found = json.loads(out.splitlines()[-1])["summary"]
    assert code == 0 and found["seconds"] == pytest.approx(SECONDS, abs=0.01) and found["resampling_ms"] > 0
    (stream,), _ = pyxdf.load_xdf(str(tmp_path / "day.xdf"))
    assert stream["time_series"].shape == (12_000, 8)  # as it came


@pytest.mark.slow
def test_filters_of_a_declaration_are_applied(arm, tmp_path, capsys):
    toml = tmp_path / "semgjax.toml"
    toml.write_text(TOML)
    words = arm, "--source", "-", "--declaration", toml
    assert refusal(capsys, *words) == (2, "conflict")
    toml.write_text(toml.read_text().replace('gain = "session"\n', ""))
    raw = emg_signal(20, SMALL)
    texts = [
        spawn(*given, stdin=subprocess.PIPE, stdout=subprocess.PIPE).communicate(b"".join(packets(emg)), timeout=120)[0]
        for given, emg in ((words, raw), (words, raw + 500), (words[:3], 1000 * raw))
    ]
    assert len(texts[0].split()) > 3
    assert texts[0] == texts[1]  # an offset of the electrodes is removed
    assert texts[0] != texts[2]
