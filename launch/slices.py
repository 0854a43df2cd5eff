"""TPU slices by name: hosts, and their names in Google Cloud and GKE; and addresses in buckets."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from semgjax.errors import InputError
from semgjax.parallel.hardware import topology


@dataclass(frozen=True)
class Slice:
    """One whole slice."""

    name: str
    chips: int
    hosts: int
    topology: str
    """chips along each axis, as in GKE's node label"""
    accelerator_type: str
    """accelerator type of a queued resource (TPU VM)"""
    runtime: str
    """software version of a TPU VM"""
    gke_accelerator: str
    """GKE's node label"""

    @property
    def chips_per_host(self) -> int:
        """Chips of one host, which is one pod and one process."""
        return self.chips // self.hosts


# family -> (TPU VM prefix, what its number counts per chip, TPU VM software, GKE label, most chips on a single host)
_FAMILIES = {
    "v4": ("v4", 2, "tpu-ubuntu2204-base", "tpu-v4-podslice", 4),
    "v5e": ("v5litepod", 1, "v2-alpha-tpuv5-lite", "tpu-v5-lite-podslice", 8),
    "v5p": ("v5p", 2, "v2-alpha-tpuv5", "tpu-v5p-slice", 4),
    "v6e": ("v6e", 1, "v2-alpha-tpuv6e", "tpu-v6e-slice", 8),
}
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")  # none may be in a bucket's names
_CHIPS_PER_HOST = 4  # in a slice of several hosts


def slice_of(name: str) -> Slice:
    """The slice called `name`; chips and layout are those of semgjax.parallel.hardware.

    Raises:
        InputError: an unknown slice ("unknown-name").
    """
    found = topology(name)
    if found.layout is None:
        raise InputError(f"--topology {name}: is not a TPU slice; choose one such as v5e-8 or v5e-16", "unknown-name")
    family, _, axes = found.layout.partition(":")
    prefix, unit, runtime, label, single = _FAMILIES[family]
    hosts = 1 if found.devices <= single else found.devices // _CHIPS_PER_HOST
    return Slice(name, found.devices, hosts, axes, f"{prefix}-{found.devices * unit}", runtime, label)


@dataclass(frozen=True)
class Place:
    """A folder in a bucket."""

    bucket: str
    path: PurePosixPath

    def under(self, mount: str) -> str:
        """Its path on a machine that mounts the bucket at `mount`."""
        return str(PurePosixPath(mount) / self.path)


def place_of(option: str, address: str) -> Place:
    """The bucket and path of gs://BUCKET/PATH.

    Raises:
        InputError: the address has another form ("bad-path").
    """
    match = re.fullmatch(r"gs://([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])/(.*[^/])/*", address)
    if match is None or ".." in match[2].split("/") or _CONTROLS.search(address):
        raise InputError(f"{option} {address}: write gs://BUCKET/PATH", "bad-path")
    return Place(match[1], PurePosixPath(match[2]))


def one_bucket(sweep: str, data: str) -> tuple[Place, Place]:
    """The folders of the sweep and of the sessions.

    Raises:
        InputError: they are not in one bucket.
    """
    places = place_of("--place", sweep), place_of("--data", data)
    if places[0].bucket != places[1].bucket:
        raise InputError(f"--place {sweep} and --data {data}: are in two buckets; use one bucket", "conflict")
    return places
