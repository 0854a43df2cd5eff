"""The page of a check: whole, escaped, in itself, and with a picture of each session."""

import re
from dataclasses import replace

import matplotlib.image
import pytest

from semgjax.data.batching.windows import WindowSpec
from semgjax.data.quality.findings import CODES
from semgjax.data.quality.session_checks import Report, check_sessions
from semgjax.pages import check_page as page
from semgjax.pages.check_page import render, write_page
from tests.data.quality.damaged import damaged


@pytest.fixture(scope="module")
def report(sound, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "<b>.hdf5"
    damaged(sound[0], path, keys=lambda keys: keys[::40])
    found = check_sessions([sound[0], sound[3], path], WindowSpec())
    return Report(found.sessions[:2] + (found.sessions[2],), ("<i>x</i>: is no HDF5",))


@pytest.fixture(scope="module")
def text(report):
    return render(report, "a & b")


def test_the_page_shows_every_session_with_its_verdict_and_a_picture(report, text):
    assert text.startswith("<!DOCTYPE html>")
    assert "<h1>Check of 3 sessions</h1>" in text
    for row in report.sessions:
        assert row.session.replace("<", "&lt;").replace(">", "&gt;") in text
    assert text.count("data:image/png;base64,") == 6 and text.count("data:image/svg+xml;base64,") == 2
    assert "duplicate" in text and CODES["duplicate"] in text


def test_names_from_files_are_text_and_nothing_is_fetched(text):
    assert "<i>x</i>" not in text and "&lt;i&gt;x" in text and "a &amp; b" in text
    assert not re.findall(r'(?:src|href)="(?!data:|#)', text)
    assert "<script" not in text


def test_the_same_report_gives_the_same_bytes_and_the_worst_come_first(report, tmp_path, monkeypatch):
    monkeypatch.setattr(page, "PICTURES", 1)
    text = render(report, "f")
    write_page(report, "f", tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text() == text
    assert text.count("data:image/png;base64,") == 2
    assert text.index("&lt;b&gt;") < text.index(report.sessions[0].session + "</th>")


def test_a_folder_of_damaged_files_and_one_without_findings_have_their_page_too(report):
    faults = render(Report((), report.faults), "f")
    assert "&lt;i&gt;x&lt;/i&gt;: is no HDF5" in faults and "data:image" not in faults
    sound = replace(report.sessions[0], findings=())
    assert "Findings by code" not in render(Report((sound,), ()), "f")


def test_a_session_without_any_amplitude_can_be_drawn(tmp_path):
    import numpy as np

    from semgjax.pages.check_figures import session_figure
    from semgjax.pages.figure_bytes import png_bytes
    from tests.data.fixtures import write_session

    path = write_session(tmp_path / "a.hdf5", emg=np.zeros((300, 32), np.float32))
    row = check_sessions([path], WindowSpec()).sessions[0]
    (tmp_path / "a.png").write_bytes(png_bytes(session_figure(row)))
    assert matplotlib.image.imread(tmp_path / "a.png").shape[1:] == (900, 4)
