"""The ledger of forecasts: a chain in which every change shows."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from semgjax.scaling.ledger.ledger_file import START, append, check_head, open_ledger, read_ledger
from tests.refused import refused

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "forecasts.jsonl"
    for number in range(4):
        with open_ledger(path) as entries:
            append(path, entries, "forecast", {"value": float(number)}, NOON + timedelta(hours=number))
    return path


def test_every_line_has_the_hash_of_the_one_before(ledger):
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert [line["previous"] for line in lines] == [START, *(line["sha256"] for line in lines[:-1])]
    entries = read_ledger(ledger)
    assert [entry.body["value"] for entry in entries] == [0.0, 1.0, 2.0, 3.0]
    assert entries[1].time == NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: [lines[0].replace("0.0", "0.5"), *lines[1:]], 1),
        (lambda lines: [lines[0], *lines[2:]], 2),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], 3),
        (lambda lines: [*lines[:3], lines[3].replace("12:", "11:").replace("15:", "14:")], 4),
        (lambda lines: lines[1:], 1),
    ],
)
def test_a_line_that_was_changed_moved_or_taken_out_is_refused_by_its_place(ledger, change, line):
    lines = change(ledger.read_text().splitlines())
    ledger.write_text("".join(f"{text}\n" for text in lines))
    with refused("changed", f"line {line}"):
        read_ledger(ledger)


def test_lines_taken_off_the_end_show_against_a_hash_that_was_noted(ledger):
    head = read_ledger(ledger)[-1].sha256
    check_head(read_ledger(ledger), head, ledger)
    ledger.write_text("".join(f"{line}\n" for line in ledger.read_text().splitlines()[:-1]))
    with refused("changed", head):
        check_head(read_ledger(ledger), head, ledger)


def test_a_line_cut_in_the_middle_is_refused(ledger):
    ledger.write_text(ledger.read_text()[:-20])
    with refused("changed", ledger):
        read_ledger(ledger)


@pytest.mark.parametrize(("text", "code"), [("[]\n", "bad-row"), ("{\n", "bad-json"), ("{}\n", "bad-row")])
def test_a_file_of_another_kind_is_refused(tmp_path, text, code):
    path = tmp_path / "other.jsonl"
    path.write_text(text)
    with refused(code, f"{path}: line 1"):
        read_ledger(path)


def test_a_clock_that_went_back_is_refused_and_nothing_is_written(ledger):
    before = ledger.read_bytes()
    with refused("conflict", ledger), open_ledger(ledger) as entries:
        append(ledger, entries, "forecast", {}, NOON)
    assert ledger.read_bytes() == before


def test_two_writers_do_not_lose_a_line(ledger):
    def other() -> None:
        with refused("in-use", ledger), open_ledger(ledger):
            pass

    with open_ledger(ledger):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(read_ledger(ledger)) == 4
