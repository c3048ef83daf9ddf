"""What all plots share: an empty figure, the look of each split, text that is safe to draw, and the PNG.

Matplotlib is imported in the functions: it costs 0.3 s, and only the end of a training needs it. pyplot is never
imported: it picks a display, and keeps every figure.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mltrain.problems import shortened
from mltrain.report.plots.fonts import drawable, families

DOTS_PER_INCH = 120
BLUE, VERMILLION, GREEN, BLACK, GRAY = "#0072B2", "#D55E00", "#009E73", "#000000", "#6E6E6E"
# Of splits that have another name, as rows of a file, the look is that of the test split.
LOOKS: Mapping[str, Mapping[str, Any]] = {
    "train": {"color": BLUE, "linestyle": "-", "marker": "o"},
    "validation": {"color": VERMILLION, "linestyle": "--", "marker": "s"},
    "test": {"color": GREEN, "linestyle": ":", "marker": "^"},
}


@contextmanager
def figure(width: float, height: float) -> Iterator[Any]:
    """Give an empty figure of that size, in inches, in Matplotlib's own style. A matplotlibrc does not change it."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False})
        yield Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")


def png(drawn: Any) -> bytes:
    """Return the figure as PNG, without the version of matplotlib in it: equal plots are equal files."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    _choose_fonts(drawn)
    buffer = io.BytesIO()
    FigureCanvasAgg(drawn).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def label(text: str, longest: int = 60) -> str:
    """Return text from data or config as it can be drawn: one short line, no formulas, `□` for what no font has."""
    # Two dollar signs would make a formula of what is between them; a backslash before each makes it plain text.
    return drawable(shortened(text, longest)).replace("$", r"\$")


def _choose_fonts(drawn: Any) -> None:
    """Let the texts of a figure use other fonts for the characters that Matplotlib's own font lacks."""
    from matplotlib.text import Text

    for axes in [each for one in drawn.axes for each in (one, *one.child_axes)]:
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_majorticklabels()  # writes the names into the ticks
    texts = drawn.findobj(Text)
    names = families(each.get_text() for each in texts)
    if len(names) > 1:
        for each in texts:
            each.set_fontfamily(names)
