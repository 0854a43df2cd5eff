"""The report on real people: means with intervals, laws in words, figures."""

import re

import numpy as np
import pytest

from analysis.people_tables import Results, read_results, write_tables
from analysis.people_words import difference_words, mean_difference, mean_interval
from analysis.real_people_report import BEGIN, END, Centre, Report, centre_of, report, section, sizes, with_results
from tests.analysis.people_pieces import write_pieces
from tests.refused import refused


def test_intervals_are_over_seeds_and_people_and_differences_are_paired():
    random = np.random.default_rng(0)
    people = 50.0 + 10.0 * random.normal(size=40)
    one = people + random.normal(size=(3, 40))
    other = one - 2.0 + 0.5 * random.normal(size=(3, 40))
    mean, low, high = mean_interval(one, 0.95)
    assert low < 50.0 < high and 4.0 < high - low < 9.0 and mean == pytest.approx(one.mean())
    mean, low, high = mean_difference(other, one, 0.95)
    assert -2.4 < low < -2.0 < high < -1.6
    assert "fewer" in difference_words((mean, low, high))
    assert "no difference" in difference_words((0.1, -0.5, 0.7)) and "more" in difference_words((1.0, 0.5, 1.5))


@pytest.mark.slow
def test_the_report_finds_the_law_that_the_errors_follow(tmp_path):
    write_tables(write_pieces(tmp_path), tmp_path)
    text = report(Report(tmp_path, tmp_path / "out"))
    people = text.partition("## Sizes")[0]
    low, high = map(float, re.search(r"exponent [\d.]+ \[([\d.]+), ([\d.]+)\]", people).groups())
    assert low < 0.4 < high
    assert "lower at every step" in people and "excludes 0" in people
    row = re.search(r"^\| 28 \| ([\d.]+) \[.*\| ([\d.]+) \[.*\| ([\d.]+) \[.*\| ([\d.]+) \[", people, re.MULTILINE)
    network, turned, discriminant, _ = map(float, row.groups())
    assert turned < network < discriminant
    assert "fewer errors" in text.partition("## Students")[2].partition("## Calibration")[0]
    for name in ("real_people", "real_people_sizes", "real_people_calibration"):
        assert (tmp_path / "out" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_page_gets_the_results_between_its_marks_and_keeps_the_rest(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Head\n\n{BEGIN}\nold\n{END}\n\ntail\n")
    assert with_results(page, "new\n") == f"# Head\n\n{BEGIN}\n\nnew\n\n{END}\n\ntail\n"
    page.write_text(f"# Head\n\n{BEGIN}\n")
    with refused("bad-field", "page.md"):
        with_results(page, "new")


def test_a_section_without_its_models_says_so_and_the_centre_is_the_size_of_fewer_people(tmp_path):
    write_tables(write_pieces(tmp_path), tmp_path)
    results = read_results(tmp_path)
    centre = centre_of(results.models)
    assert centre == Centre(28, 48, 2)
    missing = next(row["run"] for row in results.models if row["width"] == "96")
    fewer = [row for row in results.models if row["seed"] == "0" and row["run"] != missing]
    few = Results(tuple(fewer), results.persons, results.source)
    assert "Not complete" in section("Sizes", sizes, few, centre, Report(tmp_path, tmp_path))
    with refused("no-row"):
        centre_of([row for row in results.models if row["people"] == "28"])
