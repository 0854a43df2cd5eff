"""The run of tests/golden/run-1, made when config.json was at version 1, serves for good: as it is, and by a semgjax
whose configurations have all grown by a member."""

import ast
import json
import shutil
from pathlib import Path

import pytest

from semgjax.config_history import FIRST
from tests.golden_files import GOLDEN
from tests.golden_run import golden_sessions, teacher_words
from tests.runs import ROOT, snapshot, start_python

RUN = GOLDEN / "run-1"
TEACHER = RUN / "sweep" / "trials" / "000-ladder-16-s0"


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def grow(package: Path) -> None:
    """Add a member with a default to every class of a configuration, as a change of the source does."""
    for path in package.rglob("*.py"):
        text = path.read_text()
        found = [n for n in ast.parse(text).body if isinstance(n, ast.ClassDef) and n.name in FIRST]
        lines = text.splitlines()
        for node in reversed(found):
            last = max(i for i, part in enumerate(node.body) if isinstance(part, ast.AnnAssign))
            described = last + 1 < len(node.body) and isinstance(node.body[last + 1], ast.Expr)
            end = node.body[last + described].end_lineno
            lines.insert(end, "    grown: float = 0.0")
        if found:
            path.write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module", params=["today", pytest.param("grown", marks=pytest.mark.slow)])
def package(request, tmp_path_factory) -> Path:
    """The folder that holds the package: this one's, or a copy whose configurations have grown."""
    if request.param == "today":
        return ROOT
    place = tmp_path_factory.mktemp("grown")
    shutil.copytree(ROOT / "semgjax", place / "semgjax", ignore=shutil.ignore_patterns("__pycache__"))
    grow(place / "semgjax")
    return place


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return golden_sessions(tmp_path_factory.mktemp("golden") / "sessions")


@pytest.fixture
def run(tmp_path) -> Path:
    """A copy of the teacher's run; the other files of the golden folder are never written."""
    return Path(shutil.copytree(TEACHER, tmp_path / "run"))


def python(package: Path, *words: object) -> str:
    """A Python process with the package first on its path; what it printed."""
    # The current folder stands before PYTHONPATH; that one brings `tests` to a copy of the package.
    process = start_python([str(word) for word in words], package, PYTHONPATH=f"{package}:{ROOT}")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out


def cers(scores: list[dict]) -> dict[tuple[str, str], float]:
    return {(row["split"], row["averaging"]): row["cer"] for row in scores}


def test_the_grown_package_has_a_new_member_in_every_class(package):
    known = ", ".join(sorted(FIRST))
    code = f"""
import dataclasses, json
from semgjax.data.batching.augment import AugmentConfig
from semgjax.data.batching.windows import WindowSpec
from semgjax.model.config import ModelConfig, TDSConfig
from semgjax.training.distill_config import DistillConfig
from semgjax.training.run_config import OptimizerConfig, RunConfig, TrainConfig
print(json.dumps({{k.__name__: "grown" in [f.name for f in dataclasses.fields(k)] for k in ({known})}}))
"""
    found = json.loads(python(package, "-c", code))
    assert found == dict.fromkeys(FIRST, package != ROOT)


@pytest.mark.parametrize("split", ["val", "test"])
@pytest.mark.parametrize("kind", ["run", "export"])
def test_its_numbers_come_from_its_bytes(package, data, run, kind, split):
    model = run if kind == "run" else RUN / "export"
    found = json.loads(
        python(package, "-m", "semgjax", "evaluate", model, f"--data={data}", f"--split={split}", "--json")
    )
    recorded = {key: cer for key, cer in cers(read(TEACHER / "result.json")["scores"]).items() if key[0] == split}
    assert len(recorded) == 2 and all(0 < cer < 100 for cer in recorded.values())
    assert cers(found["scores"]) == pytest.approx(recorded, abs=0.1)


def test_it_exports_the_same_parameters_and_its_scores_hold(package, data, run, tmp_path):
    python(package, "-m", "semgjax", "export", run, f"--out={tmp_path / 'export'}", f"--verify={data}")
    old, new = read(RUN / "export" / "model.json"), read(tmp_path / "export" / "model.json")
    for name in ("params_sha256", "params", "look_ahead_samples"):
        assert new[name] == old[name]
    assert new["source"] == old["source"] | {"metric": "cer", "spliced": False}  # members that older exports lack


@pytest.mark.slow
def test_it_resumes_from_an_earlier_step(package, data, run):
    shutil.rmtree(run / "checkpoints" / "1000")
    (run / "result.json").unlink()
    before = (run / "config.json").read_bytes()
    python(package, "-m", "semgjax", *teacher_words(data, run))
    assert (run / "config.json").read_bytes() == before
    old, new = read(TEACHER / "result.json"), read(run / "result.json")
    assert (new["config"], new["data"], new["steps"]) == (old["config"], old["data"], old["steps"])
    assert cers(new["scores"]) == pytest.approx(cers(old["scores"]), abs=0.1)
    lines = [(folder / "metrics.jsonl").read_text().splitlines() for folder in (TEACHER, run)]
    kept = [line for line in lines[0] if json.loads(line).get("step", 0) <= 990]
    assert lines[1][: len(kept)] == kept and len(lines[1]) == len(lines[0])  # what was trained is not trained again
    last = [next(line for line in map(json.loads, reversed(rows)) if "loss" in line) for rows in lines]
    assert last[1]["loss"] == pytest.approx(last[0]["loss"], rel=1e-3)


@pytest.mark.slow
def test_its_sweep_is_the_same_plan_and_trains_the_student_on_it(package, data, tmp_path):
    sweep = Path(shutil.copytree(RUN / "sweep", tmp_path / "sweep"))
    rows = read(sweep / "sweep.json")["trials"]
    code = f"""
from pathlib import Path
from semgjax.data.corpus import load_corpus
from semgjax.data.splitting.splits import read_split
from semgjax.sweep.plan import plan_sweep
from tests.golden_run import golden_configs
data, split = load_corpus(Path({str(data)!r})).hash, read_split(Path({str(data)!r}) / "splits.json")
plan_sweep("golden", golden_configs(data), Path("/sessions"), {{data: split}}, Path({str(sweep)!r}))
"""
    before = snapshot(sweep)
    python(package, "-c", code)
    after = snapshot(sweep)
    after.pop(".lock", None)
    assert after == before

    def states() -> list[str]:
        return [
            row["state"]
            for row in json.loads(python(package, "-m", "semgjax", "sweep", "status", sweep, "--json"))["trials"]
        ]

    assert states() == ["done", "waiting"]
    python(package, "-m", "semgjax", "sweep", "run", sweep, "--trial=1", f"--data={data}")
    assert states() == ["done", "done"]
    student = read(sweep / "trials" / rows[1]["id"] / "result.json")
    assert (student["config"], student["teacher"], student["kind"]) == (rows[1]["hash"], rows[0]["hash"], "distilled")


@pytest.mark.slow
def test_a_student_of_it_is_distilled_anew(package, data, run, tmp_path):
    words = ["distill", "--preset=ladder-16", f"--teacher={run}", f"--data={data}", f"--out={tmp_path / 'student'}"]
    python(package, "-m", "semgjax", *words, "--train.steps=2", "--train.batch=4")
    assert read(tmp_path / "student" / "result.json")["teacher"] == read(TEACHER / "config.json")["hash"]
    written = read(tmp_path / "student" / "config.json")
    assert written["version"] == 2 and ("grown" in written["model"]) == (package != ROOT)
