"""Columns that name image files, or hold them: which these are, and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mltrain.data.encoders.column import RawColumn, is_text
from mltrain.data.features import Feature, IgnoreFeature, ImageFeature
from mltrain.data.features.inference import infer_feature, name_images
from mltrain.data.files.image_decoding import ImageHead
from mltrain.data.files.image_form import ImageForm
from mltrain.data.files.images import looked_at
from mltrain.data.files.row_images import ImageRule, ImagesOfRows, column_of, open_images
from mltrain.data.table import Table
from mltrain.errors import DataError
from mltrain.task import Decision

# So many files are opened to find a size that is not stated, and to recognise a column.
LOOKED_AT = 32
# Larger ones would often need more memory and time than whoever states no size expects.
_LARGEST, _USUAL = 128, 64


@dataclass(frozen=True)
class AskedImages:
    """What a config says of columns of images.

    Attributes:
        features: the kinds of columns, where they are stated.
        others: columns that are used for something else than as features, as the target.
        beside: whether a column, by its name, is one of images beside others where its texts name image files; else
            it is only where there is nothing else to learn from. None: only what is stated is one of images.
    """

    features: Mapping[str, Feature]
    others: frozenset[str] = frozenset()
    beside: Callable[[str], bool] | None = None


def folder_of(source: Any) -> Path | None:
    """Return the folder that files named in the rows of a source are in; None where there is none."""
    path = getattr(source, "path", None)
    return getattr(source, "folder", None) if path is None else Path(path).parent


def image_rules(
    table: Table, folder: Path | None, asked: AskedImages
) -> tuple[dict[str, ImageRule], tuple[Decision, ...]]:
    """Return how the images of each column are read, and what was decided.

    Args:
        table: of the training rows, as it was read.
        folder: as for `ImagesOfRows`.
        asked: what the config says.
    """
    finder = ImagesOfRows(folder, table.origin.name)
    rules: dict[str, ImageRule] = {}
    decisions: list[Decision] = []
    for name, feature in asked.features.items():
        if isinstance(feature, ImageFeature) and name in table.columns and not _holds_arrays(table, name):
            known = feature.size is not None and feature.channels != "auto"
            heads = [] if known else _heads(table, name, finder)
            rules[name], said = _rule(name, feature, heads)
            decisions += said
    for name in table.columns if folder is not None and asked.beside is not None else ():
        beside = asked.beside is not None and asked.beside(name)
        reason = _recognised(table, name, asked, finder, beside=beside) if beside or not rules else ""
        if reason:
            rule, said = _rule(name, ImageFeature(), _heads(table, name, finder))
            rules[name] = replace(rule, reason=reason)
            decisions += said
    return rules, tuple(decisions)


def with_images(
    table: Table, folder: Path | None, rules: Mapping[str, ImageRule], decisions: tuple[Decision, ...] = ()
) -> Table:
    """Return the table with arrays in the place of the images that it names; arguments and errors as `open_images`."""
    opened = open_images(table, folder, rules)
    return replace(opened.table, decisions=(*table.decisions, *decisions, *opened.decisions(rules)))


def stated_images(rules: Mapping[str, ImageRule]) -> dict[str, ImageFeature]:
    """Return columns of images as a config states them."""
    return {
        name: ImageFeature(
            size=(rule.form.height, rule.form.width),
            channels="grayscale" if rule.form.gray else "rgb",
            missing=rule.missing,
        )
        for name, rule in rules.items()
    }


def _holds_arrays(table: Table, name: str) -> bool:
    return isinstance(table.columns[name], np.ndarray)


def _heads(table: Table, name: str, finder: ImagesOfRows) -> list[ImageHead]:
    """Return the heads of some images of a column, spread over its rows; what cannot be read is left out."""
    values = column_of(table, name)
    known = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
    some = known[np.unique(np.linspace(0, len(known) - 1, LOOKED_AT).astype(int))] if len(known) else known
    try:
        found = finder.of_column(values.take(pa.array(some, pa.int64())), name) if len(some) else []
    except DataError:  # whoever reads all of them says what is wrong
        return []
    return looked_at(found)


def _recognised(table: Table, name: str, asked: AskedImages, finder: ImagesOfRows, *, beside: bool) -> str:
    """Return why a column is one of images; empty where it is not."""
    values = table.columns[name]
    if name in asked.others or name in asked.features or isinstance(values, np.ndarray):
        return ""
    if not is_text(values.type) or not name_images(values) or not _heads(table, name, finder):
        return ""
    example = next(text for text in values.to_pylist() if text)
    if not beside:
        rest = [each for each in table.columns if each != name and each not in asked.others]
        if not all(_is_ignored(table, each, asked.features.get(each)) for each in rest):
            return ""
    return f"names image files, such as {example}; to leave it out, set data.features.{name}: ignore"


def _is_ignored(table: Table, name: str, stated: Feature | None) -> bool:
    return isinstance(stated or infer_feature(RawColumn.of(table, name))[0], IgnoreFeature)


def _rule(name: str, feature: ImageFeature, heads: list[ImageHead]) -> tuple[ImageRule, list[Decision]]:
    """Return how a column is read, with what was decided from the heads of some of its images."""
    decisions = []
    if feature.size is not None:
        height, width = feature.size
    else:
        sizes = {(head.height, head.width) for head in heads}
        (height, width), reason = (_USUAL, _USUAL), "the images have different sizes"
        if len(sizes) == 1:
            (found,) = sizes
            small = max(found) <= _LARGEST
            size = f"{found[0]} x {found[1]}"
            height, width = found if small else (height, width)
            reason = f"all images that were looked at are {size}" + ("" if small else ", which is large")
        advice = f"to choose, set data.features.{name}: {{type: image, size: [height, width]}}"
        decisions.append(Decision(f"features.{name}.size", f"{height} x {width}", f"{reason}; {advice}"))
    gray = feature.channels == "grayscale"
    if feature.channels == "auto":
        gray = bool(heads) and all(head.gray for head in heads)
        what = "all images that were looked at are gray" if gray else "images that were looked at are in colour"
        decisions.append(Decision(f"features.{name}.channels", "grayscale" if gray else "rgb", what))
    form = ImageForm(height, width, gray, f"data.features.{name}")
    return ImageRule(form, feature.missing), decisions
