"""The report on a law: verdict with interval and next step, whole tables at every width, no number where blocked."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from semgjax.pages.html import label_text, render_template
from semgjax.pages.law_report import Ask, report_page
from semgjax.pages.law_tables import MOST_RUNS, finding_rows, in_full, run_table
from semgjax.pages.next_step import next_step
from semgjax.scaling.answer import predict_at
from semgjax.scaling.compare import Comparison, compare_laws
from semgjax.scaling.diagnose import Diagnostic
from semgjax.scaling.ends import number, span
from semgjax.scaling.fit import predict
from tests.pages import made_fits as made

PAGES = {
    "one input": (made.size_fit, Ask(target=10.0)),
    "two inputs": (made.tokens_fit, Ask(at={"N": 8e9, "D": 2e11}, cost=made.COST)),
    "users and hours": (made.users_hours_fit, Ask(target=20.0)),
    "saturating": (made.saturating_fit, Ask()),
    "students": (made.students_fit, Ask(at={"N": 2e6, "T": 8e6})),
    "100 runs": (made.crowded_fit, Ask()),
    "long names": (lambda: made.named_fit(made.LONG, made.SHARE), Ask(target=10.0)),
    "other scripts": (lambda: made.named_fit(made.OTHER, f"{made.CYRILLIC} <b>"), Ask()),
    "blocked": (made.blocked_fit, Ask(target=11.0)),
}  # fmt: skip


def page_of(name: str) -> str:
    make, ask = PAGES[name]
    fit = make()
    return report_page(fit.table, (fit.law,), ask, fit)


class Tables(HTMLParser):
    """The tables of a page: classes, heads, and rows of (label, text, class)."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[dict] = []
        self.open: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if tag not in ("img", "meta", "source", "br"):
            self.open.append((tag, found))
        if tag == "table":
            scrolls = any(kind == "div" and "scroll" in (a.get("class") or "") for kind, a in self.open)
            self.tables.append({"class": found["class"], "scrolls": scrolls, "head": [], "rows": []})
        elif tag == "tr" and self._within("tbody"):
            self.tables[-1]["rows"].append([])
        elif tag == "th" and self._within("thead"):
            self.tables[-1]["head"].append("")
        elif tag in ("td", "th") and self._within("tbody"):
            self.tables[-1]["rows"][-1].append([found.get("data-label"), "", found.get("class") or ""])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self._within("style"):
            return
        self.texts.append(data)
        if self._within("thead") and self._within("th"):
            self.tables[-1]["head"][-1] += data
        elif self._within("td") or (self._within("th") and self._within("tbody")):
            self.tables[-1]["rows"][-1][-1][1] += data

    def _within(self, tag: str) -> bool:
        return any(kind == tag for kind, _ in self.open)


@pytest.fixture(scope="module")
def pages():
    """Each page once, when a test first asks for it."""
    made_pages: dict[str, str] = {}
    return lambda name: made_pages.setdefault(name, made_pages.get(name) or page_of(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_no_table_hides_a_column(pages, name):
    found = Tables(pages(name)).tables
    assert found
    for table in found:
        assert table["scrolls"] and table["head"]
        assert ("wide" in table["class"].split()) == (len(table["head"]) > 2)
        for row in table["rows"]:
            assert [label for label, *_ in row] == [" ".join(head.split("\n")) for head in table["head"]]
    sheet = pages(name)[: pages(name).index("</style>")]
    assert "overflow: hidden" not in sheet and "text-overflow" not in sheet
    assert re.findall(r"([^{};]+)\{[^{}]*display: none", sheet) != []
    hidden = [rule.strip() for rule in re.findall(r"([^{}]+)\{[^{}]*display: none", sheet)]
    assert all("thead" in rule or "nav" in rule for rule in hidden)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PAGES if name != "blocked"])
def test_the_box_has_the_number_its_interval_and_what_to_run_next(pages, name):
    make, ask = PAGES[name]
    fit = make()
    page = pages(name)
    box = page[page.index('class="verdict"') :]
    box = box[: box.index("</div>")]
    text = re.sub(r"<[^>]+>", "", box)
    at = ask.at or {n: 10.0 * v.max() for n, v in list(fit.table.x.items())[:1]}
    if ask.at:
        assert number(float(predict(fit, at))) in text
    assert re.search(r"\[[^\]]+, [^\]]+\]", text) and "95%" in text
    assert "<li>" in box
    assert page.count("<img") == page.count("srcset=") >= 4


