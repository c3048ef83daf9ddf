"""What to do where no column is left to learn from."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pyarrow.compute as pc

from mltrain.data.encoders.column import is_text
from mltrain.data.features.inference import holds_mostly, is_free_text, name_images
from mltrain.data.table import Table, is_index_name
from mltrain.errors import DataError
from mltrain.wording import listed

_SOUND_FILE = r"(?i)\.(wav|mp3|flac|ogg|m4a|mp4|avi|mov|mkv)$"


def nothing_to_learn_from(train: Table, names: Sequence[str], stated: Collection[str]) -> DataError:
    """Return the error that says why no column is left, and what mltrain takes instead.

    Args:
        train: the training rows.
        names: the columns that could have been features.
        stated: columns whose kind was stated, so that nothing has to be explained.
    """
    where = train.origin.name
    for name in names:
        values = train.columns[name]
        if name in stated or isinstance(values, np.ndarray) or not is_text(values.type):
            continue
        if name_images(values):
            why = (
                f"column '{name}' holds names of image files, and none of them was found below the folder of the "
                f"table; put them there, or state data.features.{name}: image to see what is wrong"
            )
        elif holds_mostly(values, _SOUND_FILE):
            why = (
                f"column '{name}' holds names of sounds or videos, which mltrain does not read; write numbers that are "
                "computed from them as columns, or as arrays into an .npz file"
            )
        else:
            distinct = pc.count_distinct(values).as_py()
            why = (
                f"column '{name}' holds text with {distinct:,} different values; to use them as categories, state "
                f"data.features.{name}: {{type: category, max_categories: {distinct}}}; to use their "
                "words, {type: text}"
            )
        return DataError(f"{where}: no column is left to learn from: {why}")
    ignored = [name for name in names if name in stated]
    if ignored:
        advice = f"; remove 'ignore' from one of them under data.features: {listed(ignored)}"
        return DataError(f"{where}: no column is left to learn from{advice}")
    return DataError(f"{where}: no column is left to learn from (columns: {listed(list(train.columns))})")


def used_text(train: Table, names: Sequence[str], stated: Collection[str]) -> str | None:
    """Return the column of free text to learn from where no other column is left; None if there is none.

    Args:
        train: the training rows.
        names: the columns that could have been features.
        stated: columns whose kind was stated.
    """
    for name in names:
        values = train.columns[name]
        if name not in stated and not is_index_name(name) and is_free_text(values):
            files = name_images(values) or holds_mostly(values, _SOUND_FILE)
            if not files and pc.count_distinct(values).as_py() > 1:
                return name
    return None
