"""What the predictions of a model hang on, in words. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mltrain.counted import counted
from mltrain.problems import printable, shortened
from mltrain.report.text import interval, number
from mltrain.run.explanation import ColumnImportance, Explanation, Importances

# Of more columns the first and the last say enough on a terminal; the page has more, and the file has all.
MOST_LINES = 30
_LONGEST_NAME = 40


def explanation_lines(found: Explanation) -> tuple[str, ...]:
    """Return the importance of each column, a line each, and what is to be said of them. The text is safe to print."""
    if found.importance is None:
        return tuple(map(printable, _of_images(found)))
    shown = found.importance.columns[:MOST_LINES]
    names = [shortened(each.column, _LONGEST_NAME) for each in shown]
    width = max(map(len, (*names, "column")))
    lines = [f"{'column':<{width}}  importance  95 % interval"]
    for name, each in zip(names, shown, strict=True):
        lines.append(f"{name:<{width}}  {number(each.value):>10}  {interval(each.low, each.high)}".rstrip())
    more = len(found.importance.columns) - len(shown)
    lines += [f"… and {more} more columns"] if more else []
    return tuple(map(printable, (*lines, "", *importance_sentences(found.importance, found.split))))


def importance_sentences(found: Importances, split: str) -> Iterator[str]:
    """Yield what the importances are, and which columns cannot be told from zero."""
    yield (
        f"importance: by how much {found.metric}, {number(found.value)} on {found.rows:,} {split} rows, becomes worse "
        f"when the values of a column are dealt out anew among the rows; the mean of {found.permutations} permutations"
    )
    if any(each.value is None for each in found.columns):
        yield f"the predictions are no numbers then: {_names([each for each in found.columns if each.value is None])}"
    measured = [each for each in found.columns if each.value is not None]
    if any(each.low is None for each in measured):
        yield f"{counted(found.rows, 'row')} are too few to tell an importance from zero"
        return
    harmful = [each for each in measured if each.told and each.value is not None and each.value < 0]
    untold = [each for each in measured if not each.told]
    if harmful:
        yield f"better without what these columns say: {_names(harmful)}"
    if untold:
        yield f"cannot be told from zero: {_names(untold)}"
    elif measured and not harmful:
        yield "every column can be told from zero"


def _of_images(found: Explanation) -> Iterator[str]:
    if found.saliency:
        yield f"saliency of the {len(found.saliency)} worst {found.split} images: see the page"
    else:
        yield "there is nothing to explain"


def _names(columns: Sequence[ColumnImportance]) -> str:
    names = [shortened(each.column, _LONGEST_NAME) for each in columns[:MOST_LINES]]
    more = len(columns) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
