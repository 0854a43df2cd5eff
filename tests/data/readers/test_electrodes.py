"""Which channel is which electrode: by band and number in its name, never by the order of text."""

import random

import numpy as np
import pytest

from semgjax.data.readers.electrodes import electrode_order
from semgjax.data.sessions import load_sessions, read_emg
from semgjax.data.shards.ingest import ingest
from semgjax.errors import InputError
from tests.data.edf_files import write_bids
from tests.data.fixtures import random_emg
from tests.data.readers.test_bids import rows

NAMES = {
    "L and R": lambda side, n: f"{side[0].upper()}{n}",
    "words": lambda side, n: f"{side}_{n}",
    "words last": lambda side, n: f"emg{n}_{side}",
    "padded": lambda side, n: f"EMG_{side[0].upper()}{n:02}",
    "from one": lambda side, n: f"{side.title()}{n + 1}",
    "with a prefix": lambda side, n: f"emg{side[0].upper()}{n}",
    "letter last": lambda side, n: f"EMG{n}{side[0].upper()}",
    "shouted": lambda side, n: f"EMG-{side.upper()}-{n}",
    "with blanks": lambda side, n: f"EMG {side} {n}",
}


@pytest.mark.parametrize("form", NAMES)
@pytest.mark.parametrize("order", ["text", "right first", "shuffled"])
def test_bands_and_numbers_are_read_from_the_names_in_any_order(form, order):
    wanted = [NAMES[form](side, number) for side in ("left", "right") for number in range(16)]
    labels = {
        "text": sorted(wanted),
        "right first": wanted[16:] + wanted[:16],
        "shuffled": random.Random(0).sample(wanted, 32),
    }[order]
    assert [labels[place] for place in electrode_order(labels)] == wanted


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b"],
        ["L1", "L1"],
        ["L1", "L3"],
        ["L1", "L2", "R1"],
        ["L1", "2"],
        ["left_right_1", "left_right_2"],
        ["ch1", "ch\u0662"],
    ],
)
def test_names_that_do_not_tell_are_refused(labels):
    with pytest.raises(ValueError):
        electrode_order(labels)


def test_text_sorting_does_not_change_the_signal_and_channels_says_what_names_do_not(tmp_path):
    emg, names = random_emg(500), [f"{side}{n}" for side in "LR" for n in range(1, 17)]
    by_text = sorted(range(32), key=lambda place: names[place])
    write_bids(tmp_path / "a", "7", "2", emg[:, by_text], rows([(0.1, "a")]), labels=[names[i] for i in by_text])
    ingest(tmp_path / "a", tmp_path / "from-names")
    nameless = [f"wrist {'abcdefghijklmnopqrstuvwxyzABCDEF'[i]}" for i in range(32)]
    write_bids(tmp_path / "b", "7", "2", emg[:, ::-1], rows([(0.1, "a")]), labels=nameless)
    with pytest.raises(InputError) as caught:
        ingest(tmp_path / "b", tmp_path / "refused")
    assert caught.value.code == "electrode-order"
    ingest(tmp_path / "b", tmp_path / "given", channels=nameless[::-1])
    for out in ("from-names", "given"):
        (session,) = load_sessions(tmp_path / out)
        np.testing.assert_allclose(read_emg(session, 0, 500), emg, rtol=2.0**-10, atol=0.6 / 256)


@pytest.mark.parametrize("channels", [["L1"], ["L1"] * 32, [f"no{n}" for n in range(32)]])
def test_channels_that_the_file_has_not_are_refused(tmp_path, channels):
    write_bids(tmp_path / "a", "7", "2", random_emg(500), rows([(0.1, "a")]))
    with pytest.raises(InputError) as caught:
        ingest(tmp_path / "a", tmp_path / "out", channels=channels)
    assert caught.value.code in ("bad-value", "electrode-order") and not (tmp_path / "out").exists()


def test_channels_that_the_table_beside_the_signal_does_not_call_emg_are_none(tmp_path):
    emg = np.concatenate([random_emg(500), random_emg(500)[:, :2]], axis=1)
    labels = [f"{side}{n}" for side in "LR" for n in range(1, 17)] + ["light", "grip"]
    folder = write_bids(tmp_path / "a", "7", "2", emg, rows([(0.1, "a")]), labels=labels)
    with pytest.raises(InputError) as caught:
        ingest(folder, tmp_path / "out")
    assert caught.value.code == "channel-count"
    lines = ["name\ttype\tunits", *(f"{name}\tEMG\tuV" for name in labels[:32]), "light\tMISC\tuV", "grip\tMISC\tuV"]
    table = next(folder.rglob("*.bdf")).with_name("sub-7_ses-2_task-typing_channels.tsv")
    table.write_text("\n".join(lines))
    assert ingest(folder, tmp_path / "out").made == 1
    table.write_text("\n".join(lines[:-1]))
    with pytest.raises(InputError) as caught:
        ingest(folder, tmp_path / "new")
    assert caught.value.code == "no-column"
