"""A CPU's cores as devices: how many JAX sees, by the environment and the rows there are."""

import pytest

from tests.runs import start_python

SCRIPT = """
import sys
from semgjax.parallel.cores import use_cores
use_cores(int(sys.argv[1]))
import jax
print(jax.device_count())
use_cores(1)  # too late, and no error
"""


@pytest.mark.parametrize(
    ("rows", "environment", "devices"),
    [
        (16, {"NPROC": "4"}, 4),
        (6, {"NPROC": "4"}, 3),
        (0, {"NPROC": "4"}, 1),
        (16, {"NPROC": "4", "JAX_NUM_CPU_DEVICES": "2"}, 2),
    ],
)
def test_as_many_cores_are_devices_as_divide_the_rows(rows, environment, devices):
    process = start_python(["-c", SCRIPT, str(rows)], **{"JAX_NUM_CPU_DEVICES": "-1", **environment})
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert int(out) == devices
