"""A sweep on Cloud TPU VMs by queued resources; writes OUT/create.sh, OUT/startup.sh and OUT/delete.sh.

    python -m launch.tpu_vm SWEEP --topology v5e-8 --workers 4 --zone ZONE --place gs://BUCKET/sweeps/NAME \\
        --data gs://BUCKET/sessions --package gs://BUCKET/semgjax-0.1.0-py3-none-any.whl --out DIR

Each worker is a slice with its share of the trials. A slice of one host runs a trial per chip; the hosts of a larger
one run each trial together, as one process group. create.sh can be run again at any time: it skips workers
that exist and restores those that were preempted.
"""

import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from launch.quote import local_path, shell_line
from launch.slices import Slice, one_bucket, slice_of
from semgjax.cli.terminal import prepare, say
from semgjax.errors import InputError, SemgjaxError
from semgjax.files import write_atomic
from semgjax.sweep.plan import Sweep, check_fixed, read_sweep, share_of

MOUNT = "/mnt/bucket"


@dataclass(frozen=True)
class Target:
    """The slices, and the places of sweep and sessions."""

    sweep: tyro.conf.Positional[Path]
    """local sweep directory"""
    topology: str
    """slice of each worker, such as v5e-8 (one host, a trial per chip) or v5e-16 (four hosts, one trial)"""
    zone: str
    """Google Cloud's zone"""
    place: str
    """where the sweep directory is (or will be copied to), gs://BUCKET/PATH"""
    data: str
    """where the folder of sessions is, gs://BUCKET/PATH, in the same bucket"""
    package: str
    """what pip installs, with its extra: a version such as semgjax==0.1.0, or a wheel gs://BUCKET/PATH.whl"""
    out: Path
    """folder for the rendered files"""
    workers: int = 1
    """number of slices"""
    name: str = "semgjax"
    """prefix of the names of the queued resources"""
    capacity: Literal["spot", "reserved", "on-demand"] = "spot"
    """how the slices are paid for"""
    service_account: str | None = None
    """e-mail of the account that may read and write the bucket (default: the project's own)"""
    retries: int = 2
    """how often a failed trial is retried"""
    cores: int = 1
    """processor cores of a trial"""


def render(target: Target) -> dict[str, str]:
    """File name -> text.

    Raises:
        InputError: no sweep, an unknown slice, or names that Google Cloud would refuse.
    """
    sweep, shape = read_sweep(target.sweep), slice_of(target.topology)
    check_fixed(sweep, "a TPU VM's start-up script")
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,40}[a-z0-9])?", target.name):
        raise InputError(
            f"--name {target.name!r}: Google Cloud requires small letters, digits and dashes, a letter first",
            "bad-name",
        )
    if target.workers < 1 or target.retries < 0 or target.cores < 1:
        raise InputError(
            f"--workers {target.workers}, --retries, --cores: give 1 or more (retries: 0 or more)", "bad-value"
        )
    for option, value in (("--zone", target.zone), ("--package", target.package)):
        if not value.strip() or value.startswith("-") or not value.isprintable():
            raise InputError(f"{option} {value!r}: is not a name; give one", "bad-value")
    return {
        "create.sh": _create(target, shape),
        "startup.sh": _startup(target, sweep, shape),
        "delete.sh": _delete(target),
    }


def _create(target: Target, shape: Slice) -> str:
    words = [f"--zone={target.zone}", f"--accelerator-type={shape.accelerator_type}"]
    words.append(f"--runtime-version={shape.runtime}")
    words += [f"--{target.capacity}"] if target.capacity != "on-demand" else []
    words += [f"--service-account={target.service_account}"] if target.service_account else []
    return f"""#!/usr/bin/env bash
# Ask for {target.workers} slices {shape.name} and start the sweep on them; run it again to bring back preempted ones.
set -euo pipefail
here="$(cd "$(dirname "${{BASH_SOURCE[0]}}")" && pwd)"
resources() {{ gcloud compute tpus queued-resources "$@" {shlex.quote(f"--zone={target.zone}")}; }}

for worker in $(seq 0 {target.workers - 1}); do
  name="{target.name}-$worker"
  state="$(resources list --filter="name~/$name\\$" --format='value(state.state)')"
  case "$state" in
    SUSPENDED | FAILED) resources delete "$name" --quiet --force ;;
    "") ;;
    *)
      echo "$name: $state"
      continue
      ;;
  esac
  gcloud compute tpus queued-resources create "$name" --node-id="$name" \\
    {shlex.join(words)} \\
    --metadata="semgjax-worker=$worker" --metadata-from-file="startup-script=$here/startup.sh"
done
"""


