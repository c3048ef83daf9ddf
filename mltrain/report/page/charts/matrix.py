"""The confusion matrix: which classes are confused with which."""

from __future__ import annotations

from collections.abc import Sequence

from mltrain.problems import shortened
from mltrain.report.page.charts.frame import WIDTH, label, svg
from mltrain.report.page.html import Html, element

# With more classes the cells are too small for a count; with still more a row of the page's table says it better.
_COUNTS_UP_TO, MOST_CLASSES = 16, 60
_NAME = 12


def matrix(description: str, counts: Sequence[Sequence[int]], classes: Sequence[str]) -> Html:
    """Return the matrix: in each cell the count, its share of the true class as the shade.

    Args:
        description: for those who cannot see it.
        counts: row = true class, column = predicted class.
        classes: their names.
    """
    n = len(classes)
    names = [shortened(name, _NAME) for name in classes]
    left = 34 + 6.4 * max(map(len, names))
    side = (WIDTH - left - 8) / n
    # Two classes in squares that wide would be taller than the screen.
    height = min(side, 74)
    upright = 6.4 * max(map(len, names)) > side - 4
    top = 26 + (6.4 * max(map(len, names)) if upright else 14)
    marks: list[Html] = [
        label(left + side * n / 2, 12, "predicted class", "name middle"),
        label(11, top + height * n / 2, "true class", "name middle", f"rotate(-90 11 {top + height * n / 2:.1f})"),
    ]
    step = -(-n // 30)
    for row, (name, line) in enumerate(zip(names, counts, strict=True)):
        total = sum(line)
        y = top + row * height
        if row % step == 0:
            marks.append(label(left - 6, y + height / 2 + 4, name, "tick end"))
            x = left + (row + 0.5) * side
            turned = f"rotate(-90 {x + 4:.1f} {top - 6:.1f})" if upright else None
            marks.append(label(x + 4 if upright else x, top - 6, name, "tick" if upright else "tick middle", turned))
        for column, count in enumerate(line):
            share = count / total if total else 0.0
            place = left + column * side
            said = f"{classes[row]} predicted as {classes[column]}: {count} of {total}"
            hint = element("title", said if row != column else f"{classes[row]}: {count} of {total} right")
            opacity = f"{share * 0.92:.3f}"
            marks.append(
                element("rect", hint, x=place, y=y, width=side, height=height, class_="cell", fill_opacity=opacity)
            )
            if n <= _COUNTS_UP_TO:
                look = "middle onshade" if share > 0.55 else "middle" if count else "middle none"
                marks.append(label(place + side / 2, y + height / 2 + 4, str(count), look))
    return svg(WIDTH, top + height * n + 6, description, marks)
