"""A law from files, dicts and frames; predictions, inversions, figures and pages."""

import json

import numpy as np
import pytest

import semgjax
import semgjax.api.fitting  # JAX sets variables of the environment when it is imported
from semgjax.cli.main import main
from semgjax.errors import InputError

SIZES = [1e5, 2e5, 4e5, 8e5, 1.6e6, 3.2e6]
CER = [10 + 30 * (size / 1e5) ** -0.5 for size in SIZES]


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("params,cer\n" + "".join(f"{n!r},{y!r}\n" for n, y in zip(SIZES, CER, strict=True)))
    return path


def test_files_dicts_and_frames_give_one_law(csv):
    columns = {"params": SIZES, "cer": CER}
    laws = [semgjax.fit(data, y="cer", N="params") for data in (csv, str(csv), columns)]
    assert {law.parameters["E"] for law in laws} == {laws[0].parameters["E"]}
    assert laws[0].parameters["E"] == pytest.approx(10, rel=1e-3)
    assert all("\n" not in repr(law) for law in laws)
    assert "<table" in laws[0]._repr_html_()


def test_predictions_and_inversions_are_those_of_the_command(csv, tmp_path, capsys):
    law = semgjax.fit(csv, y="cer", N="params")
    law.save(tmp_path / "fit.json")
    assert main(["scaling", "predict", str(tmp_path / "fit.json"), "--at", "1e7", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    found = law.predict(N=1e7)
    assert found.value == shown["value"] == semgjax.load_fit(tmp_path / "fit.json").predict(N=1e7).value
    answer = law.invert(cer=20)
    assert answer.value == pytest.approx(9e5, rel=1e-2)
    assert answer.value == law.invert(y=20).value


def test_the_document_is_that_of_the_command(csv, tmp_path, capsys):
    words = ["--map", "y=cer", "--map", "N=params", "--out", str(tmp_path / "fit.json"), "--json"]
    assert main(["scaling", "fit", str(csv), *words]) == 0
    law = semgjax.fit(csv, y="cer", N="params")
    assert law.document() == json.loads(capsys.readouterr().out)
    law.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "fit.json").read_bytes()


def test_a_fit_replaces_an_older_fit_and_nothing_else(csv, tmp_path):
    law = semgjax.fit(csv, y="cer", N="params")
    law.save(tmp_path / "fit.json")
    law.save(tmp_path / "fit.json")
    before = csv.read_bytes()
    for place in (csv, tmp_path):
        with pytest.raises(InputError):
            law.save(place)
    assert csv.read_bytes() == before


def test_an_answer_shows_itself_in_one_line_and_as_a_table(csv):
    law = semgjax.fit(csv, y="cer", N="params")
    for answer in (law, law.predict(N=1e7), law.invert(cer=20), law.predict(N=1e9)):
        assert "\n" not in repr(answer) and len(repr(answer)) < 200
        assert answer._repr_html_().startswith("<table>")
    assert law.plot()._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda law: law.predict(), "bad-option"),
        (lambda law: law.predict(D=1e6), "unknown-name"),
        (lambda law: law.predict(N=1e6, D=1e6), "unknown-name"),
        (lambda law: law.predict(N=-1), "bad-value"),
        (lambda law: law.predict(N="1e6"), "bad-value"),
        (lambda law: law.predict(N=[1e6, 1e7]), "bad-value"),
        (lambda law: law.predict(N=1e6, level=95), "bad-value"),
        (lambda law: law.invert(), "bad-option"),
        (lambda law: law.invert(wer=20), "unknown-name"),
        (lambda law: law.invert(cer=20, y=20), "bad-option"),
        (lambda law: law.invert("D", cer=20), "unknown-name"),
        (lambda law: law.invert(cer=-1), "bad-value"),
        (lambda law: law.plot("law.jpg"), "bad-value"),
        (lambda law: law.plot(over="D"), "unknown-name"),
        (lambda law: law.plot(users=True), "no-column"),
        (lambda law: law.report("law.pdf"), "bad-value"),
        (lambda law: law.report("table.csv/law.html"), "out-exists"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_and_writes_nothing(csv, tmp_path, monkeypatch, ask, code):
    monkeypatch.chdir(tmp_path)
    law = semgjax.fit(csv, y="cer", N="params")
    with pytest.raises(InputError) as caught:
        ask(law)
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == [csv]


def test_a_picture_and_a_page_are_written(csv, tmp_path):
    law = semgjax.fit(csv, y="cer", N="params")
    law.plot(tmp_path / "law.png")
    assert (tmp_path / "law.png").read_bytes().startswith(b"\x89PNG")
    law.report(tmp_path / "law.html", target=20)
    assert (tmp_path / "law.html").read_text().startswith("<!DOCTYPE html>")


def test_a_law_is_taken_by_name_over_several_inputs():
    rng = np.random.default_rng(0)
    sizes, hours = rng.uniform(1e5, 1e7, 24), rng.uniform(1, 100, 24)
    cer = 8 + 20 * (sizes / 1e5) ** -0.4 + 12 * hours**-0.5
    law = semgjax.fit({"n": sizes, "d": hours, "e": cer}, y="e", N="n", D="d", law="chinchilla")
    assert law.predict(N=1e6, D=10, force=True).value == pytest.approx(8 + 20 * 10**-0.4 + 12 * 10**-0.5, rel=1e-3)
    assert law.predict({"N": 1e6, "D": 10}, force=True).value == law.predict(N=1e6, D=10, force=True).value
    assert law.plot(over="D").axes[0].get_xlim()[1] >= 10 * hours.max() * 0.9


def test_the_report_shows_the_numbers_of_its_own_fit(csv, tmp_path):
    law = semgjax.fit(csv, y="cer", N="params", law="power", fixed={"alpha": 0.25})
    law.report(tmp_path / "law.html", at={"N": 1e7}, force=True)
    page = (tmp_path / "law.html").read_text()
    assert f"{law.predict(N=1e7, force=True).value:.4g}" in page


@pytest.mark.parametrize(
    ("data", "columns", "code"),
    [
        ({"params": SIZES, "cer": CER}, {"y": "cer", "N": "size"}, "no-column"),
        ({"params": SIZES, "cer": CER}, {"N": "params"}, "no-column"),
        ({"params": ["many", *SIZES[1:]], "cer": CER}, {"y": "cer", "N": "params"}, "bad-number"),
        (3, {"y": "cer", "N": "params"}, "bad-value"),
        ({"params": SIZES, "cer": CER}, {"y": "cer", "N": "params", "law": "cubic"}, "unknown-name"),
        ({"params": SIZES, "cer": CER}, {"y": "cer", "N": "params", "where": {"set": "a"}}, "no-column"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused(data, columns, code):
    with pytest.raises(InputError) as caught:
        semgjax.fit(data, **columns)
    assert caught.value.code == code
