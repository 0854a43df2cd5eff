"""An export runs where semgjax cannot be imported, and its loaders load neither flax nor what trains."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from semgjax.exporting.export_run import export_run
from semgjax.exporting.exported_programs import offline_program, step_program
from semgjax.exporting.parity import made_up
from semgjax.model import streaming
from semgjax.training.run_folder import load_finished
from tests.runs import start_python

ALONE = """
import importlib.util, json, sys
sys.path.insert(0, sys.argv[1])
assert importlib.util.find_spec("semgjax") is None
from pathlib import Path
import numpy as np
from jax import export
from safetensors.numpy import load_file

folder, signal, out = map(Path, sys.argv[2:])
params, given = load_file(folder / "params.safetensors"), np.load(signal)
offline = export.deserialize(bytearray((folder / "offline.stablehlo").read_bytes()))
found = {"offline": np.asarray(offline.call(params, given["emg"], given["valid"]))}
step = export.deserialize(bytearray((folder / "step.stablehlo").read_bytes()))
about = json.loads((folder / "model.json").read_text())
state = [np.zeros(part["shape"], part["dtype"]) for part in about["state"]]
frame, steps = about["frame_samples"], []
for at in range(0, given["emg"].shape[1], frame):
    *state, log_probs = step.call(params, *state, given["emg"][:1, at:at + frame], given["valid"][:1, at:at + frame])
    steps.append(np.asarray(log_probs))
np.savez(out, **found, step=np.concatenate(steps, axis=1))
assert "semgjax" not in sys.modules
"""
LOADERS = """
import sys
from pathlib import Path
from semgjax.runtime import open_export, safetensors_runtime
runtime = open_export.load(Path(sys.argv[1]))
assert runtime.streams and safetensors_runtime.load(Path(sys.argv[1])).params
above = ("training", "model", "exporting", "data", "losses", "api")
print([name for name in sys.modules if name == "flax" or name.startswith(tuple(f"semgjax.{one}" for one in above))])
"""
NUMPY = """
import sys
from pathlib import Path
from semgjax.runtime import safetensors_runtime
assert safetensors_runtime.load(Path(sys.argv[1])).params
print([name for name in ("jax", "flax", "orbax") if name in sys.modules])
"""


@pytest.fixture(scope="module")
def programs(finished, tmp_path_factory) -> Path:
    """The finished run as programs; read only."""
    out = tmp_path_factory.mktemp("programs") / "e"
    export_run(finished, out, kind="stablehlo")
    return out


def packages_without_semgjax(folder: Path) -> Path:
    """All installed packages but semgjax, as links."""
    folder.mkdir()
    for place in {str(dist.locate_file("")) for dist in importlib.metadata.distributions()}:
        for path in Path(place).iterdir():
            if "semgjax" not in path.name and path.suffix != ".pth" and not (folder / path.name).exists():
                (folder / path.name).symlink_to(path)
    return folder


def test_programs_give_what_jax_gives_at_another_length_and_batch_without_semgjax(programs, finished, tmp_path):
    config, params = load_finished(finished)
    model = config.model
    spec = type(config.window)(length=53 * model.stride, stride=40, left=7 * model.stride, right=0)
    signal = made_up(model, config.band, spec, "7" * 64)
    emg, valid = (np.concatenate([part, part[:1]]) for part in (signal.emg_BxTxC, signal.valid_BxT))
    assert emg.shape[:2] == (3, 60 * model.stride) and emg.shape[1] != config.window.total
    np.savez(tmp_path / "in.npz", emg=emg, valid=valid)
    packages = packages_without_semgjax(tmp_path / "packages")
    words = [sys.executable, "-I", "-S", "-c", ALONE, packages, programs, tmp_path / "in.npz", tmp_path / "out.npz"]
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "out.npz")
    expected = np.asarray(jax.jit(offline_program(model))(params, emg, valid))
    assert np.abs(found["offline"] - expected).max() <= 1e-6
    state, step = streaming.begin(model), jax.jit(step_program(model))
    for frame in range(60):
        part = slice(frame * model.stride, (frame + 1) * model.stride)
        *state, log_probs = step(params, *state, emg[:1, part], valid[:1, part])
        assert np.abs(found["step"][:, frame : frame + 1] - np.asarray(log_probs)).max() <= 1e-6


@pytest.mark.parametrize("code", [LOADERS, NUMPY], ids=["programs", "tensors"])
def test_a_loader_loads_no_more_than_its_format_needs(programs, code):
    process = start_python(["-c", code, str(programs)])
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert out.strip() == "[]"
