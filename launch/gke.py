"""A sweep on a GKE cluster with JobSet and Kueue: one JobSet per trial; writes OUT/queue.yaml and OUT/trials-*.yaml.

    python -m launch.gke SWEEP --topology v5e-16 --place gs://BUCKET/sweeps/NAME --data gs://BUCKET/sessions \\
        --image REGION-docker.pkg.dev/PROJECT/REPO/semgjax:TAG --out DIR

Kueue admits a JobSet when a slice is free; every host of the slice runs the same command, and GKE's variables in the
pods make them one process group. Exit code 75 and a preempted node restart a trial without counting,
70 (diverged) and 2 (bad input) end it, any other failure counts against the restarts.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from launch.quote import local_path, shell_line, yaml_list, yaml_text, yaml_word
from launch.slices import Slice, one_bucket, slice_of
from semgjax.cli.terminal import prepare, say
from semgjax.errors import InputError, SemgjaxError
from semgjax.files import write_atomic
from semgjax.sweep.plan import Sweep, Trial, check_fixed, read_sweep

MOUNT = "/bucket"


@dataclass(frozen=True)
class Target:
    """Place and account of the trials."""

    sweep: tyro.conf.Positional[Path]
    """local sweep directory"""
    topology: str
    """slice of every trial, such as v5e-8 (one host) or v5e-16 (four)"""
    place: str
    """where the sweep directory is (or will be copied to), gs://BUCKET/PATH"""
    data: str
    """where the folder of sessions is, gs://BUCKET/PATH, in the same bucket"""
    image: str
    """container image (launch/Containerfile)"""
    out: Path
    """folder for the rendered files"""
    namespace: str = "default"
    """namespace of the JobSets and the queue"""
    service_account: str = "semgjax"
    """Kubernetes service account that may read and write the bucket"""
    queue: str = "tpu"
    """Kueue's local queue"""
    slices: int = 1
    """number of slices that the queue may use at a time"""
    spot: bool = False
    """use spot nodes"""
    retries: int = 2
    """how often a failed trial is retried"""
    cores: int = 1
    """processor cores of a trial, which affect the last bits on CPUs"""


def render(target: Target) -> dict[str, str]:
    """File name -> text: queue.yaml, and trials-N.yaml, where file N + 1 has the students of file N.

    Raises:
        InputError: no sweep, an unknown slice, or names that Kubernetes or the bucket would refuse.
    """
    sweep, shape = read_sweep(target.sweep), slice_of(target.topology)
    check_fixed(sweep, "GKE")
    for option, name in (("--namespace", target.namespace), ("--queue", target.queue)):
        _check_name(option, name)
    _check_name("--service-account", target.service_account)
    if not target.image.strip() or target.slices < 1 or target.retries < 0 or target.cores < 1:
        raise InputError(
            "--image, --slices, --retries or --cores: give an image, 1 or more slices and cores", "bad-value"
        )
    levels: dict[int, list[str]] = {}
    for trial in sweep.trials:
        levels.setdefault(_level(trial), []).append(_jobset(target, sweep, trial, shape))
    files = {f"trials-{level}.yaml": "---\n".join(texts) for level, texts in sorted(levels.items())}
    return {"queue.yaml": _queue(target, shape), **files}


def trial_command(target: Target, trial: Trial) -> list[str]:
    """The command of every pod of a trial."""
    sweep, data = one_bucket(target.place, target.data)
    where = [sweep.under(MOUNT), "--trial", trial.id, "--data", data.under(MOUNT), "--cores", str(target.cores)]
    return ["python", "-m", "semgjax", "sweep", "run", *where]


