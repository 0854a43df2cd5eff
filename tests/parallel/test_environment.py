"""Who takes part is read from the environment, and every mistake there is one line."""

import pytest

from semgjax.errors import InputError
from semgjax.parallel.environment import find_processes
from tests.refused import refused

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
    unknown = "WARNING: could not determine TPU worker number, please set env var `TPU_WORKER_ID` manually"
    assert find_processes("auto", {"TPU_WORKER_ID": unknown, "TPU_WORKER_HOSTNAMES": unknown}) is None
    with refused("bad-environment"):
        find_processes("auto", {**GKE, "TPU_WORKER_ID": unknown})
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


def test_the_pods_of_tpu_slices_are_numbered_through():
    found = find_processes("auto", GKE)
    assert found is not None
    assert (found.coordinator, found.count, found.index) == ("a-0.svc:8476", 2, 1)
    slices = {"MEGASCALE_NUM_SLICES": "3", "MEGASCALE_SLICE_ID": "2", "MEGASCALE_COORDINATOR_ADDRESS": "first:99"}
    found = find_processes("auto", {**GKE, **slices})
    assert found is not None
    assert (found.coordinator, found.count, found.index) == ("first:8476", 6, 5)


@pytest.mark.parametrize(
    "partial",
    [
        {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_JOB_NODELIST": "n[1-4]"},  # a shell of salloc
        {"SLURM_JOB_ID": "7", "SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"},  # a batch script
        {**SLURM, "SLURM_STEP_NUM_TASKS": "1"},  # a shell of `srun --pty` keeps the job's count
        {**SLURM, "SLURM_STEP_ID": "4294967290"},  # salloc's own interactive step
        {**SLURM, "SLURM_STEPID": "4294967291"},
        {**SLURM, "SLURM_NTASKS": ""},
        {**SLURM, "SLURM_NTASKS": " "},
        {"SLURM_NTASKS": "2(x2)"},
        {"SLURM_NTASKS": "four", "SLURM_PROCID": "0"},
        {key: value for key, value in SLURM.items() if key != "SLURM_STEP_NODELIST"},
        {key: value for key, value in SLURM.items() if key != "SLURM_PROCID"},
        {"SLURM_STEP_NODELIST": "n1", "SLURM_PROCID": "0"},
        {"SLURM_STEP_NODELIST": "", "SLURM_PROCID": "", "SLURM_NTASKS": "8"},
    ],
)
def test_slurm_variables_of_no_step_of_several_tasks_await_nobody(partial):
    assert find_processes("auto", partial) is None


def test_the_steps_own_count_stands_before_the_jobs():
    found = find_processes("auto", {**SLURM, "SLURM_STEP_NUM_TASKS": "6"})
    assert found is not None and (found.count, found.index) == (6, 5)


@pytest.mark.parametrize(
    ("address", "coordinator"),
    [
        ("[::1]:1234", "[::1]:1234"),
        ("::1", "[::1]:8476"),
        ("[fe80::1]", "[fe80::1]:8476"),
        ("10.0.0.1", "10.0.0.1:8476"),
        ("a-0.svc.cluster.local.:80", "a-0.svc.cluster.local.:80"),
    ],
)
def test_a_coordinator_may_be_of_any_family(address, coordinator):
    given = {"SEMGJAX_PROCESSES": "2", "SEMGJAX_PROCESS": "1", "SEMGJAX_COORDINATOR": address}
    found = find_processes("auto", given)
    assert found is not None and found.coordinator == coordinator


def test_slices_may_name_their_coordinator_by_ipv6():
    slices = {"MEGASCALE_NUM_SLICES": "2", "MEGASCALE_COORDINATOR_ADDRESS": "[::1]:99"}
    found = find_processes("auto", {**GKE, **slices})
    assert found is not None and found.coordinator == "[::1]:8476"


EXPLICIT = {"SEMGJAX_PROCESSES": "2", "SEMGJAX_PROCESS": "0", "SEMGJAX_COORDINATOR": "h"}


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({"SEMGJAX_PROCESSES": "two"}, "SEMGJAX_PROCESSES"),
        ({"SEMGJAX_PROCESSES": "\u0662"}, "SEMGJAX_PROCESSES"),
        ({"SEMGJAX_PROCESSES": "9" * 5000}, "SEMGJAX_PROCESSES"),
        ({"SEMGJAX_PROCESSES": "0", "SEMGJAX_PROCESS": "0", "SEMGJAX_COORDINATOR": "h"}, "SEMGJAX_PROCESSES"),
        ({"SEMGJAX_PROCESSES": "2"}, "SEMGJAX_PROCESS"),
        ({"SEMGJAX_PROCESSES": "2", "SEMGJAX_PROCESS": "0"}, "SEMGJAX_COORDINATOR"),
        ({**EXPLICIT, "SEMGJAX_PROCESS": "2"}, "process 2 of 2"),
        ({**EXPLICIT, "SEMGJAX_COORDINATOR": "h:port"}, "SEMGJAX_COORDINATOR"),
        ({**EXPLICIT, "SEMGJAX_COORDINATOR": "h:70000"}, "SEMGJAX_COORDINATOR"),
        ({**EXPLICIT, "SEMGJAX_COORDINATOR": "h:"}, "SEMGJAX_COORDINATOR"),
        ({**EXPLICIT, "SEMGJAX_COORDINATOR": ":80"}, "SEMGJAX_COORDINATOR"),
        ({**EXPLICIT, "SEMGJAX_COORDINATOR": "[::1"}, "SEMGJAX_COORDINATOR"),
        ({**EXPLICIT, "SEMGJAX_COORDINATOR": "1:2:3"}, "SEMGJAX_COORDINATOR"),
        ({key: value for key, value in SLURM.items() if key != "SLURM_LOCALID"}, "SLURM_LOCALID"),
        ({**SLURM, "SLURM_NTASKS": "2(x2)"}, "SLURM_STEP_NUM_TASKS"),
        ({**SLURM, "SLURM_JOB_ID": "12_3"}, "SLURM_JOB_ID"),
        ({**SLURM, "SLURM_PROCID": "\u0663"}, "SLURM_PROCID"),
        ({**SLURM, "SLURM_STEP_NODELIST": "n[1-"}, "n[1-"),
        ({"TPU_WORKER_HOSTNAMES": "a,b"}, "TPU_WORKER_ID"),
        ({"TPU_WORKER_HOSTNAMES": "a,b", "TPU_WORKER_ID": "first"}, "TPU_WORKER_ID"),
        ({"TPU_WORKER_ID": "junk"}, "TPU_WORKER_ID"),
        ({"TPU_WORKER_HOSTNAMES": "a,b", "TPU_WORKER_ID": "2"}, "TPU_WORKER_ID"),
        ({**GKE, "MEGASCALE_NUM_SLICES": "two"}, "MEGASCALE_NUM_SLICES"),
        ({"MEGASCALE_NUM_SLICES": "two"}, "MEGASCALE_NUM_SLICES"),
        ({**GKE, "MEGASCALE_NUM_SLICES": "2", "MEGASCALE_SLICE_ID": "x"}, "MEGASCALE_SLICE_ID"),
    ],
)
def test_a_variable_that_does_not_fit_is_named(environment, names):
    with pytest.raises(InputError) as caught:
        find_processes("auto", environment)
    assert caught.value.code == "bad-environment"
    assert names in str(caught.value) and "\n" not in str(caught.value)
