"""One run on 1, 2, 4 and 8 fake devices, its state copied or split, its batch whole or in parts: the same numbers."""

import json

import numpy as np
import pytest

from tests.runs import ROOT, start_python

# devices, fsdp, accumulate, remat; the first is what the others are held against
LAYOUTS = ["1,1,1", "2,1,1", "4,2,1,layers", "8,4,2"]


@pytest.mark.slow
def test_losses_and_updates_of_all_layouts_agree():
    script = str(ROOT / "tests" / "parallel" / "layouts.py")
    process = start_python([script, *LAYOUTS], JAX_NUM_CPU_DEVICES="8", NPROC="1")
    out, err = process.communicate(timeout=1800)
    assert process.returncode == 0, err
    results = json.loads(out)
    first = results[LAYOUTS[0]]
    assert first["executables"] == 1 and first["steps"][1]["update_norm"] > 0
    for layout in LAYOUTS[1:]:
        assert results[layout]["executables"] == 1
        assert results[layout]["moments"] < 1e-5, layout
        for one, other in zip(first["steps"], results[layout]["steps"], strict=True):
            for name, value in one.items():
                np.testing.assert_allclose(other[name], value, rtol=1e-5, err_msg=f"{layout} {name}")
