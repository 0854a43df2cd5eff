"""`import semgjax` is light, and every public name is there."""

import importlib.util
import json
from pathlib import Path

import pytest

import semgjax
from tests.runs import start_python

HEAVY = ("jax", "flax", "orbax", "grain", "h5py", "numpy", "scipy", "matplotlib")
TRAINING = (
    *("semgjax.training", "semgjax.model", "semgjax.losses", "semgjax.evaluate", "semgjax.distilling.teachers"),
    *("semgjax.exporting", "semgjax.sweep", "flax", "orbax", "grain", "optax", "semgjax.data", "h5py"),
)
LOOK = "import sys, json; {}; print(json.dumps([m for m in {} if m in sys.modules]))"


def loaded(statement: str, names: tuple[str, ...]) -> list[str]:
    process = start_python(["-c", LOOK.format(statement, names)])
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(out)


def test_importing_the_package_loads_nothing_heavy():
    assert loaded("import semgjax", HEAVY) == []


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_the_commands_help_loads_nothing_heavy(words):
    statement = f"from semgjax.cli.main import main; sys.argv = ['semgjax']; sys.stdout = sys.stderr; main({words})"
    assert loaded(f"{statement}; sys.stdout = sys.__stdout__", HEAVY) == []


def test_fitting_loads_no_part_of_training():
    table = "{'n': [1e5, 2e5, 4e5, 8e5, 16e5], 'e': [40, 31.2, 25, 20.6, 17]}"
    statement = (
        f"import semgjax; law = semgjax.fit({table}, y='e', N='n', law='power'); "
        "law.predict(N=1e6); law.invert(e=20); law.document()"
    )
    assert loaded(statement, TRAINING) == []


def test_no_module_of_scaling_loads_a_part_of_training():
    statement = (
        "import importlib, pkgutil, semgjax.scaling as s; "
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(s.__path__, 'semgjax.scaling.')]"
    )
    assert loaded(statement, TRAINING) == []


def test_opening_a_session_loads_no_jax():
    assert loaded("import semgjax; semgjax.load_session, semgjax.Session", ("jax", *TRAINING[:-2])) == []


@pytest.mark.parametrize("name", semgjax.__all__)
def test_a_public_name_is_there_and_says_what_it_does(name):
    assert getattr(semgjax, name).__doc__
    assert name in dir(semgjax)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError):
        semgjax.nothing  # noqa: B018


def test_the_package_says_that_it_is_typed():
    assert importlib.util.find_spec("semgjax") is not None
    assert (Path(semgjax.__file__).parent / "py.typed").is_file()
