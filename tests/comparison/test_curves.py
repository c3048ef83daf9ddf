"""Curves as SVG: every finite value is in its frame, and nothing of a name is markup."""

import math
import re
from xml.etree import ElementTree

import pytest

from mltrain.comparison.curves import Curve, curves_svg


def points(svg):
    root = ElementTree.fromstring(svg)  # noqa: S314 (our own)
    return [
        [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        for line in root.iter("polyline")
    ]


def test_a_line_a_run_the_first_over_the_others():
    svg = curves_svg("validation.loss", [Curve("1 a", (3.0, 2.0, 1.0)), Curve("2 b", (2.0, 2.5))])
    root = ElementTree.fromstring(svg)  # noqa: S314 (our own)
    assert root.attrib["aria-label"] == "validation.loss of each run, over the epochs"
    assert [group.attrib["class"] for group in root.iter("g")] == ["c1", "c0"]
    assert [group.find("title").text for group in root.iter("g")] == ["2 b", "1 a"]
    (second, first) = points(svg)
    assert [x for x, _ in first] == sorted(x for x, _ in first)
    assert [y for _, y in first] == sorted(y for _, y in first)  # the loss falls, and y grows downwards
    assert (len(first), len(second)) == (3, 2)


def test_what_is_not_finite_is_a_gap():
    lines = points(curves_svg("x", [Curve("a", (1.0, 2.0, math.nan, 3.0, math.inf, 4.0, 5.0))]))
    assert list(map(len, lines)) == [2, 2, 2]  # a lone point is a short stroke
    assert lines[1][0] == lines[1][1]


@pytest.mark.parametrize("values", [(), (math.nan,), (math.inf, -math.inf)])
def test_nothing_to_draw_is_said(values):
    assert curves_svg("x", [Curve("a", values)]) == "<p>x has no value in any epoch.</p>"


@pytest.mark.parametrize("values", [(1.0,), (0.0, 0.0), (1e308, -1e308), (5e-324, 0.0), tuple(range(5000))])
def test_every_point_is_inside(values):
    svg = curves_svg("x", [Curve("a", tuple(map(float, values))), Curve("b", ())])
    (line,) = points(svg)
    assert all(0 <= x <= 640 and 0 <= y <= 260 for x, y in line)
    assert len(line) <= 402
    assert not re.search("nan|inf", svg)


def test_a_name_is_no_markup():
    svg = curves_svg("<a>&\"'", [Curve("</title><script>", (1.0, 2.0))])
    root = ElementTree.fromstring(svg)  # noqa: S314 (our own)
    assert "<script>" not in svg
    assert next(root.iter("title")).text == "</title><script>"
