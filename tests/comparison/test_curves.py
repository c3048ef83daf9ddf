"""Curves of runs over each other: every value that can be drawn is in the frame, and nothing of a name is markup."""

import math
import re
from xml.etree import ElementTree

import pytest

from mltrain.comparison.curves import Curve, curves_chart, look_of

SVG = "{http://www.w3.org/2000/svg}"


def drawing(title, *curves):
    return ElementTree.fromstring(curves_chart(title, curves).svg)  # noqa: S314 (our own)


def stretches(root):
    """Return the points of each unbroken stretch of each line."""
    paths = [path.attrib["d"] for path in root.iter(f"{SVG}path")]
    return [
        [tuple(map(float, point.split())) for point in re.split("L", stretch)]
        for path in paths
        for stretch in path.split("M")[1:]
    ]


def test_a_line_a_run_the_first_over_the_others():
    root = drawing("validation.loss", Curve("1 a", (3.0, 2.0, 1.0)), Curve("2 b", (2.0, 2.5), 1))
    assert root.attrib["aria-label"] == "validation.loss of each run, over the epochs"
    groups = list(root.iter(f"{SVG}g"))
    assert [group.find(f"{SVG}title").text for group in groups] == ["2 b", "1 a"]
    assert [group.find(f"{SVG}path").attrib["class"] for group in groups] == ["line two", "line one"]
    second, first = stretches(root)
    assert [x for x, _ in first] == sorted(x for x, _ in first)
    assert [y for _, y in first] == sorted(y for _, y in first)  # the loss falls, and y grows downwards
    assert (len(first), len(second)) == (3, 2)


def test_what_is_not_finite_is_a_gap():
    root = drawing("x", Curve("a", (1.0, 2.0, math.nan, 3.0, math.inf, 4.0, 5.0)))
    assert list(map(len, stretches(root))) == [2, 1, 2]
    assert len(list(root.iter(f"{SVG}circle"))) == 5  # by which a lone point is seen


@pytest.mark.parametrize("values", [(), (math.nan,), (math.inf, -math.inf)])
def test_nothing_to_draw_is_no_chart(values):
    assert curves_chart("x", [Curve("a", values)]) is None


@pytest.mark.parametrize("values", [(1.0,), (0.0, 0.0), (1e99, -1e99), (5e-324, 0.0), tuple(range(5000))])
def test_every_point_is_inside(values):
    root = drawing("x", Curve("a", tuple(map(float, values))), Curve("b", ()))
    (line,) = stretches(root)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert all(0 <= x <= width and 0 <= y <= height for x, y in line)
    assert len(line) <= 402
    assert not re.search("nan|inf", ElementTree.tostring(root, "unicode"))


def test_the_rest_shares_a_look():
    assert len({look_of(position) for position in range(6)}) == 6
    assert {look_of(position) for position in range(6, 20)} == {"rest"}


def test_a_name_is_no_markup():
    svg = curves_chart("<a>&\"'", [Curve("</title><script>", (1.0, 2.0))]).svg
    root = ElementTree.fromstring(svg)  # noqa: S314 (our own)
    assert "<script>" not in svg
    assert next(root.iter(f"{SVG}title")).text == "</title><script>"
