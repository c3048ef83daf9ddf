"""The page in a real browser: no error, no request, the contrast, the keyboard, a narrow screen, paper."""

import json
import os

import pytest

from tests.chromium import CONTRAST, opening
from tests.conftest import in_process
from tests.procedures.test_report import HOSTILE_TABLE

pytestmark = pytest.mark.long

CONFIG = """\
name: hostile
data: {source: {type: csv, path: hostile.csv}, target: kind}
model: {type: mlp, units: [4]}
training: {epochs: 3, batch_size: 16}
"""

FOCUS = """
() => {
  const at = document.activeElement;
  return [at.tagName, Math.round(at.getBoundingClientRect().top + scrollY)];
}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    # A process sets it when TensorFlow starts; all commands here share one process, and a run records what was set.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    (folder / "hostile.csv").write_text(HOSTILE_TABLE)
    (folder / "config.yaml").write_text(CONFIG)
    done = in_process(folder, "train", "config.yaml", "--run-dir", "run", "--quiet", "--profile")
    assert done.code == 0, done.err
    return done.run


@pytest.fixture
def opened(run, browser):
    """Open the page; what it asks for and complains of is collected."""
    with opening(browser) as open_page:
        yield lambda *look, **more: open_page((run / "report.html").as_uri(), *look, **more)


def test_it_complains_of_nothing_and_asks_for_nothing(opened, run):
    page = opened()
    page.locator("details").last.locator("summary").click()
    page.wait_for_timeout(100)
    assert page.complaints == []
    assert page.asked == [(run / "report.html").as_uri()]


def test_the_policy_stops_what_would_be_smuggled_in(opened):
    page = opened()
    picture = '<img src="http://127.0.0.1:9/x" onerror="document.title = 1">'
    page.evaluate("picture => document.body.insertAdjacentHTML('beforeend', picture)", picture)
    page.wait_for_timeout(200)
    assert any("Content Security Policy" in each for each in page.complaints)
    assert page.title() == "hostile: report of a run"


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_every_text_stands_out(opened, color_scheme):
    ratios = opened(color_scheme=color_scheme).evaluate(CONTRAST)
    assert len(ratios) > 15
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}


def test_light_and_dark_are_two_looks(opened):
    look = "getComputedStyle(document.body).backgroundColor"
    assert opened(color_scheme="light").evaluate(look) != opened(color_scheme="dark").evaluate(look)


@pytest.mark.parametrize(("width", "media"), [(320, "screen"), (400, "screen"), (1280, "screen"), (680, "print")])
def test_nothing_is_wider_than_the_screen_or_the_paper(opened, width, media):
    page = opened(width)
    page.emulate_media(media=media)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


# How many cells stay low when the name of their column needs many lines, so that it would cover what is below them; and
# how many tables have a scroll bar.
COVERED = """
() => [...document.querySelectorAll(".scroll")].flatMap(table => {
  const long = [...table.querySelectorAll(".wide td")].filter(cell => cell.offsetHeight).filter(cell => {
    cell.dataset.column = "a name of several words ".repeat(8);
    return cell.offsetHeight < 120;
  });
  const bars = table.scrollHeight > table.clientHeight || table.scrollWidth > table.clientWidth;
  return bars ? [...long, table] : long;
}).length
"""


def test_the_name_of_a_column_covers_nothing_on_a_narrow_screen(opened):
    page = opened(420)
    assert page.locator(".wide td").count() > 10
    assert page.evaluate(COVERED) == 0


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(opened):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    seen = []
    for _ in range(200):
        page.keyboard.press("Tab")
        place = page.evaluate(FOCUS)
        if place[0] == "BODY":
            break
        seen.append(place)
    assert [tag for tag, _ in seen[:7]] == ["A"] * 7
    reachable = page.locator("a, summary, [tabindex='0']").count()
    closed = page.locator("details:not([open]) pre").count()
    assert len(seen) == reachable - 1 - closed
    below = [top for tag, top in seen if tag != "A"]
    assert below == sorted(below)
    summary = page.locator("details").last.locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").last.get_attribute("open") is not None


def test_a_reader_finds_headings_and_figures(opened, run):
    page = opened()
    assert page.get_by_role("heading", level=1).inner_text() == "hostile"
    diagnosed = bool(json.loads((run / "metrics.json").read_text())["diagnosis"])
    assert page.get_by_role("heading", level=2).count() == 8 + diagnosed
    drawings = page.get_by_role("img").count()
    assert drawings == page.locator("svg").count() == page.locator("figure").count()
    assert page.get_by_role("navigation").count() == page.get_by_role("main").count() == 1


def test_on_paper_it_is_black_on_white_and_whole(opened):
    page = opened(color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.get_by_role("navigation").is_visible()
    ratios = page.evaluate(CONTRAST)
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}
    assert page.pdf(format="A4").startswith(b"%PDF")
