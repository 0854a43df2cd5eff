"""The storage: its error bound, its scale, and the header record."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from semgjax.data.readers.recording import array_recording
from semgjax.data.shards.shard_format import (
    ABSOLUTE_ERROR,
    LARGEST,
    RELATIVE_ERROR,
    decode,
    encode,
    header_of,
    pack,
    scale_for,
    unpack,
)
from tests.refused import refused

PATH = Path("x.arrayrecord")


def header():
    recording = array_recording(np.zeros((2500, 3)), 500.0, [(1.0, "up"), (0.5, "down")], "s", "u", ("up", "down"))
    return header_of(recording, "ab" * 32, 0.5)


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e3, 1e-30, 1e20])
@pytest.mark.parametrize("spike", [1, 1000])
def test_what_is_stored_differs_from_its_source_by_no_more_than_the_bound_says(unit, spike):
    rng = np.random.default_rng(0)
    emg = (rng.normal(0, 14, (4000, 32)) * 10.0 ** rng.uniform(-9, 0, (4000, 32)) * unit).astype(np.float32)
    emg[7, 3] = np.float32(900 * unit * spike)
    scale = scale_for(float(np.abs(emg).max()))
    found = decode(encode(emg, scale), scale)
    bound = np.maximum(RELATIVE_ERROR * np.abs(emg.astype(np.float64)), ABSOLUTE_ERROR * scale)
    error = np.abs(found.astype(np.float64) - emg)
    assert found.dtype == np.float32
    assert (error <= bound).all()
    assert (error > 0.9 * bound).any()  # a smaller bound would not hold


@pytest.mark.parametrize("peak", [0.0, 1.0, 14.0, 900.0, LARGEST])
def test_a_signal_in_microvolts_is_stored_in_its_own_unit(peak):
    assert scale_for(peak) == 1


@pytest.mark.parametrize("peak", [1e-6, 0.99, 65505.0, 1e9, 3e38])
def test_another_signal_is_scaled_by_a_power_of_two_to_the_upper_half_of_the_range(peak):
    scale = scale_for(peak)
    assert np.frexp(scale)[0] == 0.5
    assert 2**14 <= peak / scale < 2**15


def test_a_header_is_read_as_it_was_written():
    one = header()
    other = unpack(pack(one), PATH)
    for field in dataclasses.fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b, field.name
    assert other.labels.tolist() == [1, 0]
    assert other.records == 1 + 10


def test_only_a_shard_without_labels_is_of_version_3_and_says_so():
    whole = header()
    bare = dataclasses.replace(
        whole, labels=whole.labels[:0], key_first=whole.key_first[:0], key_last=whole.key_last[:0],
        key_end=whole.key_end[:0], labelled=False,
    )  # fmt: skip
    facts = [json.loads(pack(one).partition(b"\n")[0]) for one in (whole, bare)]
    assert [one["version"] for one in facts] == [2, 3]
    assert "labelled" not in facts[0] and facts[1]["labelled"] is False
    assert unpack(pack(whole), PATH).labelled and not unpack(pack(bare), PATH).labelled


@pytest.mark.parametrize("change", [{"labelled": None}, {"labelled": 0}, {"version": 3, "labelled": False}])
def test_labels_in_a_shard_that_says_it_has_none_are_damage(change):
    line, _, rest = pack(header()).partition(b"\n")
    facts = {**json.loads(line), "version": 3, **change}
    with refused("damaged"):
        unpack(json.dumps(facts).encode() + b"\n" + rest, PATH)


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("schema", "semgjax/split", "wrong-schema"),
        ("version", 4, "wrong-version"),
        ("storage", "int16", "wrong-version"),
        ("keys", 3, "damaged"),
        ("keys", -1, "damaged"),
        ("samples", 0, "damaged"),
        ("stretch", "many", "damaged"),
        ("classes", {"a": 1}, "damaged"),
        ("rings", [1], "damaged"),
        ("joints", [0], "damaged"),
        ("origin_samples", -1, "damaged"),
    ],
)
def test_another_header_is_refused_by_the_files_name(member, value, code):
    line, _, rest = pack(header()).partition(b"\n")
    changed = json.dumps(json.loads(line) | {member: value}).encode() + b"\n" + rest
    with refused(code) as caught:
        unpack(changed, PATH)
    assert str(caught.value).startswith("x.arrayrecord: ")


def test_a_header_of_version_1_has_default_rings_and_no_known_ends():
    line, _, rest = pack(header()).partition(b"\n")
    facts = json.loads(line)
    for name in ("rings", "joints", "origin", "origin_samples", "doubled"):
        del facts[name]
    old = json.dumps(facts | {"version": 1}).encode() + b"\n" + rest[: -8 * facts["keys"]]
    found = unpack(old, PATH)
    assert (found.rings, found.joints, found.origin, found.doubled) == ((facts["channels"],), (), "", 0)
    assert found.labels.tolist() == [1, 0] and found.key_end.tolist() == [-1, -1]


@pytest.mark.parametrize("record", [b"", b"\xff\n", b"[1]\n", b"{}\n"])
def test_a_record_that_is_no_header_is_refused(record):
    with refused("wrong-schema"):
        unpack(record, PATH)
