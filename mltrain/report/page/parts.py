"""What the sections of the page are made of: tables, figures, lists of facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mltrain.report.page.charts.frame import Chart
from mltrain.report.page.html import Content, Html, element, joined, plain_text, prose
from mltrain.report.text import number
from mltrain.run.split_result import MetricValue

# More columns do not fit beside each other on a telephone.
_MOST_BESIDE = 4
# The intervals of more columns are broken into two lines.
_MOST_UNBROKEN = 7
_FIGURE_SPACE, _POINT_SPACE, _THIN = "\u2007", "\u2008", "\u2009"


def section(identifier: str, title: str, *content: Content) -> Html:
    """Return a section with its heading."""
    return element("section", element("h2", title, id=identifier), *content, aria_labelledby=identifier)


def sentence(written: str, class_: str | None = None) -> Html:
    """Return a paragraph; what is between back-ticks is code."""
    return element("p", prose(written), class_=class_)


def sub(title: str, *content: Content) -> Html:
    """Return a part of a section with a heading."""
    return element("div", element("h3", title), *content, class_="part")


def table(
    caption: str, header: Sequence[Content], rows: Iterable[Sequence[Content]], texts: int = 1, stacked: bool = False
) -> Html:
    """Return a table whose first column names the rows. On a narrow screen the cells of a wide table are below each
    other, each with the name of its column, so that none is out of sight.

    Args:
        caption: what it shows.
        header: one name per column.
        rows: cells.
        texts: how many columns, from the left, hold text; the others hold numbers.
        stacked: whether the cells are below each other on a narrow screen however few columns there are: long cells.
    """
    names = [plain_text(name) for name in header] if stacked or len(header) > _MOST_BESIDE else []
    head = [
        element("th", name, scope="col", class_="n" if place >= texts else None) for place, name in enumerate(header)
    ]
    body = [
        element(
            "tr",
            [
                element(
                    "td" if place else "th",
                    cell,
                    scope=None if place else "row",
                    class_="n" if place >= texts else None,
                    data_column=names[place] if names and place else None,
                )
                for place, cell in enumerate(row)
            ],
        )
        for row in rows
    ]
    inside = element(
        "table",
        element("caption", prose(caption)),
        element("thead", element("tr", head)),
        element("tbody", body),
        class_=("wide dense" if len(header) > _MOST_UNBROKEN else "wide") if names else None,
    )
    # What can be scrolled must be reachable by the keyboard.
    return element("div", inside, class_="scroll", tabindex="0", role="region", aria_label=caption)


def figures(charts: Iterable[Chart]) -> Html:
    """Return the charts beside each other, if there is room."""
    return element("div", map(figure, charts), class_="figures")


def figure(chart: Chart) -> Html:
    """Return a chart with its sentence."""
    return element("figure", chart.svg, element("figcaption", prose(chart.caption)))


def facts(pairs: Iterable[tuple[str, Content]]) -> Html:
    """Return names and what is known under each."""
    return element("dl", [joined(element("dt", name), element("dd", value)) for name, value in pairs], class_="facts")


def folded(title: str, *content: Content, shown: bool = False) -> Html:
    """Return something that opens when its title is chosen."""
    return element("details", element("summary", title), *content, open=shown)


def value_cell(value: MetricValue | None) -> Content:
    """Return a metric, its interval below it."""
    if value is None:
        return ""
    if value.value is None:
        return element("span", "–", title=value.undefined)
    shown = interval(value)
    return joined(number(value.value), element("span", shown, class_="range") if shown else None)


def interval(value: MetricValue) -> str:
    """Return the interval of a metric as `0.9041 to 0.9823`; "" where there is none."""
    if value.low is None or value.high is None:
        return ""
    return f"{number(value.low)} to {number(value.high)}"


def aligned(column: Sequence[str]) -> list[str]:
    """Return numbers padded behind, so that their points stand below each other in digits of equal width."""
    digits = [len(cell.partition(".")[2]) if _is_number(cell) else -1 for cell in column]
    longest = max(digits, default=0)
    return [_padded(cell, longest, of) for cell, of in zip(column, digits, strict=True)]


def _padded(cell: str, longest: int, digits: int) -> str:
    if digits < 0:
        return cell
    point = _POINT_SPACE if longest > 0 and "." not in cell else ""
    return cell + point + _FIGURE_SPACE * (longest - digits)


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "", 1).lstrip("-").isdigit()
