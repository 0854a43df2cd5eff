"""Slices by name, and addresses in buckets."""

import pytest

from launch.slices import one_bucket, place_of, slice_of
from tests.refused import refused


@pytest.mark.parametrize(
    ("name", "chips", "hosts", "topology", "accelerator"),
    [
        ("v4-8", 4, 1, "2x2x1", "v4-8"),
        ("v5e-8", 8, 1, "2x4", "v5litepod-8"),
        ("v5e-16", 16, 4, "4x4", "v5litepod-16"),
        ("v5e-256", 256, 64, "16x16", "v5litepod-256"),
        ("v5p-128", 64, 16, "4x4x4", "v5p-128"),
        ("v6e-8", 8, 1, "2x4", "v6e-8"),
    ],
)
def test_a_slice_has_the_hosts_and_names_that_the_makers_pages_give(name, chips, hosts, topology, accelerator):
    found = slice_of(name)
    assert (found.chips, found.hosts, found.topology, found.accelerator_type) == (chips, hosts, topology, accelerator)
    assert found.chips_per_host * found.hosts == found.chips


@pytest.mark.parametrize("name", ["v5e-12", "h100-8"])
def test_what_is_no_slice_is_refused(name):
    with refused("unknown-name", name):
        slice_of(name)


def test_an_address_is_taken_apart_and_put_under_a_mount():
    place = place_of("--place", "gs://my-bucket/sweeps/my sweep/")
    assert (place.bucket, place.under("/bucket")) == ("my-bucket", "/bucket/sweeps/my sweep")


@pytest.mark.parametrize("address", ["/local/path", "gs://", "gs://bucket", "gs://b/", "gs://lab/a/../b", "gs://A B/c"])
def test_what_is_no_address_is_refused(address):
    with refused("bad-path", address):
        place_of("--place", address)


def test_two_buckets_are_refused():
    with refused("conflict", "gs://one/a", "gs://two/b"):
        one_bucket("gs://one/a", "gs://two/b")
