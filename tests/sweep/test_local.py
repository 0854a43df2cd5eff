"""The local engine with a stand-in for training: order, slots, kills, bad ends, and going on after each."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from semgjax.errors import Preempted
from semgjax.files import folder_lock
from semgjax.sweep.local import device_slots, run_local, trial_command
from semgjax.sweep.runner import RETRIES, Outcome
from semgjax.sweep.trial import look, read_fault
from tests.refused import refused
from tests.sweep.plans import config_of, planned, students_of

WIDE, THIN, WIDEST = "000-ladder-32-s0", "001-ladder-16-s0", "002-ladder-48-s0"
ENGINE = """
import signal
import sys
from pathlib import Path
from semgjax.errors import SemgjaxError
from semgjax.sweep.local import run_local
from tests.sweep.test_local import stand_in
# Whatever these tests were started by: under nohup the one is ignored, in a background job the other.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    outcome = run_local(Path(sys.argv[1]), slots=2, report=lambda line: print(line, flush=True), command=stand_in,
                        order="longest")
except SemgjaxError as error:
    print(error, flush=True)
    sys.exit(error.exit_code)
sys.exit(outcome.exit_code)
"""


@pytest.fixture
def sweep(tmp_path):
    acts(tmp_path)
    return planned(tmp_path)


def acts(folder, **by_trial):
    names = {"wide": WIDE, "thin": THIN, "widest": WIDEST}
    content = {names[name]: [act] if isinstance(act, str) else act for name, act in by_trial.items()}
    (folder / "acts.json").write_text(json.dumps(content))


def stand_in(folder, trial, cores):
    return [sys.executable, "-m", "tests.sweep.stand_in", str(folder), trial, str(cores)]


def run(sweep, slots=1, **options):
    """The outcome and the lines that the engine reported."""
    lines: list[str] = []
    options = {"order": "longest", **options}
    return run_local(sweep.folder, slots, report=lines.append, command=stand_in, **options), lines


def events(sweep) -> list[list[str]]:
    return [line.split() for line in (sweep.folder.parent / "events").read_text().splitlines()]


def starts(sweep) -> list[str]:
    return [event[1] for event in events(sweep) if event[0] == "start"]


def start_engine(sweep) -> subprocess.Popen:
    """An engine of two slots as a process, with two slow trials in the midst of their steps."""
    acts(sweep.folder.parent, widest="slow", wide="slow")
    engine = subprocess.Popen([sys.executable, "-c", ENGINE, str(sweep.folder)], stdout=subprocess.PIPE, text=True)
    runs = [sweep.folder / "trials" / name / "metrics.jsonl" for name in (WIDEST, WIDE)]
    while not all(path.exists() for path in runs):
        assert engine.poll() is None
        time.sleep(0.02)
    return engine


def test_the_longest_trial_runs_first_on_demand_and_a_slot_runs_one_at_a_time(sweep):
    outcome, lines = run(sweep)
    assert outcome == Outcome((WIDE, THIN, WIDEST), {}, {})
    assert outcome.exit_code == 0
    assert [event[:2] for event in events(sweep)] == [
        [what, trial] for trial in (WIDEST, WIDE, THIN) for what in ("start", "end")
    ]
    assert lines[0] == f"{WIDEST} starts at step 0/10 (slot 0)"
    assert lines[1].startswith(f"{WIDEST} done in ") and lines[1].endswith("s, test CER 12.5 %; 1 of 3 trials done")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin processes")
def test_slots_run_at_the_same_time_each_on_cores_of_its_own(sweep):
    usable = sorted(os.sched_getaffinity(0))
    acts(sweep.folder.parent, widest="slow", wide="slow")
    run(sweep, slots=2)
    first, second = events(sweep)[:2]
    assert [first[0], second[0]] == ["start", "start"]
    assert sorted([first[2], second[2]]) == sorted([str(usable[0]), str(usable[1 % len(usable)])])
    assert sorted(os.sched_getaffinity(0)) == usable


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot pin processes")
def test_a_trial_gets_as_many_cores_as_asked_for(sweep):
    usable = sorted(os.sched_getaffinity(0))
    run(sweep, slots=None, cores=len(usable))
    assert {event[2] for event in events(sweep) if event[0] == "start"} == {",".join(map(str, usable))}


def test_what_is_done_is_not_run_again(sweep):
    run(sweep)
    before = events(sweep)
    outcome, lines = run(sweep, slots=2)
    assert len(outcome.done) == 3
    assert lines == ["3 of 3 trials done already"]
    assert events(sweep) == before


@pytest.mark.parametrize("act", ["again", "kill"])
def test_a_trial_that_stopped_or_was_killed_goes_on_where_it_was(sweep, act):
    acts(sweep.folder.parent, wide=act)
    outcome, lines = run(sweep)
    assert outcome.exit_code == 0
    assert starts(sweep) == [WIDEST, WIDE, WIDE, THIN]
    result = json.loads((sweep.folder / "trials" / WIDE / "result.json").read_text())
    assert result["steps_of_this_attempt"] == 5
    assert f"{WIDE} starts at step 5/10 (slot 0{'' if act == 'again' else f', attempt 2 of {RETRIES + 1}'})" in lines


def test_a_trial_that_stops_without_a_step_is_not_started_for_ever(sweep):
    acts(sweep.folder.parent, wide=["idle"] * 10)
    outcome, _ = run(sweep)
    assert outcome.exit_code == 1
    assert outcome.failed == {WIDE: "stopped and saved; no output"}
    assert starts(sweep).count(WIDE) == RETRIES + 1
    assert outcome.done == (THIN, WIDEST)


def test_a_failure_is_told_with_the_end_of_its_log_and_the_others_go_on(sweep):
    acts(sweep.folder.parent, widest=["crash"] * 2)
    outcome, lines = run(sweep, retries=1)
    reason = "ended with exit code 1; ValueError: something broke"
    assert outcome == Outcome((WIDE, THIN), {}, {WIDEST: reason})
    assert outcome.exit_code == 1
    reported = next(line for line in lines if "failed" in line).splitlines()
    assert reported[0] == f"{WIDEST} failed: {reason}; the end of {sweep.folder / 'trials' / WIDEST}.log:"
    assert reported[1].startswith("    Traceback") and reported[-1] == "    ValueError: something broke"
    assert look(sweep, sweep.trials[2]).state == "failed"
    fault = json.loads(sweep.fault(sweep.trials[2]).read_text())
    assert (fault["reason"], fault["tail"][-1]) == (reason, "ValueError: something broke")
    assert starts(sweep).count(WIDEST) == 2
    outcome, _ = run(sweep)
    assert outcome.exit_code == 0
    assert look(sweep, sweep.trials[2]).state == "done"


def test_the_end_of_a_log_is_that_of_the_last_attempt(sweep):
    acts(sweep.folder.parent, widest="crash")
    run(sweep, retries=0)
    (sweep.folder.parent / "events").unlink()
    acts(sweep.folder.parent, widest="forget")
    outcome, lines = run(sweep)
    assert outcome.failed == {WIDEST: "ended without a result.json"}
    assert not any("something broke" in line for line in lines)


def test_a_trial_that_diverged_is_reported_and_not_run_again(sweep):
    acts(sweep.folder.parent, widest=["diverge"] * 2)
    outcome, lines = run(sweep)
    assert outcome == Outcome((WIDE, THIN), {WIDEST: "step 5: loss nan"}, {})
    assert outcome.exit_code == 70
    assert f"{WIDEST} diverged: step 5: loss nan" in lines
    before = events(sweep)
    assert run(sweep)[0] == outcome
    assert events(sweep) == before


def test_a_failure_counts_more_than_a_divergence():
    assert Outcome((), {"a": "nan"}, {"b": "broke"}).exit_code == 1


def test_a_damaged_result_is_left_alone_and_the_others_run(sweep):
    run(sweep)
    path = sweep.folder / "trials" / WIDE / "result.json"
    path.write_bytes(path.read_bytes()[:40])
    before = path.read_bytes()
    (sweep.folder / "trials" / THIN / "result.json").unlink()
    outcome, lines = run(sweep)
    assert outcome.exit_code == 1
    assert list(outcome.failed) == [WIDE]
    assert lines[0].startswith(f"{WIDE} is skipped: {path}")
    assert path.read_bytes() == before
    assert outcome.done == (THIN, WIDEST)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_engine_asked_to_stop_lets_its_trials_save_and_the_next_one_goes_on(sweep, number):
    engine = start_engine(sweep)
    engine.send_signal(number)
    out, _ = engine.communicate(timeout=60)
    assert engine.returncode == Preempted.exit_code
    assert str(sweep.folder) in out.splitlines()[-1] and " 3 of 3 trials" in out.splitlines()[-1]
    assert sorted(event[1] for event in events(sweep) if event[0] == "saved") == [WIDE, WIDEST]
    outcome, _ = run(sweep, slots=2)
    assert outcome.exit_code == 0
    assert sorted(starts(sweep)) == [WIDE, WIDE, THIN, WIDEST, WIDEST]


def test_after_a_kill_of_the_engine_the_next_waits_for_the_trials_it_left_and_runs_the_rest(sweep):
    engine = start_engine(sweep)
    engine.kill()
    engine.communicate()
    outcome, lines = run(sweep, slots=2)
    assert outcome.exit_code == 0
    assert lines[:2] == [f"{name} is running in another process; waiting for it" for name in (WIDEST, WIDE)]
    # The trials left behind fill both slots: the third starts when one of them has ended, and none runs twice.
    assert [event[0] for event in events(sweep)][:3] == ["start", "start", "end"]
    assert sorted(starts(sweep)) == [WIDE, THIN, WIDEST]


def test_a_second_engine_is_refused(sweep):
    with (
        folder_lock(sweep.folder),
        refused("in-use", f"process {os.getpid()}"),
    ):
        run(sweep)
    assert not (sweep.folder.parent / "events").exists()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"slots": 0}, "slots 0"),
        ({"cores": 0}, "cores 0"),
        ({"cores": 10_000}, "cores 10000"),
        ({"retries": -1}, "retries -1"),
        ({"share": (2, 2)}, "share 2/2"),
    ],
)
def test_numbers_out_of_range_are_refused_before_anything_runs(sweep, options, named):
    with refused("bad-value", named):
        run(sweep, **options)
    assert not (sweep.folder.parent / "events").exists()


def test_a_fault_of_the_engine_leaves_no_trial_running(sweep):
    def report(line):
        raise OSError("the terminal is gone")

    acts(sweep.folder.parent, widest="slow")
    with pytest.raises(OSError, match="the terminal is gone"):
        run_local(sweep.folder, 1, report=report, command=stand_in)
    state = look(sweep, sweep.trials[2]).state
    assert state == "waiting"
    assert read_fault(sweep, sweep.trials[2]) is None


def test_a_trials_command_is_this_programs_own(tmp_path):
    words = trial_command(tmp_path, WIDE, 2)
    assert words[1:] == ["-m", "semgjax", "sweep", "run", str(tmp_path), "--trial", WIDE, "--cores", "2"]


def test_the_cheapest_trial_runs_first_without_a_word(sweep):
    run_local(sweep.folder, 1, report=lambda line: None, command=stand_in)
    assert starts(sweep) == [THIN, WIDE, WIDEST]


def test_bad_input_of_a_trial_is_not_tried_again(sweep):
    acts(sweep.folder.parent, thin=["refuse"] * 2)
    outcome, _ = run(sweep)
    assert outcome.failed == {THIN: "sessions: no such folder"}
    assert starts(sweep).count(THIN) == 1


def test_a_failure_once_is_tried_again_and_forgotten(sweep):
    acts(sweep.folder.parent, thin="crash")
    outcome, lines = run(sweep)
    assert outcome == Outcome((WIDE, THIN, WIDEST), {}, {})
    assert f"{THIN} ended with exit code 1 at step 5/10" in lines
    assert not sweep.fault(sweep.trials[1]).exists()


@pytest.fixture
def taught(tmp_path):
    """Two students of a wide teacher, the cheapest trials, and a single one."""
    acts(tmp_path)
    return planned(tmp_path, config_of("ladder-48"), config_of("ladder-32"), *students_of("ladder-48", "ladder-16"))


def test_students_wait_for_their_teacher_even_where_they_are_cheaper(taught):
    outcome, _ = run(taught, slots=2, order="cheapest")
    assert outcome.exit_code == 0
    order = [event[:2] for event in events(taught)]
    teacher, students = taught.trials[0].id, [trial.id for trial in taught.trials[2:]]
    assert all(order.index(["start", name]) > order.index(["end", teacher]) for name in students)
    assert order[0][1] != students[0] and len(students) == 2


@pytest.mark.parametrize(("act", "code"), [("diverge", 1), ("refuse", 1)])
def test_students_of_a_teacher_that_ended_badly_are_not_run(taught, act, code):
    teacher, single, *students = [trial.id for trial in taught.trials]
    (taught.folder.parent / "acts.json").write_text(json.dumps({teacher: [act]}))
    outcome, _ = run(taught, slots=2)
    assert outcome.exit_code == code
    assert outcome.done == (single,)
    assert {name for name in students if name in outcome.failed} == set(students)
    assert outcome.failed[students[0]] == f"not run: its teacher {teacher} did not finish"
    assert not {name for name in students} & set(starts(taught))


def test_workers_take_their_shares_and_students_stay_with_their_teacher(taught):
    teacher, single, *students = [trial.id for trial in taught.trials]
    outcome, _ = run(taught, slots=2, share=(1, 2))
    assert outcome.done == (single,)
    outcome, _ = run(taught, slots=2, share=(0, 2))
    assert outcome.done == (teacher, *students)
    assert sorted(starts(taught)) == sorted([teacher, single, *students])


def test_a_slot_for_each_device_shows_a_trial_that_one_alone():
    slots = device_slots("0,3", None)
    assert [(slot.name, slot.environment) for slot in slots] == [
        ("GPU 0", {"CUDA_VISIBLE_DEVICES": "0"}),
        ("GPU 3", {"CUDA_VISIBLE_DEVICES": "3"}),
    ]
    assert all(slot.cores for slot in slots)
    chip = device_slots(None, "2")[0]
    assert chip.environment["TPU_VISIBLE_CHIPS"] == "2" and chip.environment["TPU_PROCESS_BOUNDS"] == "1,1,1"


def test_a_device_slot_reaches_the_trials_environment(sweep):
    run(sweep, slots=device_slots("5", None))
    assert {event[3] for event in events(sweep) if event[0] == "start"} == {"5"}


@pytest.mark.parametrize(("gpus", "chips"), [("0,0", None), ("a", None), (None, ""), ("0", "1")])
def test_a_list_that_names_no_devices_is_refused(gpus, chips):
    with refused("conflict" if gpus and chips else "bad-option"):
        device_slots(gpus, chips)
