"""Settings for all tests, made before anything imports jax or matplotlib; and the runs that many tests share."""

import atexit
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")
# One device, here and in the processes that tests start: with one for every core the last bits would be others.
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "1")
# Programs of tests run for moments, and compiling them takes longer: most of it is LLVM's optimisation, their splitting
# for several cores, and in the pinned release the newer form of XLA's code for fusions. Later releases have that form
# alone and do not know its option; .ci/run tests the core with them.
QUICKLY = "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1"
if importlib.metadata.version("jaxlib").startswith("0.10."):
    QUICKLY += " --xla_cpu_use_fusion_emitters=false"
os.environ.setdefault("XLA_FLAGS", QUICKLY)
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    # Compiling is most of a tiny run's time; what one test compiled serves the others and their subprocesses.
    compiled = tempfile.mkdtemp(prefix="semgjax-compiled-")
    atexit.register(shutil.rmtree, compiled, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

import jax  # noqa: E402, F401  (its first import sets variables, which no test is to be blamed for)


@pytest.fixture(autouse=True)
def same_environment():
    """A test that changes this process's environment changes what later tests' processes compute, threads included."""
    before = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    yield
    after = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    assert after == before, "this test left the environment changed: monkeypatch.setenv puts it back"


@pytest.fixture(scope="session")
def sessions(tmp_path_factory) -> Path:
    """Folder of 6 simulated sessions of 3 users with its split; read only."""
    from tests.runs import write_sessions

    return write_sessions(tmp_path_factory.mktemp("corpus") / "sessions")


@pytest.fixture(scope="session")
def finished(sessions, tmp_path_factory) -> Path:
    """A finished supervised run, never interrupted; copy it before changing anything."""
    from semgjax.cli.main import main
    from tests.runs import train_words

    out = tmp_path_factory.mktemp("runs") / "finished"
    assert main(train_words(sessions, out)) == 0
    return out


@pytest.fixture(scope="session")
def student(sessions, finished, tmp_path_factory) -> Path:
    """A finished run distilled from `finished`; copy it before changing anything."""
    from semgjax.cli.main import main
    from tests.runs import distill_words

    out = tmp_path_factory.mktemp("runs") / "student"
    assert main(distill_words(finished, sessions, out)) == 0
    return out


@pytest.fixture(scope="session")
def exported(finished, tmp_path_factory) -> Path:
    """The export of `finished`; copy it before changing anything."""
    from semgjax.exporting.export_run import export_run

    out = tmp_path_factory.mktemp("exports") / "exported"
    export_run(finished, out)
    return out


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A folder on a file system of 12 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("no tmpfs here")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", folder], capture_output=True, text=True)
    if re.search("superuser|permission denied|not permitted", done.stderr):
        pytest.skip(f"not permitted to mount: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def pytest_addoption(parser) -> None:
    """`--update-golden` rewrites tests/golden; see tests/golden_files.py on when that is legitimate."""
    parser.addoption("--update-golden", action="store_true", help="rewrite the files of tests/golden")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first, then those with many: no worker is left alone with a long file at the end.

    pytest-xdist keeps this order of the files with --no-loadscope-reorder, as the Makefile asks.
    """
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (-slow[item.path], -tests[item.path], item.path))  # stable: a file keeps its order


# With SEMGJAX_NO_SKIPS=1 a skipped test fails, unless its reason opens with one of these: what no
# package that could be installed would change.
MAY_SKIP = (
    "minutes; SEMGJAX_LONG_TESTS=1 runs it",
    "no tmpfs here",
    "not permitted to mount",
    "this system cannot pin processes",
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and os.environ.get("SEMGJAX_NO_SKIPS") == "1":  # an expected failure too
        reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        if not reason.removeprefix("Skipped: ").startswith(MAY_SKIP):
            report.outcome, report.longrepr = "failed", f"skipped, but no test may be here: {reason}"
    return report
