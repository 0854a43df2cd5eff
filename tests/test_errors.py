"""The codes of errors, and what the operating system's own become."""

import ast
import errno
import os
import re
from pathlib import Path

import pytest

import semgjax
from semgjax.cli.main import main
from semgjax.errors import CODES, InputError, system_fault

ROOT = Path(semgjax.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
REFUSALS = ("InputError", "WriteFailed", "Untrusted")


def test_an_input_error_keeps_its_code_and_its_sentence():
    error = InputError("a.csv: no such file", "no-file")
    assert (error.code, error.exit_code, str(error)) == ("no-file", 2, "a.csv: no such file")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.EMFILE, "too-many-files"),
        (errno.ENFILE, "too-many-files"),
        (errno.ENOSPC, "no-space"),
        (errno.EDQUOT, "no-space"),
        (errno.EACCES, "no-permission"),
        (errno.EROFS, "no-permission"),
        (errno.EIO, "io-error"),
        (errno.ESTALE, "stale-handle"),
        (errno.EAGAIN, "file-locked"),
        (errno.ENAMETOOLONG, "bad-path"),
    ],
)
@pytest.mark.parametrize("form", ["number", "hdf5", "words"])
def test_what_the_system_says_of_a_place_has_a_code_whoever_passes_it_on(number, code, form):
    error = {
        "number": OSError(number, os.strerror(number), "place"),
        "hdf5": RuntimeError(f"unable to open file (file read failed: errno = {number}, error message = 'x')"),
        "words": ValueError(f"INTERNAL: write failed: {os.strerror(number)} [source locations=...]"),
    }[form]
    fault = system_fault(error, "place")
    assert fault is not None
    assert fault.code == code
    assert code in CODES


@pytest.mark.parametrize("error", [ValueError("bad magic number"), OSError("file signature not found"), KeyError("x")])
def test_an_error_of_another_kind_is_no_fault_of_the_place(error):
    assert system_fault(error, "place") is None


def test_the_command_line_prints_the_code_in_json_too(capsys):
    assert main(["data", "check", "/nowhere", "--json"]) == 2
    shown = capsys.readouterr()
    assert '"code": ' in shown.out
    assert shown.err.count("\n") == 1


def test_the_documents_list_every_code_with_its_meaning():
    text = (Path(__file__).parents[1] / "docs" / "errors.md").read_text()
    listed = re.findall(r"^\| ([a-z-]+) \| (.+) \|$", text, re.MULTILINE)
    assert listed == [("code", "means"), *CODES.items()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_refusal_has_a_code_of_the_table(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in REFUSALS:
            assert len(node.args) == 2, f"line {node.lineno}"
            if isinstance(node.args[1], ast.Constant):
                assert node.args[1].value in CODES, f"line {node.lineno}"
