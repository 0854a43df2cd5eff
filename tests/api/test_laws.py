"""A law from files, dicts and frames; predictions, inversions, figures and pages."""

import json

import numpy as np
import pytest

import semgjax
from semgjax.cli.main import main
from semgjax.errors import InputError

SIZES = [1e5, 2e5, 4e5, 8e5, 1.6e6, 3.2e6]
CER = [10 + 30 * (size / 1e5) ** -0.5 for size in SIZES]


class Frame(dict):
    """What pandas and polars frames have in common here."""

    @property
    def columns(self) -> list[str]:
        return list(self)


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("params,cer\n" + "".join(f"{n!r},{y!r}\n" for n, y in zip(SIZES, CER, strict=True)))
    return path


def test_files_dicts_and_frames_give_one_law(csv):
    columns = {"params": SIZES, "cer": CER}
    laws = [semgjax.fit(data, y="cer", N="params") for data in (csv, str(csv), columns, Frame(columns))]
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


@pytest.mark.parametrize(
    ("data", "columns", "code"),
    [
        ({"params": SIZES, "cer": CER}, {"y": "cer", "N": "size"}, "no-column"),
        ({"params": SIZES, "cer": CER}, {"N": "params"}, "no-column"),
        ({"params": ["many", *SIZES[1:]], "cer": CER}, {"y": "cer", "N": "params"}, "bad-number"),
        (3, {"y": "cer", "N": "params"}, "bad-value"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused(data, columns, code):
    with pytest.raises(InputError) as caught:
        semgjax.fit(data, **columns)
    assert caught.value.code == code
