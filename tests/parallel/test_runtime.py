"""Start-up: who takes part is read from the environment, and every mistake there is one line."""

import pytest

from semgjax.errors import InputError
from semgjax.parallel.runtime import find_processes, first_host, start_processes

SLURM = {
    "SLURM_JOB_ID": "4242",
    "SLURM_NTASKS": "8",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
    "SLURM_STEP_NODELIST": "gpu[03-04],spare",
    "SLURM_STEP_NUM_NODES": "2",
}
GKE = {"TPU_WORKER_HOSTNAMES": "a-0.svc,a-1.svc", "TPU_WORKER_ID": "1"}


def test_a_process_on_its_own_awaits_nobody():
    assert find_processes("auto", {}) is None
    assert find_processes("auto", {"SLURM_NTASKS": "1", "SLURM_STEP_NODELIST": "n1"}) is None
    assert find_processes("auto", {"TPU_WORKER_HOSTNAMES": "localhost", "TPU_WORKER_ID": "0"}) is None
    assert find_processes("auto", {"SEMGJAX_PROCESSES": "1"}) is None
    assert find_processes("one", SLURM) is None


def test_explicit_variables_stand_before_all_others():
    given = {"SEMGJAX_PROCESSES": "2", "SEMGJAX_PROCESS": "1", "SEMGJAX_COORDINATOR": "host", **SLURM}
    found = find_processes("auto", given)
    assert found is not None
    assert (found.coordinator, found.count, found.index, found.local_devices) == ("host:8476", 2, 1, None)
    ported = find_processes("auto", {**given, "SEMGJAX_COORDINATOR": "host:7"})
    assert ported is not None and ported.coordinator == "host:7"


def test_the_index_of_a_kubernetes_job_stands_in_for_the_process():
    given = {"SEMGJAX_PROCESSES": "4", "JOB_COMPLETION_INDEX": "3", "SEMGJAX_COORDINATOR": "run-0-0.run"}
    found = find_processes("auto", given)
    assert found is not None and found.index == 3


def test_a_slurm_step_names_its_first_host_a_port_of_the_job_and_its_device():
    found = find_processes("auto", SLURM)
    assert found is not None
    assert (found.coordinator, found.count, found.index) == (f"gpu03:{61440 + 4242 % 4096}", 8, 5)
    assert found.local_devices == (1,)
    bound = find_processes("auto", {**SLURM, "CUDA_VISIBLE_DEVICES": "3"})
    assert bound is not None and bound.local_devices == (0,)
    alone = find_processes("auto", {**SLURM, "SLURM_STEP_NUM_NODES": "8"})
    assert alone is not None and alone.local_devices is None


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("n1", "n1"),
        ("n1,n2", "n1"),
        ("n[001-015],m", "n001"),
        ("n[007,010-011]", "n007"),
        ("n[3]", "n3"),
        ("m,n[1-2]", "m"),
    ],
)
def test_the_first_host_of_a_node_list(nodes, first):
    assert first_host(nodes) == first


def test_the_pods_of_tpu_slices_are_numbered_through():
    found = find_processes("auto", GKE)
    assert found is not None
    assert (found.coordinator, found.count, found.index) == ("a-0.svc:8476", 2, 1)
    slices = {"MEGASCALE_NUM_SLICES": "3", "MEGASCALE_SLICE_ID": "2", "MEGASCALE_COORDINATOR_ADDRESS": "first:99"}
    found = find_processes("auto", {**GKE, **slices})
    assert found is not None
    assert (found.coordinator, found.count, found.index) == ("first:8476", 6, 5)


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"SEMGJAX_PROCESSES": "two"}, "SEMGJAX_PROCESSES is 'two'"),
        ({"SEMGJAX_PROCESSES": "2"}, "SEMGJAX_PROCESS is ''"),
        ({"SEMGJAX_PROCESSES": "2", "SEMGJAX_PROCESS": "0"}, "SEMGJAX_COORDINATOR is not set"),
        ({"SEMGJAX_PROCESSES": "2", "SEMGJAX_PROCESS": "2", "SEMGJAX_COORDINATOR": "h"}, "process 2 of 2"),
        ({key: value for key, value in SLURM.items() if key != "SLURM_LOCALID"}, "SLURM_LOCALID is ''"),
        ({"TPU_WORKER_HOSTNAMES": "a,b"}, "TPU_WORKER_ID is ''"),
    ],
)
def test_a_variable_that_does_not_fit_is_named(environment, says):
    with pytest.raises(InputError) as caught:
        find_processes("auto", environment)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_alone_nothing_is_started_and_nothing_printed(capsys):
    start_processes("auto", 1, {})
    assert capsys.readouterr() == ("", "")
