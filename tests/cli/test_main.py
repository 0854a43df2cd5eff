"""The command itself: which group runs, what is printed where, and every exit code."""

import json
import re
import subprocess
import sys
import types

import pytest

import semgjax
from semgjax.cli.main import GROUPS, main
from semgjax.errors import Diverged, InputError, Preempted


@pytest.fixture
def work(monkeypatch):
    """Gives a function that makes `semgjax data ...` do something else for this test."""

    def replace(run):
        module = types.ModuleType("semgjax.cli.data")
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "semgjax.cli.data", module)

    return replace


def fail_with(error):
    def run(words):
        raise error

    return run


def test_a_group_gets_the_remaining_words_and_gives_the_exit_code(work):
    seen = []

    def run(words):
        seen.append(words)
        return 7

    work(run)
    assert main(["data", "simulate", "out"]) == 7
    assert seen == [["simulate", "out"]]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("a.hdf5: no signal; record again"), 2),
        (Diverged("step 3: loss is nan"), 70),
        (Preempted("step 3: saved"), 75),
        (KeyboardInterrupt(), 130),
        (PermissionError(13, "Permission denied", "/place/out"), 2),
        (FileExistsError(17, "File exists", "/place/out"), 2),
        (OSError(28, "No space left on device"), 2),
    ],
)
def test_a_failure_is_one_line_on_stderr_and_its_exit_code(work, capsys, error, code):
    work(fail_with(error))
    assert main(["data"]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert re.fullmatch(r"semgjax: error: .+\n", printed.err)
    for fact in filter(None, [*map(str, error.args[-1:])]):
        assert fact in printed.err


@pytest.mark.parametrize("error", [ValueError("ours"), OSError("ours")])
def test_a_fault_of_the_program_keeps_its_traceback(work, error):
    work(fail_with(error))
    with pytest.raises(type(error), match="ours"):
        main(["data"])


def test_a_broken_pipe_that_is_not_our_output_keeps_its_traceback(work):
    work(fail_with(BrokenPipeError(32, "Broken pipe")))
    with pytest.raises(BrokenPipeError):
        main(["data"])


@pytest.mark.parametrize("size", ["10", "1000000"])  # fails in the last flush, fails in the print itself
def test_a_reader_that_goes_away_ends_the_command_quietly(size):
    code = (
        "import sys\n"
        "from semgjax.cli import main as command\n"
        "command._run = lambda words: print('x' * int(words[0])) or 0\n"
        "sys.exit(command.main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, size], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141
    process.stderr.close()


def test_help_names_every_group_and_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from semgjax.cli.main import main\n"
        "assert main(['--help']) == 0\n"
        "assert not {'jax', 'numpy', 'tyro', 'matplotlib'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(re.search(rf"^  {name} +\S", done.stdout, re.MULTILINE) for name in GROUPS)


def test_the_module_is_the_command():
    done = subprocess.run([sys.executable, "-m", "semgjax", "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"semgjax {semgjax.__version__}\n")


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        ([], "demo, data"),
        (["trian"], "'train'"),
        (["--out"], "'--out'"),
    ],
)
def test_a_missing_or_wrong_group_is_one_line_and_exit_2(words, fact, capsys):
    assert main(words) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and fact in printed.err and printed.err.count("\n") == 1


@pytest.mark.parametrize("name", ["no_such_module", "tests.cli.broken_module", "json, no_such_module"])
def test_a_module_of_the_environment_that_cannot_be_imported_is_one_line(name, capsys, monkeypatch):
    monkeypatch.setenv("SEMGJAX_IMPORT", name)
    assert main(["evaluate", "runs/x", "--data", "shards", "--json"]) == 2
    printed = capsys.readouterr()
    assert json.loads(printed.out)["error"]["code"] == "bad-environment"
    assert name.split(", ")[-1] in printed.err and printed.err.count("\n") == 1
    assert main(["--version"]) == 0


def commands_of(group, capsys) -> list[list[str]]:
    """The words that name each command of a group: [group] alone, or [group, command]."""
    assert main([group, "--help"]) == 0
    several = re.match(rf"usage: semgjax {group} \{{(.*)\}} \.\.\.", capsys.readouterr().out)
    return [[group, command] for command in several.group(1).split(",")] if several else [[group]]


def options_in(help_text: str) -> list[list[str]]:
    """Each option or positional of a help page, followed by its text in pieces."""
    entries: list[str] = []
    for line in help_text.replace("│", " ").splitlines():
        content = line.rstrip()[2:]
        if re.match(r"--?[a-z]|[A-Z][A-Z0-9_-]+( |$)", content):
            entries.append(content)
        elif content.startswith("    ") and entries:
            entries[-1] += "  " + content.strip()
    return [re.split(r" {2,}", entry) for entry in entries]


@pytest.mark.parametrize("group", GROUPS)
def test_every_option_of_every_command_has_a_help_line(group, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    for words in commands_of(group, capsys):
        assert main([*words, "--help"]) == 0
        options = options_in(capsys.readouterr().out)
        assert ["-h, --help", "show this help message and exit"] in options
        bare = [name for name, *text in options if not text or re.match(r"\((default|required)", text[0])]
        assert not bare, f"{' '.join(words)}: no help line for {', '.join(bare)}"


@pytest.mark.parametrize("group", GROUPS)
def test_an_unknown_option_of_any_command_is_one_line_and_exit_2(group, capsys):
    for words in commands_of(group, capsys):
        assert main([*words, "--no-such-option", "x"]) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.count("\n") == 1, printed.err
        assert printed.err.startswith("semgjax: error: ") and f"({' '.join(['semgjax', *words])} --help)" in printed.err
