"""BDF files: samples in microvolts, and a header that is not believed."""

import numpy as np
import pytest

from semgjax.data.readers.edf import edf_blocks, read_edf
from semgjax.errors import InputError
from tests.data.edf_files import write_edf
from tests.data.fixtures import random_emg
from tests.refused import refused


@pytest.mark.parametrize(("unit", "factor"), [("uV", 1.0), ("mV", 1e3), ("V", 1e6)])
@pytest.mark.parametrize("block", [1, 500, 700, 10_000])
def test_samples_are_read_in_microvolts_in_blocks_of_any_length(tmp_path, unit, factor, block):
    emg = random_emg(3000).astype(np.float64)
    emg[17, 3], emg[2999, 31] = 900, -900
    bdf = read_edf(write_edf(tmp_path / "a.bdf", emg, unit=unit))
    assert (bdf.rate, bdf.samples, len(bdf.channels)) == (2000, 3000, 32)
    found = np.concatenate(list(edf_blocks(bdf, list(range(32)), block)))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, emg * factor, atol=0.51 / 256 * factor)


def test_channels_come_in_the_order_asked_for_and_annotations_are_no_channel(tmp_path):
    emg = random_emg(1000)[:, :4]
    bdf = read_edf(write_edf(tmp_path / "a.bdf", emg, labels=["a", "b", "c", "Status"]))
    assert [channel.label for channel in bdf.channels] == ["a", "b", "c"]
    found = np.concatenate(list(edf_blocks(bdf, [2, 0], 500)))
    np.testing.assert_allclose(found, emg[:, [2, 0]], atol=0.51 / 256)


@pytest.mark.parametrize("digital", [(-(2**23), 2**23 - 1), (-1_000_000, 3_000_000)])
def test_the_headers_ranges_scale_and_shift_the_numbers(tmp_path, digital):
    emg = random_emg(500)[:, :2] * 50
    bdf = read_edf(write_edf(tmp_path / "a.bdf", emg, digital=digital))
    found = np.concatenate(list(edf_blocks(bdf, [0, 1], 500)))
    np.testing.assert_allclose(found, emg, atol=0.51 / 256)


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        (0, b"8", "bad-header"),
        (184, b"512     ", "bad-header"),
        (184, b"many    ", "bad-header"),
        (236, b"-2      ", "bad-header"),
        (244, b"0       ", "bad-header"),
        (252, b"xx  ", "bad-header"),
        (252, b"9999", "bad-header"),
        (256 + 3 * 96, b"degC    ", "unknown-unit"),
        (256 + 3 * 104, b"nan     ", "bad-header"),
        (256 + 3 * 104, None, "bad-header"),
        (256 + 3 * 216, b"0       ", "bad-header"),
    ],
)
def test_a_header_that_cannot_be_is_refused_by_the_files_name(tmp_path, place, value, code):
    path = write_edf(tmp_path / "a.bdf", random_emg(1000)[:, :2])
    content = bytearray(path.read_bytes())
    if value is None:  # an empty range: the least value is the largest
        high = 256 + 3 * 112
        content[place : place + 8] = content[high : high + 8]
    else:
        content[place : place + len(value)] = value
    path.write_bytes(content)
    with refused(code) as caught:
        read_edf(path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)


def test_a_file_cut_anywhere_and_a_missing_one_are_refused(tmp_path):
    path = write_edf(tmp_path / "a.bdf", random_emg(1000)[:, :2])
    whole = path.read_bytes()
    for size in range(0, len(whole), 211):
        path.write_bytes(whole[:size])
        with refused("bad-header", str(path)):
            read_edf(path)
    with pytest.raises(InputError) as caught:
        read_edf(tmp_path / "none.bdf")
    assert caught.value.code == "no-file"


def test_a_count_of_records_that_was_not_known_is_inferred_from_the_size(tmp_path):
    path = write_edf(tmp_path / "a.bdf", random_emg(3000)[:, :2])
    content = bytearray(path.read_bytes())
    known = read_edf(path)
    content[236:244] = b"-1      "
    path.write_bytes(content)
    assert (read_edf(path).records, read_edf(path).samples) == (known.records, 3000)


@pytest.mark.parametrize(
    "unit", [b"uV", b"uv", b"UV", b"microV", b"\xb5V", b"\xc2\xb5V", b"\xce\xbcV", b"uV\0\0\0\0\0"]
)
def test_microvolts_are_known_in_all_their_spellings(tmp_path, unit):
    path = write_edf(tmp_path / "a.bdf", random_emg(1000)[:, :2])
    before = read_edf(path).channels
    content = bytearray(path.read_bytes())
    for index in range(2):
        at = 256 + 3 * 96 + 8 * index
        content[at : at + 8] = unit.ljust(8)
    path.write_bytes(content)
    assert read_edf(path).channels == before


def test_sixteen_bit_edf_gives_the_same_microvolts(tmp_path):
    emg = random_emg(1000)[:, :4]
    edf = read_edf(write_edf(tmp_path / "a.edf", emg, bits=16, gain=1 / 16))
    assert (edf.rate, edf.samples, len(edf.channels)) == (2000, 1000, 4)
    found = np.concatenate(list(edf_blocks(edf, list(range(4)), 300)))
    np.testing.assert_allclose(found, emg, atol=0.51 / 16)


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize(
    ("gaps", "code"),
    [((0, 0, 0), ""), ((1.5, 0, 0), ""), ((0, 3, 0), "gap-in-signal"), ((0, 0, -0.1), "gap-in-signal")],
)
def test_records_with_a_gap_between_them_are_refused_and_continuous_ones_read(tmp_path, bits, gaps, code):
    path = write_edf(tmp_path / "a.bdf", random_emg(1500)[:, :2], bits=bits, gaps=gaps)
    if not code:
        assert read_edf(path).samples == 1500
        return
    with pytest.raises(InputError) as caught:
        read_edf(path)
    assert caught.value.code == code


@pytest.mark.parametrize("said", ["-1", "1", "7", "99999"])
def test_a_wrong_count_of_records_is_told(tmp_path, said):
    edf = read_edf(write_edf(tmp_path / "a.bdf", random_emg(1500)[:, :2], records=said))
    assert edf.samples == 1500 and len(edf.remarks) == 1


NO_SIGNALS = [
    "Status",
    "STATUS",
    "status\0\0",
    "BDF Annotations",
    "EDF Annotations",
    "Annotation",
    "TRIG",
    "Trigger 1",
    "STI 014",
    "Marker",
    "Event",
]


@pytest.mark.parametrize("label", NO_SIGNALS)
def test_annotations_triggers_and_status_are_no_channels_however_they_are_called(tmp_path, label):
    edf = read_edf(write_edf(tmp_path / "a.bdf", random_emg(500)[:, :3], labels=["L1", label, "R1"], annotations=False))
    assert [channel.label for channel in edf.channels] == ["L1", "R1"]
