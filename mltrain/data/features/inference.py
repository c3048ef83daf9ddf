"""What a column is when nobody said it: by its values in the training rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mltrain.data.encoders.column import RawColumn, is_empty, is_number, is_text, is_time
from mltrain.data.features import (
    ArrayFeature,
    BooleanFeature,
    CategoryFeature,
    DatetimeFeature,
    Feature,
    IgnoreFeature,
    ImageFeature,
    NumberFeature,
)
from mltrain.data.files.text_codes import codes_example, other_date
from mltrain.data.table import Column, is_index_name
from mltrain.task import Decision

_IMAGE_FILE = r"(?i)\.(png|jpe?g|bmp|gif|tiff?|webp)$"
# A text column with more different values than both limits is taken for names or remarks.
FEW_CATEGORIES = 50
CATEGORIES_SHARE = 0.05
# Two words and a letter, or four characters in scripts without spaces: shorter texts are names.
_SEVERAL_WORDS = r"\S\s+\S+\s+\S|[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]{4}"
# One 0/1 column each: beyond this a share of many rows would fill the memory.
MOST_CATEGORIES = 1000
_AS_DATES = "to read them as dates, set data.source.date_format: DD/MM/YYYY (or how they are written)"


def is_free_text(values: Column) -> bool:
    """Return whether most values are texts of several words."""
    if isinstance(values, np.ndarray) or not is_text(values.type) or is_empty(values):
        return False
    return holds_mostly(values, _SEVERAL_WORDS)


def name_images(values: pa.Array) -> bool:
    """Return whether most texts are names of image files."""
    return holds_mostly(values, _IMAGE_FILE)


def holds_mostly(values: pa.Array, pattern: str) -> bool:
    """Return whether more than half of the texts that are there have a match of a pattern."""
    return (pc.sum(pc.match_substring_regex(values, pattern)).as_py() or 0) * 2 > len(values) - values.null_count


def infer_feature(column: RawColumn) -> tuple[Feature, Decision]:
    """Return what a column of the training rows is, and why."""
    feature, reason = _infer(column)
    return feature, Decision(f"features.{column.name}", feature.type, reason)


def _infer(column: RawColumn) -> tuple[Feature, str]:
    values = column.values
    if column.images is not None:
        return ImageFeature(), column.images.reason
    if is_index_name(column.name):
        return IgnoreFeature(), (
            "pandas wrote its row index here, which is not a property of the row; to use it anyway, set "
            f"data.features.{column.name}: number"
        )
    if isinstance(values, np.ndarray):
        return _infer_array(values)
    if is_empty(values):
        return IgnoreFeature(), "no training row has a value"
    if pa.types.is_boolean(values.type):
        return BooleanFeature(), "holds booleans"
    if is_number(values.type):
        return NumberFeature(), "holds numbers"
    if is_time(values.type):
        return _infer_time(values)
    return _infer_text(column.name, values)


def _infer_time(values: pa.Array) -> tuple[Feature, str]:
    known = pc.unique(pc.drop_null(values))
    if len(known) == 1:
        return IgnoreFeature(), f"every training row has {known[0].as_py()}, so nothing can be learned from it"
    return DatetimeFeature(), "holds dates"


def _infer_text(name: str, values: pa.Array) -> tuple[Feature, str]:
    distinct, rows = pc.count_distinct(values).as_py(), len(values)
    limit = min(max(FEW_CATEGORIES, int(CATEGORIES_SHARE * rows)), MOST_CATEGORIES)
    code, date = codes_example(values), other_date(values)
    if name_images(values) and 2 * distinct > rows:
        return IgnoreFeature(), (
            "holds names of image files; to learn from them, put the files below the folder of the table, take a model "
            f"of several inputs (fusion, graph), and set data.features.{name}: image"
        )
    if distinct <= limit:
        if code is not None:
            return CategoryFeature(), (
                f"holds digits that are codes, such as {code!r}, as a number would lose a leading zero or an E (to "
                f"read numbers: data.features.{name}: number)"
            )
        if date is not None:
            return CategoryFeature(), f"holds texts such as {date!r}; {_AS_DATES}"
        return CategoryFeature(), "holds text with few different values"
    if date is not None:
        return IgnoreFeature(), f"holds {distinct} different texts such as {date!r}; {_AS_DATES}"
    if code is not None:
        return IgnoreFeature(), (
            f"holds {distinct} different codes such as {code!r} in {rows} training rows; more than {limit} are taken "
            f"for names (to use them: data.features.{name}: {{type: category, max_categories: {distinct}}}, or number)"
        )
    if is_free_text(values):
        return IgnoreFeature(), (
            f"holds free text, which is learned from beside other columns where that is stated: data.features.{name}: "
            "{type: text, encoding: tf_idf} makes columns of it; {type: text} makes tokens, for a model that takes "
            "this column alone"
        )
    return IgnoreFeature(), (
        f"holds text with {distinct} different values in {rows} training rows; more than {limit} are taken for names "
        f"(to use it: data.features.{name}: {{type: category, max_categories: {distinct}}})"
    )


def _infer_array(values: np.ndarray) -> tuple[Feature, str]:
    looks_like_images = values.ndim == 4 and values.shape[-1] in (1, 3, 4)
    if looks_like_images or (values.ndim in (3, 4) and values.dtype == np.uint8):
        if values.dtype.kind in "if" and values.size and values.min() < 0:
            return ImageFeature(
                scale="none"
            ), "arrays with the shape of images that are already scaled, because some values are negative"
        return ImageFeature(), f"arrays with the shape of images, {values.shape[1:]}, {values.dtype}"
    if values.dtype.kind in "iu" and values.dtype != np.uint8:
        return ArrayFeature(
            scale="none"
        ), "arrays of whole numbers, used as index numbers for an Embedding layer and not scaled"
    return ArrayFeature(), f"arrays of shape {values.shape[1:]}, {values.dtype}"
