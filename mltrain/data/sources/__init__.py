"""Where examples come from: one file a source, and the list of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import ValidationError

from mltrain.data.sources.csv import CsvSource
from mltrain.data.sources.image_folder import ImageFolderSource
from mltrain.data.sources.inline import InlineSource
from mltrain.data.sources.jsonl import JsonlSource
from mltrain.data.sources.npz import NpzSource
from mltrain.data.sources.parquet import ParquetSource
from mltrain.data.sources.sklearn import SklearnSource
from mltrain.data.sources.synthetic import SyntheticSource
from mltrain.errors import DataError, UsageError
from mltrain.spec import OneOf

if TYPE_CHECKING:
    from mltrain.data.table import Table

SOURCES = (
    SklearnSource,
    CsvSource,
    ParquetSource,
    JsonlSource,
    NpzSource,
    ImageFolderSource,
    InlineSource,
    SyntheticSource,
)

Source = Annotated[
    SklearnSource
    | CsvSource
    | ParquetSource
    | JsonlSource
    | NpzSource
    | ImageFolderSource
    | InlineSource
    | SyntheticSource,
    OneOf("source", *SOURCES),
]

FileSource: TypeAlias = CsvSource | ParquetSource | JsonlSource | NpzSource

_BY_ENDING: dict[str, type[FileSource]] = {
    ".csv": CsvSource,
    ".csv.gz": CsvSource,
    ".tsv": CsvSource,
    ".tsv.gz": CsvSource,
    ".parquet": ParquetSource,
    ".jsonl": JsonlSource,
    ".jsonl.gz": JsonlSource,
    ".npz": NpzSource,
}


def read_file(
    path: Path,
    declared: Mapping[str, str] | None = None,
    like: Any = None,
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Table:
    """Return the table in a file whose name says what it is, or in a folder of images.

    Args:
        path: of the file, or of a folder where the training data was one.
        declared: the kind of each column, by name, so that new data is read as the training data was.
        like: the source of the training data; a file of its kind is read with its settings (delimiter, …), and texts
            that mean "no value" there do so in every file.
        options: what was stated of this file, by the names of the keys of its source: it wins.

    Raises:
        UsageError: the file is not of a kind that has such an option, or its value is wrong.
        DataError: the ending is none that is known, or the file cannot be read.
    """
    if isinstance(like, ImageFolderSource) and path.is_dir():
        return like.model_copy(update={"path": path}).read(0)
    return source_of(path, like, options).read(0, declared, options=True)


def source_of(path: Path, like: Any = None, options: Mapping[str, Any] = MappingProxyType({})) -> FileSource:
    """Return the source that reads the file of that name; arguments and errors as of `read_file`."""
    name = path.name.lower()
    source = next((source for ending, source in _BY_ENDING.items() if name.endswith(ending)), None)
    if source is None:
        packed = name.endswith((".zst", ".xz", ".bz2", ".zip", ".7z"))
        how = "; unpack it first, or compress it with gzip (.gz)" if packed else ""
        raise DataError(f"{path}: unknown kind of file; expected one of these endings: {', '.join(_BY_ENDING)}{how}")
    if type(like) is source:
        found: FileSource = like.model_copy(update={"path": path})
    else:
        found = source(path=path, **_missing_keys(like, source))
    return with_options(found, options)


def _missing_keys(like: Any, source: type[FileSource]) -> dict[str, Any]:
    """Return which texts mean "no value" in a file of another kind than the training data was."""
    if not isinstance(like, FileSource):
        return {}
    usual = like.usual_missing
    if source is CsvSource and usual is False:
        usual = "numbers"  # a text of CSV is all that can stand there; among texts it is what it was in the training
    return {"missing": like.missing, "usual_missing": usual}


def with_options(source: FileSource, options: Mapping[str, Any]) -> FileSource:
    """Return a source with other keys; texts under `missing` are added to those that it has.

    Raises:
        UsageError: it has no such key, or the value is wrong.
    """
    given = {key: value for key, value in options.items() if value is not None and value != ()}
    for key in given:
        if key not in type(source).model_fields:
            option = f"--{key.replace('_', '-')}"
            raise UsageError(f"{option} is for CSV files, and {source.path.name} is read as {source.type} (remove it)")
    if "missing" in given:
        given["missing"] = (*source.missing, *given["missing"])
    if not given:
        return source
    try:
        return type(source).model_validate(
            {**{name: getattr(source, name) for name in type(source).model_fields}, **given}
        )
    except ValidationError as error:
        first = error.errors()[0]
        option = f"--{str(first['loc'][0] if first['loc'] else next(iter(given))).replace('_', '-')}"
        raise UsageError(f"{option}: {first['msg'].removeprefix('Value error, ')}") from None
