"""Charts: well-formed SVG with a name, whatever the numbers; scales with round ticks; peaks that stay."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrain.report.page.charts.bars import Bar, bars
from mltrain.report.page.charts.frame import Frame, as_file
from mltrain.report.page.charts.layers import MOST, Box, layers
from mltrain.report.page.charts.lines import MOST_POINTS, Line, diagonal, drawn, evenly, key, thinned
from mltrain.report.page.charts.matrix import matrix
from mltrain.report.page.charts.scale import UNIT, Scale, around, tick_texts
from mltrain.report.page.sections.model import diagram_chart
from mltrain.run.architecture import Architecture, RecordedLayer

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>&\"'\x00"


def parsed(svg):
    root = ElementTree.fromstring(as_file(svg))  # noqa: S314 (it is ours)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label")
    _, _, width, height = map(float, root.get("viewBox").split())
    for each in root.iter():
        for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"):
            value = float(each.get(name, 0))
            assert math.isfinite(value)
            assert -1 <= value <= max(width, height) + 1
        for number in re.findall(r"-?[\d.]+(?:e[+-]\d+)?", each.get("d", "")):
            assert -1 <= float(number) <= max(width, height) + 1
    return root


VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=0, max_size=40)


@given(VALUES, st.booleans())
def test_any_numbers_make_a_chart(values, log):
    line = Line(HOSTILE, list(range(len(values))), values, "one")
    frame = Frame(around(line.x), around(values, log=log), HOSTILE, HOSTILE, legend=key([line]))
    parsed(frame.draw("d", drawn(frame, [line], marked=True), diagonal(frame), whole_x=True))


@given(st.floats(-1e300, 1e300), st.floats(1e-300, 1e300), st.booleans())
def test_ticks_are_on_the_axis_and_differ(low, size, log):
    scale = around([low, low + size], log=log)
    ticks = scale.ticks()
    assert len(ticks) <= 15
    assert all(-1e-9 <= scale.share(tick) <= 1 + 1e-9 for tick in ticks)
    if size > 1e-6 * abs(low):
        assert len(ticks) > 1
        assert len(set(tick_texts(ticks))) == len(ticks)


@pytest.mark.parametrize(
    ("scale", "texts"),
    [
        (UNIT, ("0.0", "0.2", "0.4", "0.6", "0.8", "1.0")),
        (Scale(0.9, 1.0), ("0.90", "0.92", "0.94", "0.96", "0.98", "1.00")),
        (Scale(0.895, 1.005), ("0.900", "0.925", "0.950", "0.975", "1.000")),
        (Scale(-120, 160), ("-100", "0", "100")),
        (Scale(0, 43000), ("0", "10,000", "20,000", "30,000", "40,000")),
        (Scale(997_600, 999_800), ("998,000", "998,500", "999,000", "999,500")),
        (Scale(3_999_000, 4_001_000), ("3.999e+06", "3.9995e+06", "4e+06", "4.0005e+06", "4.001e+06")),
        (Scale(1e-4, 2, log=True), ("0.0001", "0.001", "0.01", "0.1", "1")),
    ],
)
def test_ticks_are_round(scale, texts):
    assert tick_texts(scale.ticks()) == texts


def test_a_gap_stays_a_gap():
    frame = Frame(Scale(0, 4), Scale(0, 4), "x", "y")
    path = drawn(frame, [Line("a", [0, 1, 2, 3], [1, math.nan, 2, 3], "one")])
    assert path.count("M") == 2
    assert path.count("L") == 1


def test_a_peak_of_one_epoch_in_a_hundred_thousand_is_shown():
    points = [(float(epoch), 1.0) for epoch in range(100_000)]
    points[777] = (777.0, 9.0)
    points[888] = (888.0, -9.0)
    kept = thinned(points)
    assert len(kept) < 1_000
    assert {(777.0, 9.0), (888.0, -9.0), points[0], points[-1]} <= set(kept)
    assert list(kept) == sorted(kept)


def test_many_points_become_some():
    assert list(evenly(5)) == [0, 1, 2, 3, 4]
    some = list(evenly(1_000_000))
    assert len(some) == len(set(some)) == MOST_POINTS
    assert max(some) < 1_000_000


@pytest.mark.parametrize("n", [2, 10, 16, 17, 60])
def test_a_matrix_says_what_is_taken_for_what(n):
    counts = np.eye(n, dtype=int) * 3
    counts[0, 1] = 7
    names = [f"{HOSTILE}{number}" for number in range(n)]
    root = parsed(matrix("d", counts.tolist(), names))
    hints = [each.text for each in root.iter(f"{SVG}title")]
    assert len(hints) == n * n
    assert "predicted as" in hints[1]
    assert hints[1].endswith(": 7 of 10")
    written = [each.text for each in root.iter(f"{SVG}text")]
    assert ("7" in written) == (n <= 16)


def test_the_longest_bar_is_the_largest_value():
    root = parsed(bars("d", [Bar(HOSTILE, 1.0, "1"), Bar("b", 4.0, "4"), Bar("c", 0.0, "0")]))
    widths = [float(each.get("width")) for each in root.iter(f"{SVG}rect") if each.get("class") == "bar"]
    assert widths[0] * 4 == pytest.approx(widths[1], abs=0.3)
    assert widths[2] == 0
    parsed(bars("d", []))


def test_of_many_layers_the_ends_are_drawn():
    layer = RecordedLayer(name="a", kind="Dense", output=(4,), parameters=20, trainable=20)
    some = diagram_chart(Architecture(input=(4,), layers=(layer,) * 3))
    many = diagram_chart(Architecture(input=(4,), layers=(layer,) * 200))
    assert some.svg.count("<rect") == 4 + 3
    boxes = [each for each in parsed(many.svg).iter(f"{SVG}rect") if each.get("class", "").startswith("box")]
    assert len(boxes) < MOST
    assert "more layers" in many.svg
    parsed(layers("d", [Box(HOSTILE, "", 0)], 0))
