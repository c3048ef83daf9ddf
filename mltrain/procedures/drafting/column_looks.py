"""What a column holds, in the words of a comment, and the kind that the config states for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.audit.columns import count_rows
from mltrain.data.encoders.column import RawColumn, is_number, is_text, is_time, numbers_of
from mltrain.data.features.inference import infer_feature, is_free_text
from mltrain.data.files.text_codes import codes_example, other_date
from mltrain.data.table import Table
from mltrain.data.target import NUMBER_WITH_SIGN
from mltrain.problems import shortened

# This many rows show a median as well as all do.
_MOST_ROWS = 100_000
# A mean this many times the median shows a long tail.
_SKEWED = 2
_HALF = 0.5
_SHOWN, _LONGEST_NAME, _LONGEST_NAMES = 4, 24, 50
# What rows are often several of. A column of such names says which rows belong together.
_ENTITIES = (
    *("account", "animal", "athlete", "client", "company", "customer", "driver", "employee", "family", "firm", "group"),
    *(
        "hospital",
        "household",
        "individual",
        "member",
        "participant",
        "patient",
        "person",
        "player",
        "school",
        "student",
    ),
    *(
        "subject",
        "user",
        "batch",
        "case",
        "device",
        "engine",
        "machine",
        "plot",
        "product",
        "sensor",
        "session",
        "shop",
    ),
    *("site", "station", "store", "unit", "vehicle", "ward"),
)
# What numbers that count the rows may be instead: times in order.
_TIMES = {"year", "month", "week", "day", "date", "time", "hour", "minute", "second", "timestamp", "step"}
# With fewer rows, numbers that are all different say nothing.
_FEWEST = 50
# Texts of which each is in so many rows are categories, also where mltrain would not take them as such by itself.
_MANY_CATEGORIES, _ROWS_OF_CATEGORY = 200, 5
_IDS = ("id", "ids", "uuid", "guid", "key")
_NAMING = ("name", "number", "nr", "no", "code")
# Fewer rows of each value, or fewer values, are no groups that a split could keep together.
_ROWS_OF_GROUP, _GROUPS = 1.25, 20


@dataclass(frozen=True)
class Look:
    """A column as it was seen.

    Attributes:
        name: of the column.
        kind: what the config states.
        inferred: whether mltrain would find the same kind.
        holds: what is in it, such as "numbers 12 to 98,000".
        remark: why its kind is that one, or what to think about; empty where there is nothing to say.
        is_group: whether it names things of which many have several rows.
        is_series: whether there is one row per time, in order.
        of_table: whether it is a column of the table, and not an array or the name of an image.
    """

    name: str
    kind: str
    inferred: bool
    holds: str
    remark: str = ""
    is_group: bool = False
    is_series: bool = False
    of_table: bool = True


def look_at(table: Table, name: str, stated: tuple[str, str] | None = None) -> Look:
    """Return what a column holds and what it should be.

    Args:
        table: all rows.
        name: of the column.
        stated: its kind and why, where only that makes it readable.
    """
    column = RawColumn.of(table, name)
    values = column.values
    if not name:
        return Look(name, "ignore", False, "", "a column without a name")
    if stated is not None:
        kind, reason = stated
        return Look(name, kind, False, "" if kind == "ignore" else _holds(column), reason)
    feature, decision = infer_feature(column)
    if isinstance(values, np.ndarray):
        return Look(name, feature.type, True, column.holds(), of_table=False)
    known = values.drop_null()
    if not len(known):
        return Look(name, "ignore", True, "no row has a value")
    distinct = int(pc.count_distinct(known).as_py())
    if distinct == 1 and not values.null_count:
        inferred = feature.type == "ignore"
        return Look(name, "ignore", inferred, f"every row has {label(known[0].as_py())}")
    holds = _holds(column)
    if is_text(values.type):
        return _of_texts(name, values, distinct, (feature.type, decision.reason), holds)
    if is_number(values.type):
        return _of_numbers(column, distinct, holds)
    series = is_time(values.type) and not values.null_count and distinct == len(values) and _ascends(values)
    return Look(name, feature.type, True, holds, is_series=series)


def _of_numbers(column: RawColumn, distinct: int, holds: str) -> Look:
    name, rows = column.name, len(column.values)
    if rows >= _FEWEST and count_rows(column):
        if _TIMES.intersection(words_of(name)) and _ascends(column.values):
            return Look(name, "number", True, holds, is_series=True)
        return Look(name, "ignore", False, holds, "another number in each row, which says nothing of other rows")
    numbers = pc.drop_null(column.values).cast(pa.float64(), safe=False)
    whole = bool(pc.all(pc.equal(numbers, pc.floor(numbers))).as_py())
    group = whole and _is_group(name, distinct, rows)
    if not whole or distinct <= 2 or not (group or _ends_in_id(name)):
        return Look(name, "number", True, holds)
    if not group and _are_categories(distinct, rows):
        return Look(name, "category", False, f"{distinct} different numbers that are names")
    why = "numbers that are names, not amounts"
    return Look(name, "ignore", False, holds, f"{distinct:,} different {why}", is_group=group)


def _of_texts(name: str, values: pa.Array, distinct: int, inferred: tuple[str, str], holds: str) -> Look:
    kind, reason = inferred
    if kind == "category" and distinct == len(values) > 2:
        return Look(name, "ignore", False, holds, "another text in each row")
    group = _is_group(name, distinct, len(values))
    if kind != "ignore":
        remark = reason if codes_example(values) is not None or other_date(values) is not None else ""
        return Look(name, kind, True, holds, remark, is_group=group)
    signed = pc.match_substring_regex(values, NUMBER_WITH_SIGN)
    if (pc.sum(signed).as_py() or 0) * 2 > len(values) - values.null_count:
        example = shortened(values.filter(pc.fill_null(signed, False))[0].as_py())
        why = f"numbers with a sign or a unit, such as {example}: remove it from the file to learn from the numbers"
        return Look(name, kind, True, "", why)
    if is_free_text(values) and "free text" in reason:
        why = "free text; {type: text, encoding: tf_idf} in place of ignore makes columns of its words"
        return Look(name, kind, True, "", why)
    if distinct == len(values) - values.null_count:
        return Look(name, kind, True, "", "another text in each row")
    if "taken for names" in reason and codes_example(values) is None:
        return _of_many_texts(name, values, distinct, holds, group)
    return Look(name, kind, True, "", reason, is_group=group, of_table="image files" not in reason)


def _of_many_texts(name: str, values: pa.Array, distinct: int, holds: str, group: bool) -> Look:
    """Return what a column is of more different texts than are taken as categories where nothing is stated."""
    if not group and _are_categories(distinct, len(values)):
        return Look(name, "category", False, holds)
    why = f"{distinct:,} different texts; category in place of ignore would use them"
    return Look(name, "ignore", True, "", why, is_group=group)


def _are_categories(distinct: int, rows: int) -> bool:
    return distinct <= _MANY_CATEGORIES and distinct * _ROWS_OF_CATEGORY <= rows


def _ends_in_id(name: str) -> bool:
    """Return whether the name of a column says that its values name something, such as `area_id` or `customerId`."""
    *_, last = words_of(name) or [""]
    return last in _IDS or (last.endswith("id") and last.removesuffix("id") in _ENTITIES)


def _names_entities(name: str) -> bool:
    """Return whether the name of a column is that of things that have several rows, such as `patient` or `user_id`."""
    *before, last = words_of(name) or [""]
    if not before:
        return last == "id" or last in _ENTITIES or (last.endswith("id") and last.removesuffix("id") in _ENTITIES)
    return last in (*_IDS, *_NAMING) and before[-1] in _ENTITIES


def words_of(name: str) -> list[str]:
    """Return the words in the name of a column: `customer`, `id` of `customerId`."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)]


