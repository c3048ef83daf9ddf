"""The board in a real browser: no error, nothing from elsewhere, the contrast, the keyboard, a narrow screen."""

import pytest

from tests.board.conftest import listening
from tests.board.runs import made_run
from tests.chromium import CONTRAST, opening

pytestmark = pytest.mark.long

RUNS = [("finished", "1"), ("running", "2"), ("failed", "3"), ("finished", "4")]
PLACES = ["/", "/run/blobs/1", "/run/blobs/2", "/nothing"]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board") / "runs"
    gates = {"gates": [{"gate": "test.accuracy >= 0.9", "value": 0.875, "passed": False}]}
    for state, identifier in RUNS:
        path = made_run(folder, identifier=identifier, state=state, metrics=gates)
        with (path / "config.resolved.yaml").open("a") as config:
            config.write(f"optimizer: {{learning_rate_of_the_first_layers: {identifier}}}\n")
    script = b"<!doctype html><title>report</title><h1>Report</h1><script>document.title = 'run'</script>"
    (folder / "blobs" / "4" / "report.html").write_bytes(script)
    (folder / "blobs" / "3" / "status.json").write_text("{")
    with listening(folder) as server:
        yield server.url.removesuffix("/")


@pytest.fixture
def opened(url, browser):
    """Open a page; what it asks for and complains of is collected."""
    with opening(browser) as open_page:
        yield lambda place="/", *look, **more: open_page(url + place, *look, **more)


@pytest.mark.parametrize(
    "place", ["/", "/?sort=name", "/run/blobs/1", "/run/blobs/2", "/compare?run=blobs/1&run=blobs/4"]
)
def test_it_complains_of_nothing_and_asks_nobody_else(opened, url, place):
    page = opened(place)
    page.wait_for_timeout(100)
    assert page.complaints == []
    assert page.asked
    assert all(each.startswith(f"{url}/") for each in page.asked)


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_every_text_stands_out(opened, place, color_scheme):
    ratios = opened(place, color_scheme=color_scheme).evaluate(CONTRAST)
    assert len(ratios) > 2
    assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("place", [*PLACES, "/compare?run=blobs/1&run=blobs/4"])
@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_wider_than_the_screen(opened, place, width):
    assert opened(place, width).evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [900, 1200])
def test_the_metric_is_in_sight_and_no_word_is_cut(opened, width):
    page = opened("/?sort=oldest", width)
    box = page.locator(".runs tbody td:last-child").first.bounding_box()
    assert box["x"] + box["width"] <= width
    changed = page.locator(".runs td[data-column=changed]").first.bounding_box()
    assert changed["width"] >= 11 * 16
    hidden = page.evaluate("(e => e.scrollWidth - e.clientWidth)(document.querySelector('.scroll'))")
    assert width < 1200 or hidden == 0


@pytest.mark.parametrize("place", PLACES)
def test_each_page_has_one_heading_and_its_landmarks(opened, place):
    page = opened(place)
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.get_by_role("navigation").count() == page.get_by_role("main").count() == 1
    assert page.get_by_role("img").count() == page.locator("svg").count()


def test_the_keyboard_filters_and_goes_to_a_run(opened, url):
    page = opened()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("BLOBS/1")
    page.keyboard.press("Enter")
    page.wait_for_url("**name=BLOBS%2F1**")
    assert page.get_by_role("checkbox").count() == 1
    page.get_by_role("link", name="blobs").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/run/blobs/1")
    assert page.get_by_role("heading", level=2).all_inner_texts() == ["Curves", "Results", "Gates", "Files"]


def test_what_is_ticked_is_compared(opened):
    page = opened()
    for identifier in ("1", "4"):
        page.get_by_role("checkbox", name=f"compare blobs/{identifier}").check()
    page.get_by_role("button", name="Compare").click()
    assert page.get_by_role("heading", level=1).inner_text() == "2 runs"
    page.get_by_role("link", name="All runs").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Runs"


def test_a_running_run_is_loaded_again(opened, url):
    page = opened("/run/blobs/2")
    with page.expect_navigation(url=f"{url}/run/blobs/2", timeout=20_000):
        pass
    assert page.complaints == []


def test_a_report_with_a_script_is_shown_and_its_script_is_not_run(opened):
    page = opened("/file/blobs/4/report.html")
    assert page.get_by_role("heading", level=1).inner_text() == "Report"
    assert page.title() == "report"
    assert any("sandboxed" in each or "Content Security Policy" in each for each in page.complaints)