def _jobset(target: Target, sweep: Sweep, trial: Trial, shape: Slice) -> str:
    bucket = one_bucket(target.place, target.data)[0].bucket
    spot = '\n                cloud.google.com/gke-spot: "true"' if target.spot else ""
    return f"""\
apiVersion: jobset.x-k8s.io/v1alpha2
kind: JobSet
metadata:
  name: {_name(sweep, trial)}
  namespace: {yaml_word(target.namespace)}
  labels:
    kueue.x-k8s.io/queue-name: {yaml_word(target.queue)}
  annotations:
    semgjax/sweep: {yaml_text(sweep.name)}
    semgjax/trial: {yaml_text(trial.id)}
    alpha.jobset.sigs.k8s.io/exclusive-topology: cloud.google.com/gke-nodepool
spec:
  ttlSecondsAfterFinished: 604800
  failurePolicy:
    maxRestarts: {target.retries}
    rules:
      - name: preempted
        action: RestartJobSetAndIgnoreMaxRestarts
        onJobFailureReasons: [PodFailurePolicy]
        onJobFailureMessagePatterns: ["exit code 75 ", "DisruptionTarget"]
      - name: ended
        action: FailJobSet
        onJobFailureReasons: [PodFailurePolicy]
        onJobFailureMessagePatterns: ["exit code (2|70) "]
  replicatedJobs:
    - name: slice
      replicas: 1
      template:
        spec:
          completionMode: Indexed
          parallelism: {shape.hosts}
          completions: {shape.hosts}
          backoffLimit: 0
          podFailurePolicy:
            rules:
              - action: FailJob
                onExitCodes: {{containerName: trial, operator: In, values: [2, 70, 75]}}
              - action: FailJob
                onPodConditions: [{{type: DisruptionTarget, status: "True"}}]
          template:
            metadata:
              annotations:
                gke-gcsfuse/volumes: "true"
            spec:
              restartPolicy: Never
              serviceAccountName: {yaml_word(target.service_account)}
              terminationGracePeriodSeconds: 120
              nodeSelector:
                cloud.google.com/gke-tpu-accelerator: {shape.gke_accelerator}
                cloud.google.com/gke-tpu-topology: {shape.topology}{spot}
              containers:
                - name: trial
                  image: {yaml_text(target.image)}
                  command: {yaml_list(trial_command(target, trial))}
                  env:
                    - name: SEMGJAX_PLACE
                      value: {yaml_text(f"JobSet {_name(sweep, trial)}")}
                  ports:
                    - containerPort: 8471
                    - containerPort: 8476
                  resources:
                    limits:
                      google.com/tpu: {shape.chips_per_host}
                  volumeMounts:
                    - name: bucket
                      mountPath: {MOUNT}
              volumes:
                - name: bucket
                  csi:
                    driver: gcsfuse.csi.storage.gke.io
                    volumeAttributes:
                      bucketName: {yaml_text(bucket)}
                      mountOptions: implicit-dirs
"""


def _queue(target: Target, shape: Slice) -> str:
    flavor = f"{shape.name}{'-spot' if target.spot else ''}"
    spot = '\n    cloud.google.com/gke-spot: "true"' if target.spot else ""
    return f"""\
apiVersion: kueue.x-k8s.io/v1beta1
kind: ResourceFlavor
metadata:
  name: {flavor}
spec:
  nodeLabels:
    cloud.google.com/gke-tpu-accelerator: {shape.gke_accelerator}
    cloud.google.com/gke-tpu-topology: {shape.topology}{spot}
---
apiVersion: kueue.x-k8s.io/v1beta1
kind: ClusterQueue
metadata:
  name: {yaml_word(target.queue)}
spec:
  namespaceSelector: {{}}
  resourceGroups:
    - coveredResources: [google.com/tpu]
      flavors:
        - name: {flavor}
          resources:
            - name: google.com/tpu
              nominalQuota: {target.slices * shape.chips}
---
apiVersion: kueue.x-k8s.io/v1beta1
kind: LocalQueue
metadata:
  name: {yaml_word(target.queue)}
  namespace: {yaml_word(target.namespace)}
spec:
  clusterQueue: {yaml_word(target.queue)}
"""


def _level(trial: Trial) -> int:
    return 0 if trial.teacher is None else 1 + _level(trial.teacher)


def _name(sweep: Sweep, trial: Trial) -> str:
    """A name that Kubernetes accepts, the same at every rendering; the hash makes it unique."""
    slug = re.sub(r"[^a-z0-9]+", "-", sweep.name.lower()).strip("-")[:20].strip("-") or "sweep"
    return f"{slug if slug[0].isalpha() else f's-{slug}'}-{sweep.trials.index(trial):03d}-{trial.config.hash[:8]}"


def _check_name(option: str, name: str) -> None:
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,50}[a-z0-9])?", name):
        raise InputError(
            f"{option} {name!r}: Kubernetes requires small letters, digits and dashes, a letter first", "bad-name"
        )


def main(target: Target) -> None:
    """Write the files and print the next commands."""
    files = render(target)
    for name, text in files.items():
        write_atomic(target.out / name, text)
    shape = slice_of(target.topology)
    print(
        f"{len(read_sweep(target.sweep).trials)} trials on {shape.name}: {shape.hosts} hosts, {shape.chips} chips each"
    )
    print(shell_line(["gcloud", "storage", "rsync", "--recursive", local_path(target.sweep), target.place]))
    for name in files:
        print(shell_line(["kubectl", "apply", "--filename", local_path(target.out / name)]))
    if "trials-1.yaml" in files:
        print("(each file after trials-0.yaml when the teachers before it are done: semgjax sweep status)")


if __name__ == "__main__":
    prepare()
    try:
        main(tyro.cli(Target, prog="python -m launch.gke"))
    except SemgjaxError as error:
        say(f"launch.gke: error: {error}", error=True)
        sys.exit(error.exit_code)
