"""The page of a comparison: whole in itself, well-formed, and nothing of a run is markup."""

from html.parser import HTMLParser

import pytest

from mltrain.comparison.page import comparison_page
from mltrain.procedures.compare import compare
from tests.comparison.runs import change, finished_run

NASTY = '</td></style><script>alert(1)</script>\x1b[31m&"'
VOID = {"meta"}


class Checked(HTMLParser):
    """Holds every element, and that each is closed where it was opened."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(page):
    checked = Checked()
    checked.feed(page.decode())
    assert checked.open == []
    return checked


@pytest.fixture
def runs(trained, tmp_path):
    return [finished_run(tmp_path, name, trained, flipped=flipped) for name, flipped in (("a", 0), ("b", 40), ("c", 1))]


def test_the_page_loads_nothing(runs):
    page = comparison_page(compare(list(map(str, runs)), runs[0].parent))
    checked = read(page)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in checked.elements}
    assert not {"src", "href", "onload", "srcset"} & {name for _, each in checked.elements for name in each}
    assert b"url(" not in page
    (policy,) = [each["content"] for tag, each in checked.elements if each.get("http-equiv")]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")


def test_it_says_what_there_is_to_say(runs):
    checked = read(comparison_page(compare([*map(str, runs), "none"], runs[0].parent)))
    for said in ("3 runs", "run 2 is worse than run 1", "test.roc_auc", "validation.loss", "Left out", "none: no such"):
        assert said in checked.text
    figures = [each for tag, each in checked.elements if tag == "svg" and each.get("role") == "img"]
    assert all(each["aria-label"] for each in figures)
    assert len(figures) == len([1 for tag, _ in checked.elements if tag == "figcaption"]) > 4


@pytest.mark.parametrize("n", [2, 3])
def test_on_a_narrow_screen_each_value_names_its_run(runs, n):
    config = runs[1] / "config.resolved.yaml"
    config.write_text(f"{config.read_text()}extra: 1\n")
    checked = read(comparison_page(compare(list(map(str, runs[:n])), runs[0].parent)))
    tables = [each for tag, each in checked.elements if tag == "table"]
    assert [each.get("class", "").split()[:1] for each in tables] == [["wide"], ["wide"]]
    columns = {each.get("data-column") for tag, each in checked.elements if tag == "td"}
    assert {f"{place} {run.parent.name}/{run.name}" for place, run in enumerate(runs[:n], start=1)} <= columns


def test_nothing_of_a_run_is_markup(runs):
    for path in runs[:2]:
        change(path / "metrics.json", lambda found: found["splits"]["test"]["metrics"].update({NASTY: {"value": 1}}))
        config = path / "config.resolved.yaml"
        config.write_text(f'{config.read_text()}extra: {len(path.name) + ord(path.name)}\n"<b>{path.name}": "<i>"\n')
        history = path / "history.csv"
        history.write_text(history.read_text().replace("train.accuracy", "train.<u>x</u>", 1))
    checked = read(comparison_page(compare([str(path) for path in runs], runs[0].parent)))
    assert not {"script", "b", "i", "u"} & {tag for tag, _ in checked.elements}
    assert "<script>alert(1)</script>" in checked.text
    assert "<b>a" in checked.text
    assert "\x1b" not in checked.text


def test_many_runs_have_a_line_each_and_the_rest_no_colour_of_its_own(runs, trained, tmp_path):
    more = [finished_run(tmp_path, f"more{n}", trained, flipped=n) for n in range(9)]
    checked = read(comparison_page(compare(list(map(str, runs + more)), tmp_path)))
    looks = [each["class"] for tag, each in checked.elements if tag == "path"]
    assert looks.count("line one") == looks.count("line six") > 1
    assert looks.count("line rest") == 6 * looks.count("line one")
    assert "run 2 is worse than" not in checked.text


def test_a_run_without_a_readable_history_is_named(runs):
    (runs[1] / "history.csv").write_text("epoch,train.loss\n1,x\n")
    checked = read(comparison_page(compare(list(map(str, runs)), runs[0].parent)))
    assert "history.csv:2: expected numbers" in checked.text