def _is_group(name: str, distinct: int, rows: int) -> bool:
    return _names_entities(name) and distinct >= _GROUPS and distinct * _ROWS_OF_GROUP <= rows


def _ascends(values: pa.Array) -> bool:
    times = np.asarray(values.cast(pa.timestamp("us")).cast(pa.int64()) if is_time(values.type) else values)
    return bool((np.diff(times) > 0).all())


def _holds(column: RawColumn) -> str:
    """Return in words what is in a column of single values, and how much is missing."""
    values = cast(pa.Array, column.values)
    lacking = values.null_count / len(values)
    missing = f", {share(lacking)} missing" if lacking else ""
    if is_number(values.type):
        return numbers_in_words(numbers_of(column)) + missing
    if pa.types.is_boolean(values.type):
        return f"true in {share((pc.sum(values).as_py() or 0) / (len(values) - values.null_count))}{missing}"
    if is_time(values.type):
        ends = pc.min_max(values).as_py()
        return f"{_time(ends['min'])} to {_time(ends['max'])}{missing}"
    return classes_in_words(values) + missing


def numbers_in_words(numbers: np.ndarray) -> str:
    """Return where numbers are, (rows,) with NaN where missing: `12 to 98,000, median 40, skewed (…)`."""
    known = numbers[~np.isnan(numbers)]
    some = known[:: -(-len(known) // _MOST_ROWS)]
    low, high, median, mean = float(known.min()), float(known.max()), float(np.median(some)), float(some.mean())
    if set(np.unique(some).tolist()) == {0.0, 1.0}:
        return f"0 or 1, {share(mean)} are 1"
    words = f"{shown(low)} to {shown(high)}, median {shown(median)}"
    if low >= 0 and median > 0 and mean >= _SKEWED * median:
        words += f", skewed (the mean is {mean / median:.2g} times the median)"
    elif median == 0 and low >= 0:
        words = f"{shown(low)} to {shown(high)}, 0 in {share(float((some == 0).mean()))}"
    return words


def classes_in_words(values: pa.Array) -> str:
    """Return the most frequent values of a column of texts, and how many there are."""
    counts = sorted(pc.value_counts(values.drop_null()).to_pylist(), key=lambda each: (-each["counts"], each["values"]))
    names = [shortened(str(each["values"]), _LONGEST_NAME) for each in counts[:_SHOWN]]
    while len(", ".join(names)) > _LONGEST_NAMES:
        names.pop()
    more = f", … ({len(counts):,} in all)" if len(counts) > len(names) else ""
    return ", ".join(names) + more


def share(value: float) -> str:
    """Return a share as `3 %`, and one that is nearly nothing or nearly all as such."""
    percent = 100 * value
    if 0 < percent < 1:
        return "under 1 %"
    if 99 < percent < 100:
        return "over 99 %"
    return f"{percent:.0f} %"


def shown(value: Any) -> str:
    """Return a value of a column as a comment shows it."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return shortened(str(value), 40)
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}" if abs(value) >= 10_000 else str(int(value))
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e9 else f"{value:.4g}"


def label(value: Any) -> str:
    """Return a class or a category as a comment shows it: numbers as they are in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else shortened(str(value), 30)


def _time(value: Any) -> str:
    text = str(value)
    return text.removesuffix("+00:00").removesuffix(" 00:00:00")
