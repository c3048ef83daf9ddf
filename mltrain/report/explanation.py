"""What the predictions of a model depend on, in words. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mltrain.problems import printable, shortened
from mltrain.report.text import interval, number
from mltrain.run.explanation import ColumnImportance, Explanation, Importances
from mltrain.wording import counted, in_words, listed

# A terminal shows this many columns; the page has more, and the file has all.
MOST_LINES = 30
# The end of a training shows this many.
_FIRST = 3
_LONGEST_NAME = 40


def explanation_lines(found: Explanation) -> tuple[str, ...]:
    """Return the importance of each column, one per line, and sentences about them. The text is safe to print."""
    if found.importance is None:
        return tuple(map(printable, _of_images(found)))
    shown = found.importance.columns[:MOST_LINES]
    names = [shortened(each.column, _LONGEST_NAME) for each in shown]
    width = max(map(len, (*names, "column")))
    lines = [f"{'column':<{width}}  importance  95 % interval"]
    for name, each in zip(names, shown, strict=True):
        lines.append(f"{name:<{width}}  {number(each.value):>10}  {interval(each.low, each.high)}".rstrip())
    more = len(found.importance.columns) - len(shown)
    lines += [f"… and {counted(more, 'more column')}"] if more else []
    return tuple(map(printable, (*lines, "", *importance_sentences(found.importance, found.split))))


def explanation_sentences(found: Explanation) -> tuple[str, ...]:
    """Return the columns on which the predictions depend most, in few words. The text is safe to print."""
    if found.importance is None:
        return explanation_lines(found)
    columns = [each for each in found.importance.columns if each.told and each.value is not None and each.value > 0]
    first = [f"{shortened(each.column, _LONGEST_NAME)} ({number(each.value)})" for each in columns[:_FIRST]]
    more = f" and {len(columns) - _FIRST} more" if len(columns) > _FIRST else ""
    most = [f"the {found.split} {found.importance.metric} depends most on {', '.join(first)}{more}"] if first else []
    _, *others = importance_sentences(found.importance, found.split, most=_FIRST)
    return tuple(map(printable, (*most, *others)))


def importance_sentences(found: Importances, split: str, most: int = MOST_LINES) -> Iterator[str]:
    """Yield what the importances are, and which columns do not differ from zero by more than chance explains."""
    yield (
        f"importance: by how much {found.metric}, {number(found.value)} on {found.rows:,} {split} rows, becomes worse "
        f"when the values of a column are shuffled among the rows; the mean of {found.permutations} shuffles"
    )
    wholes = {each.column: each.whole for each in found.columns if each.whole}
    if wholes:
        inside = {"text": "words", "image": "pixels", "array": "numbers"}
        kinds = [*dict.fromkeys(wholes.values())]
        named = listed([shortened(name, _LONGEST_NAME) for name in wholes], most)
        yield (
            f"each {in_words(kinds)} is shuffled as one ({named}): which {in_words([inside[each] for each in kinds])} "
            "matter is not measured"
        )
    if any(each.value is None for each in found.columns):
        not_finite = [each for each in found.columns if each.value is None]
        yield f"shuffling these columns makes predictions NaN or infinite: {_names(not_finite, most)}"
    measured = [each for each in found.columns if each.value is not None]
    if any(each.low is None for each in measured):
        yield f"{counted(found.rows, 'row')} are too few to show whether an importance differs from zero"
        return
    harmful = [each for each in measured if each.told and each.value is not None and each.value < 0]
    untold = [each for each in measured if not each.told]
    if harmful:
        yield f"the predictions are better without these columns: {_names(harmful, most)}"
    if untold:
        yield f"no significant difference from zero: {_names(untold, most)}"
    elif measured and not harmful:
        yield "every column differs significantly from zero"


def _of_images(found: Explanation) -> Iterator[str]:
    if found.saliency:
        yield f"saliency of the {len(found.saliency)} worst {found.split} images: see report.html"
    else:
        yield "there is nothing to explain"


def _names(columns: Sequence[ColumnImportance], most: int) -> str:
    names = [shortened(each.column, _LONGEST_NAME) for each in columns[:most]]
    more = len(columns) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")