def test_a_blocked_page_shows_the_runs_and_the_remedy_and_no_number_of_a_law(pages):
    fit = made.blocked_fit()
    page = pages("blocked")
    words = " ".join(" ".join(Tables(page).texts).split())
    assert 'class="verdict"' not in page and 'class="warning"' in page
    assert page.count("<img") == 1
    assert "swapped" not in words and "rising" in words
    shown = predict_at(fit, {"N": 1e7}, force=True)
    measured = {number(float(value), digits) for value in fit.table.y for digits in (3, 4, 5)}
    for value in (*fit.parameters.values(), shown.value, *shown.interval, *predict(fit, fit.table.x)):
        for digits in (3, 4, 5):
            text = number(float(value), digits)
            assert text not in words.split() or text in measured or float(value) < 0.01
    heads = [table["head"] for table in Tables(page).tables]
    assert ["code", "severity", "finding"] in heads
    assert not any("weight" in head or "fitted curve" in head for head in heads)


def test_runs_are_listed_whole_or_those_farthest_from_the_curve():
    few = run_table(made.size_fit(), blocked=False)
    assert len(few.rows) == 18 and len(few.head) == len(few.rows[0]) == 4
    many = run_table(made.many_fit(), blocked=False, weights=np.linspace(0.0, 1.0, 500))
    assert len(many.rows) == MOST_RUNS and "500" in many.caption
    assert many.head[0] == "run" and many.head[-1] == "weight in the fit"
    off = [abs(float(row[4].removesuffix(" %"))) for row in many.rows]
    assert off[0] == max(off) and off[0] > off[-1]
    bare = run_table(made.size_fit(), blocked=True)
    assert len(bare.head) == 2 and len(bare.rows) == 18


def test_findings_are_listed_with_code_severity_and_text_errors_first():
    found = [Diagnostic("a", "info", "x"), Diagnostic("b", "error", "y"), Diagnostic("a", "info", "x")]
    assert finding_rows(found) == [("b", "error", "y"), ("a", "info", "x")]


def test_a_remedy_comes_before_a_run_and_a_run_to_check_before_one_to_train():
    fit = made.size_fit()
    error = Diagnostic("rising", "error", "the error rises")
    odd = Diagnostic("outlier", "warning", "far off the curve: N = 1e4")
    at = {"N": 2e7}
    (step,) = next_step(fit, [odd, error], at, None, 0.95)
    assert "rising" in step
    check, train = next_step(fit, [odd], at, None, 0.95)
    assert "outlier" in check and "Train next" in train and re.search(r"a factor of 1\.\d+", train)
    assert next_step(fit, [], at, None, 0.95) == (train,)


def test_laws_in_a_verdict_are_in_words_also_where_one_name_holds_another():
    found = compare_laws(made.size_fit().table)
    comparison = Comparison(found.scores, (("broken", "-"),), found.tests, "")
    words = in_full("floor_power predicts best; power, broken and saturating do not; powers of ten stay", comparison)
    assert "floor_power" not in words and "powers of ten stay" in words
    assert words.count("\u201c") == 4


def test_a_label_of_a_cell_is_plain_text():
    assert label_text("<b>x</b>") == "<b>x</b>"
    page = render_template(
        "check_page.html", title="t", folder="f", rows=[], faults=[], hours=0.0, colours={},
        codes=[("<i>", "m", "1", "2", "3")], overview=None, pictures=[], things="keys",
    )  # fmt: skip
    assert "<i>" not in page and "&lt;i&gt;" in page


def test_intervals_without_end_say_so_in_words():
    assert "no upper end" in span((1.0, float("inf"))) and "307" not in span((1.0, 8.2e307))


def test_the_same_question_gives_the_same_page():
    fit = made.blocked_fit()
    first, second = (report_page(fit.table, (fit.law,), Ask(), replace(fit)) for _ in range(2))
    assert first == second
