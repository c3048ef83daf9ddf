"""Where examples come from: one file a source, and the list of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from mltrain.data.sources.csv import CsvSource
from mltrain.data.sources.image_folder import ImageFolderSource
from mltrain.data.sources.inline import InlineSource
from mltrain.data.sources.jsonl import JsonlSource
from mltrain.data.sources.npz import NpzSource
from mltrain.data.sources.parquet import ParquetSource
from mltrain.data.sources.sklearn import SklearnSource
from mltrain.data.sources.synthetic import SyntheticSource
from mltrain.errors import DataError
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


def read_file(path: Path, declared: Mapping[str, str] | None = None, like: Any = None) -> Table:
    """Return the table in a file whose name says what it is, or in a folder of images.

    Args:
        path: of the file, or of a folder where the training data was one.
        declared: the kind of each column, by name, so that new data is read as the training data was.
        like: the source of the training data; a file of its kind is read with its settings (delimiter, missing, …).

    Raises:
        DataError: the ending is none that is known, or the file cannot be read.
    """
    if isinstance(like, ImageFolderSource) and path.is_dir():
        return like.model_copy(update={"path": path}).read(0)
    return source_of(path, like).read(0, declared)


def source_of(path: Path, like: Any = None) -> FileSource:
    """Return the source that reads the file of that name; arguments and errors as of `read_file`."""
    name = path.name.lower()
    source = next((source for ending, source in _BY_ENDING.items() if name.endswith(ending)), None)
    if source is None:
        raise DataError(f"{path}: unknown kind of file (known endings: {', '.join(_BY_ENDING)})")
    return like.model_copy(update={"path": path}) if type(like) is source else source(path=path)
