"""Real processes on odd terminals: whatever the encoding, the width and the names, no traceback, no hang, no break."""

import contextlib
import json
import os
import pty
import subprocess
import sys

import pytest

from semgjax.cli.terminal import say, say_columns, width_of
from semgjax.files import write_json

HOSTILE = "\x1b[31mred\a\r\n\t\u202e\u2066|"


def semgjax(*words: str, shell: str = '"$@"', **environment: str) -> subprocess.CompletedProcess[bytes]:
    """`semgjax WORDS`, run by bash as `shell` says."""
    call = ["bash", "-c", f"set -o pipefail; {shell}", "bash", sys.executable, "-m", "semgjax", *words]
    return subprocess.run(call, capture_output=True, timeout=60, env={**os.environ, **environment})


@pytest.mark.parametrize("columns", ["1", "0", "-5", "junk", "", "39", "\u0663", "9" * 30, "100000000"])
def test_help_is_shown_whatever_the_width(columns):
    done = semgjax("sweep", "run", "--help", COLUMNS=columns)
    assert done.returncode == 0 and b"--trial" in done.stdout
    assert done.stderr == b"" and len(done.stdout) < 100_000


@pytest.mark.parametrize(
    "environment",
    [{"PYTHONIOENCODING": code} for code in ("ascii", "cp1252", "latin-1", "ascii:strict", "utf-16")]
    + [{"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"LC_ALL": "POSIX"}],
)
@pytest.mark.parametrize("words", [("sweep", "run", "--help"), ("sweep", "status", "/no/\u4e00\u1e9e/\udcff")])
def test_any_encoding_of_the_terminal_will_do(environment, words):
    done = semgjax(*words, **environment)
    assert done.returncode == (0 if "--help" in words else 2)
    assert b"Traceback" not in done.stderr
    if "status" in words:
        assert done.stderr.count("\n".encode("utf-16-le" if "16" in str(environment) else "ascii")) == 1


@pytest.mark.parametrize(
    ("shell", "codes"),
    [
        ('"$@" | head -c 0', (0, 141)),
        ('"$@" 2>&1 | head -c 0', (0, 141)),
        ('"$@" >&-', (0,)),
        ('"$@" >&- 2>&-', (0,)),
        ('"$@" <&- >&- 2>&-', (0,)),
        ('"$@" >/dev/full', (2,)),
        ('"$@" > >(exec >&- <&-; exit)', (0, 141)),
    ],
)
@pytest.mark.parametrize("words", [("--help",), ("--version",), ("sweep", "run", "--help")])
def test_a_closed_or_full_stdout_ends_quietly(shell, codes, words):
    done = semgjax(*words, shell=shell)
    assert done.returncode in codes
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr


@pytest.mark.parametrize("shell", ['"$@" >&-', '"$@" 2>&-', '"$@" 2>&1 | head -c 0', '"$@" >/dev/full'])
def test_an_error_keeps_its_exit_code_on_a_closed_stream(shell):
    done = semgjax("sweep", "status", "/nowhere", "--json", shell=shell)
    assert done.returncode in (2, 141) and b"Traceback" not in done.stderr
    assert done.returncode == 2 or "head" in shell


def test_nothing_is_printed_into_a_file_that_took_a_closed_streams_number(tmp_path):
    code = (
        "import sys; from semgjax.cli.main import prepare; prepare(); file = open(sys.argv[1], 'w');"
        "print('out'); print('err', file=sys.stderr); file.write('own'); file.close()"
    )
    subprocess.run(["bash", "-c", '"$@" <&- >&- 2>&-', "bash", sys.executable, "-c", code, tmp_path / "f"], check=True)
    assert (tmp_path / "f").read_text() == "own"


@pytest.mark.parametrize("named", ["nonsense", "nonsense,cpu"])
def test_a_platform_that_is_not_here_is_one_line(named, tmp_path):
    code = (
        "import sys; from semgjax.cli import main as command\n"
        "def run(words):\n    import jax\n    return jax.device_count() - jax.device_count()\n"
        "command._run = run; sys.exit(command.main(['--json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env={**os.environ, "JAX_PLATFORMS": named})
    if named == "nonsense":
        assert done.returncode == 2 and done.stderr.count(b"\n") == 1
        assert json.loads(done.stdout)["error"]["code"] == "bad-environment"
    else:
        assert done.returncode in (0, 2) and b"Traceback" not in done.stderr


def controls(text: bytes) -> set[str]:
    return {c for c in text.decode() if not c.isprintable()} - {"\n"}


def test_names_from_outside_are_written_out_and_columns_stay_columns(capsys):
    say_columns([("trial", "state", "step", ""), (HOSTILE, "done", "1/10", "a\nb"), ("用户", "done", "10/10", "")])
    say(f"  {HOSTILE}")
    say("one\ntwo\x1b", lines=True)
    printed = capsys.readouterr().out
    assert controls(printed.encode()) == set()
    lines = printed.split("\n")[:-1]
    assert len(lines) == 6
    ends = [
        width_of(line[: line.index(step) + len(step)])
        for line, step in zip(lines, ("step", "1/10", "10/10"), strict=False)
    ]
    assert len(set(ends)) == 1


def test_a_sweeps_status_of_hostile_words_keeps_one_line_a_trial(tmp_path):
    from tests.sweep.plans import planned

    sweep = planned(tmp_path / "dir\n\x1b[2J\u202e")
    write_json(sweep.fault(sweep.trials[0]), "semgjax/fault", 1, {"kind": "failed", "reason": HOSTILE, "tail": []})
    done = semgjax("sweep", "status", str(sweep.folder))
    assert done.returncode == 0
    assert controls(done.stdout) == set() and done.stdout.count(b"\n") == len(sweep.trials) + 2
    wrong = semgjax("sweep", "status", str(tmp_path / HOSTILE))
    assert wrong.returncode == 2 and controls(wrong.stderr) == set() and wrong.stderr.count(b"\n") == 1


def on_a_terminal(*words: str) -> tuple[int, bytes]:
    """`semgjax WORDS` with a pseudo-terminal as its output: exit code and what it showed."""
    reader, writer = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "semgjax", *words], stdin=subprocess.DEVNULL, stdout=writer, stderr=writer,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "200"},
    )  # fmt: skip
    os.close(writer)
    shown = b""
    with contextlib.suppress(OSError):  # what a pseudo-terminal says at its end
        while piece := os.read(reader, 65536):
            shown += piece
    os.close(reader)
    return child.wait(timeout=60), shown


