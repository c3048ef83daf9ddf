"""HTML is escaped unless it was made as HTML."""

import pytest

from mltrain.report.page.html import Html, element, joined, short, text
from tests.report.page.reading import read

HOSTILE = "</td><script>alert('1')</script>&amp;\" onload=x"


@pytest.mark.parametrize("where", ["content", "attribute"])
def test_text_is_escaped(where):
    made = element("td", HOSTILE) if where == "content" else element("td", title=HOSTILE)
    (cell,) = read(made.encode()).children
    assert cell.tag == "td"
    assert (cell.text if where == "content" else cell.attributes["title"]) == HOSTILE


def test_what_is_html_stays_and_lists_are_followed():
    made = element("ul", [element("li", each) for each in "a<"], None)
    assert made == "<ul><li>a</li><li>&lt;</li></ul>"
    assert isinstance(made, Html)
    assert joined("<", made) == "&lt;" + made


def test_html_that_is_put_together_as_text_is_text_again():
    assert joined(element("b", "x") + element("b", "y")).startswith("&lt;b&gt;")


def test_attributes_are_named_as_python_can():
    made = element("a", "x", class_="y", aria_label="z", tabindex=0, hidden=True, open=False, title=None)
    assert made == '<a class="y" aria-label="z" tabindex="0" hidden="">x</a>'


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202eb", "a\\u202eb"),
        ("a\nb", "a\nb"),
        ("\x00", "\\x00"),
        ("\udc80", "\\udc80"),
        ("é漢", "é漢"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(given, shown):
    assert text(given) == shown
    element("p", given).encode()


@pytest.mark.parametrize(
    ("value", "written"), [(1.0, "1"), (12.345, "12.3"), (-0.04, "-0"), (1234567.0, "1.23457e+06")]
)
def test_coordinates_are_short(value, written):
    assert short(value) == written
