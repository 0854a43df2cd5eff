"""`import semgjax` is light, and every public name is there."""

import importlib.util
import json
from pathlib import Path

import pytest

import semgjax
from tests.runs import start_python

HEAVY = ("jax", "flax", "orbax", "grain", "h5py", "numpy", "scipy", "matplotlib")
LOOK = "import sys, json; {}; print(json.dumps([m for m in {} if m in sys.modules]))"


def loaded(statement: str, names: tuple[str, ...]) -> list[str]:
    process = start_python(["-c", LOOK.format(statement, names)])
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return json.loads(out)


def test_importing_the_package_loads_nothing_heavy():
    assert loaded("import semgjax", HEAVY) == []


def test_fitting_loads_no_part_of_training():
    training = ("semgjax.train.loop", "semgjax.model.encoder", "flax", "orbax", "grain", "h5py", "optax")
    statement = (
        "import semgjax; semgjax.fit({'n': [1e5, 2e5, 4e5, 8e5], 'e': [40, 31.2, 25, 20.6]}, y='e', N='n', law='power')"
    )
    assert loaded(statement, training) == []


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