@pytest.mark.parametrize("terminal", [False, True])
def test_users_of_hostile_names_do_not_reach_a_terminal_in_the_check_of_sessions(tmp_path, terminal):
    from tests.data.fixtures import typed, write_session

    folder = tmp_path / "sessions"
    folder.mkdir()
    for number, user in enumerate(["\x1b]0;title\a\x1b[2J", "two\nlines", "\u202eright", "[bold]x[/bold]", "a\tb\r"]):
        write_session(folder / f"s{number}.hdf5", user=user, keystrokes=typed("hello world"))
    words = ("data", "check", str(folder))
    if terminal:
        code, shown = on_a_terminal(*words)
        assert code in (0, 2) and b"\a" not in shown and b"\x1b[2J" not in shown and "\u202e".encode() not in shown
        assert b"[bold]x[/bold]" in shown
    else:
        done = semgjax(*words)
        assert controls(done.stdout) == set() and controls(done.stderr) == set()
        rows = [line for line in done.stdout.decode().splitlines() if line.startswith("s") and line[1].isdigit()]
        assert len(rows) == 5


def test_a_live_table_of_hostile_words_stays_a_table(tmp_path):
    from tests.sweep.plans import planned

    sweep = planned(tmp_path)
    for trial in sweep.trials:
        reason = "\x1b[2J\a\u202e[red]x\\"
        write_json(sweep.fault(trial), "semgjax/fault", 1, {"kind": "failed", "reason": reason, "tail": []})
    code, shown = on_a_terminal("sweep", "status", str(sweep.folder), "--live")
    assert code == 0 and shown.count(b"[red]x\\") >= 3
    assert b"\a" not in shown and b"\x1b[2J" not in shown and "\u202e".encode() not in shown