def _delete(target: Target) -> str:
    return f"""#!/usr/bin/env bash
# Give the slices back; what the trials saved stays in the bucket.
set -euo pipefail
for worker in $(seq 0 {target.workers - 1}); do
  gcloud compute tpus queued-resources delete "{target.name}-$worker" \\
    {shlex.quote(f"--zone={target.zone}")} --quiet --force
done
"""


def _startup(target: Target, sweep: Sweep, shape: Slice) -> str:
    place, data = one_bucket(target.place, target.data)
    run = _together(target, sweep) if shape.hosts > 1 else _apart(target, shape)
    return f"""#!/usr/bin/env bash
# shellcheck disable=SC2016  # names stand as they are, dollar signs too
# Runs as root on every host of a slice at every start: the worker's share of the sweep {_comment(sweep.name)}.
set -uo pipefail
exec 9>/run/semgjax.lock
flock --nonblock 9 || exit 0
worker="$(curl --silent --fail --header 'Metadata-Flavor: Google' \\
  http://metadata.google.internal/computeMetadata/v1/instance/attributes/semgjax-worker)" || exit 1
export SEMGJAX_PLACE="worker $worker"
bucket={shlex.quote(place.bucket)}
mount={shlex.quote(MOUNT)}
sweep={shlex.quote(place.under(MOUNT))}
data={shlex.quote(data.under(MOUNT))}
package={shlex.quote(target.package)}

if ! command -v gcsfuse >/dev/null; then
  repository="https://packages.cloud.google.com/apt"
  curl --silent --fail "$repository/doc/apt-key.gpg" >/usr/share/keyrings/google-cloud.asc || exit 1
  echo "deb [signed-by=/usr/share/keyrings/google-cloud.asc] $repository gcsfuse-$(lsb_release -cs) main" \\
    >/etc/apt/sources.list.d/gcsfuse.list
  apt-get update --quiet && apt-get install --quiet --yes gcsfuse || exit 1
fi
mkdir -p "$mount"
mountpoint --quiet "$mount" || gcsfuse --implicit-dirs "$bucket" "$mount" || exit 1

if [ ! -x /opt/semgjax/bin/semgjax ]; then
  apt-get update --quiet && apt-get install --quiet --yes python3-venv || exit 1
  case "$package" in
    gs://*.whl)
      gcloud storage cp "$package" /tmp/ || exit 1
      package="/tmp/$(basename "$package")"
      ;;
  esac
  python3 -m venv /opt/semgjax && /opt/semgjax/bin/pip install --quiet "$package" 'jax[tpu]' || exit 1
fi
# A killed process leaves it behind, and the next would find no chips.
rm -f /tmp/libtpu_lockfile

{run}"""


def _apart(target: Target, shape: Slice) -> str:
    chips = ",".join(map(str, range(shape.chips)))
    words = f"--chips {chips} --cores {target.cores} --retries {target.retries}"
    return f"""# One trial per chip; 75 means that the machine was asked to stop, and is about to.
/opt/semgjax/bin/semgjax sweep run "$sweep" --data "$data" --share "$worker/{target.workers}" {words}
echo "worker $worker: exit code $?"
"""


def _together(target: Target, sweep: Sweep) -> str:
    shares = []
    for worker in range(target.workers):
        trials = shlex.join(trial.id for trial in share_of(sweep, worker, target.workers))
        shares.append(f"  {worker}) trials=({trials}) ;;")
    cases = "\n".join(shares)
    return f"""# All hosts run each trial together, in the same order; a finished one ends at once.
trials=()
case "$worker" in
{cases}
esac
for trial in "${{trials[@]}}"; do
  failures=0
  while [ "$failures" -le {target.retries} ]; do
    /opt/semgjax/bin/semgjax sweep run "$sweep" --data "$data" --trial "$trial" --cores {target.cores} --start tpu
    code=$?
    echo "worker $worker, trial $trial: exit code $code"
    case "$code" in
      0 | 2 | 70) break ;;
      75) sleep 10 ;;
      *) failures=$((failures + 1)) ;;
    esac
  done
done
"""


def _comment(text: str) -> str:
    return re.sub(r"[^\w .,:+-]", "?", text)


def main(target: Target) -> None:
    """Write the files and print the next commands."""
    for name, text in render(target).items():
        path = target.out / name
        write_atomic(path, text)
        path.chmod(0o755)
    print(shell_line(["gcloud", "storage", "rsync", "--recursive", local_path(target.sweep), target.place]))
    print(shell_line([str((target.out / "create.sh").resolve())]))


if __name__ == "__main__":
    prepare()
    try:
        main(tyro.cli(Target, prog="python -m launch.tpu_vm"))
    except SemgjaxError as error:
        say(f"launch.tpu_vm: error: {error}", error=True)
        sys.exit(error.exit_code)
