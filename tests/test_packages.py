"""The wheel and the source archive, built without a network: what they must hold is inside."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import semgjax

ROOT = Path(__file__).parents[1]
SUFFIXES = {".css", ".html", ".j2", ".jinja", ".js", ".py", ".svg", ".toml"}


def files_of_the_package() -> set[str]:
    """Modules, plans, templates, scripts, styles and icons, as paths from the root; and the marker of the types."""
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "semgjax").rglob("*") if path.suffix in SUFFIXES}
    return found | {"semgjax/py.typed"}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    words = [sys.executable, "-m", "hatchling", "build", "--directory", folder]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_the_wheel_holds_the_whole_package_and_the_licence(built):
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert files_of_the_package() <= names
    assert any(name.startswith("semgjax/sweep/plans/") and name.endswith(".toml") for name in names)
    assert f"semgjax-{semgjax.__version__}.dist-info/licenses/LICENSE" in names
    assert {name.partition("/")[0] for name in names} == {"semgjax", f"semgjax-{semgjax.__version__}.dist-info"}


@pytest.mark.slow
def test_the_source_archive_holds_the_package_its_tests_and_what_make_needs(built):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "Makefile", "pyproject.toml", "tests/conftest.py"}
    locks = {"requirements.lock", "requirements-newest.lock"}
    assert files_of_the_package() | wanted | locks <= names
    assert not {name for name in names if ".venv" in name or "__pycache__" in name}
