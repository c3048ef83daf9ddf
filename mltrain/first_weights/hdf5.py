"""The arrays of an HDF5 file that may come from a stranger. No TensorFlow, and no code or config of the file.

The file is read into memory once, and its sha256 is of these bytes. Its groups are walked before anything is taken:
links to other places, storage in other files and filters that would load a library are refused. An array is read only
when it is asked for, and whoever asks has compared its shape with that of a weight of the model.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mltrain.errors import DataError
from mltrain.first_weights.hdf5_bytes import damaged, longest_text, read_bytes
from mltrain.problems import printable

if TYPE_CHECKING:
    import h5py
    import numpy as np

# NASNetLarge has about 6,000 groups and arrays; an optimizer's state doubles or triples that.
MOST_OBJECTS = 100_000
_DEEPEST = 32
_LONGEST_NAME = 1_000
_MOST_AXES = 16
_MOST_PARTS = 1_000
# Names of a long list can all be one long text of the file: what they may come to together.
_MOST_TEXT = 4 * 2**30
# A part of a compressed array is unpacked as a whole, however large it says that it is.
_SMALL_PART = 16 * 2**20
_RATIO = 200

# What HDF5 unpacks by itself: deflate, shuffle, Fletcher's sum, and LZF, which h5py brings. For any other filter it
# would search the machine for a library.
_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32", 32000: "lzf"}


# What h5py raises for files that are damaged, in whatever part.
_DAMAGED = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, AttributeError, MemoryError)

Place = tuple[str, ...]


@dataclass(frozen=True)
class StoredArray:
    """An array of a file, not read yet.

    Attributes:
        place: the names of the groups that lead to it, and its own.
        shape: as the file says.
        dataset: of the open file.
        file: its name, for messages.
        of_bfloat16: whether its words are bfloat16, which HDF5 does not know.
    """

    place: Place
    shape: tuple[int, ...]
    dataset: h5py.Dataset
    file: str
    of_bfloat16: bool = False

    def read(self) -> np.ndarray:
        """Return its numbers.

        Raises:
            DataError: they are not there, or damaged.
        """
        import numpy as np

        self._refuse_what_is_not_there()
        with _damage_told(self.file):
            array = np.asarray(self.dataset[()])
        if array.shape != self.shape:
            raise DataError(f"{self.file}: {self.name} cannot be read: the file is damaged")
        return array.view(_bfloat16()) if self.of_bfloat16 else array

    @property
    def of_numbers(self) -> bool:
        """Whether it holds numbers that a weight can be, and no texts, objects or records."""
        return self.of_bfloat16 or self.dataset.dtype.kind in "fiu"

    @property
    def name(self) -> str:
        """Its place as messages have it."""
        return printable("/".join(self.place))

    def _refuse_what_is_not_there(self) -> None:
        """Refuse an array that would be filled with zeros, or that unpacks to far more than is stored."""
        with _damage_told(self.file):
            needed = math.prod(self.shape) * self.dataset.dtype.itemsize
            stored = self.dataset.id.get_storage_size()
        if needed and not stored:
            raise DataError(f"{self.file}: {self.name} says that it has {needed:,} bytes, and none are in the file")
        if needed > _SMALL_PART and needed > _RATIO * stored:
            raise DataError(
                f"{self.file}: {self.name} says that it has {needed:,} bytes, and {stored:,} are in the file"
            )


@dataclass(frozen=True)
class OpenFile:
    """An HDF5 file whose groups have been looked at.

    Attributes:
        name: of the file, safe to print.
        sha256: of its bytes.
        groups: by place; the root is the empty place.
        arrays: by place.
        longest_text: no text in it has more bytes.
    """

    name: str
    sha256: str
    groups: Mapping[Place, h5py.Group]
    arrays: Mapping[Place, StoredArray]
    longest_text: int

    def texts(self, place: Place, attribute: str) -> list[str] | None:
        """Return an attribute of a group that is a list of texts, also one that Keras has split; None without it.

        Raises:
            DataError: it is anything else, or too long.
        """
        with _damage_told(self.name):
            attributes = self.groups[place].attrs
            if attribute in attributes:
                return self._texts(attributes, attribute)
            parts: list[str] = []
            number = 0
            while f"{attribute}{number}" in attributes:  # HDF5 holds 64 KB in an attribute
                parts += self._texts(attributes, f"{attribute}{number}")
                if number >= _MOST_PARTS or len(parts) > MOST_OBJECTS:
                    raise DataError(f"{self.name}: more than {MOST_OBJECTS:,} names in {attribute}")
                number += 1
            return parts if number else None

    def text(self, place: Place, attribute: str) -> str | None:
        """Return an attribute that is one text; None without it."""
        with _damage_told(self.name):
            attributes = self.groups[place].attrs
            return self._one_text(attributes, attribute) if attribute in attributes else None

    def _texts(self, attributes: Any, name: str) -> list[str]:
        import h5py

        kind = attributes.get_id(name)
        if kind.dtype.kind == "f" and kind.shape == (0,):  # Keras writes an empty list as numbers
            return []
        if len(kind.shape) != 1 or h5py.check_string_dtype(kind.dtype) is None:
            raise DataError(f"{self.name}: expected a list of names in {printable(name)}")
        self._refuse_much_text(kind.shape[0], kind.dtype, name)
        return [_decoded(each) for each in attributes[name]]

    def _one_text(self, attributes: Any, name: str) -> str | None:
        import h5py

        kind = attributes.get_id(name)
        if kind.shape != () or h5py.check_string_dtype(kind.dtype) is None:
            return None
        self._refuse_much_text(1, kind.dtype, name)
        return _decoded(attributes[name])

    def _refuse_much_text(self, count: int, dtype: np.dtype, name: str) -> None:
        import h5py

        length = h5py.check_string_dtype(dtype).length
        if count > MOST_OBJECTS or count * (self.longest_text if length is None else length) > _MOST_TEXT:
            raise DataError(f"{self.name}: {printable(name)} has more text than names of layers need")


@contextmanager
def open_hdf5(path: Path) -> Iterator[OpenFile]:
    """Open an HDF5 file, with all that is in it looked at; it stays in memory until the end.

    Raises:
        DataError: it is not there, no regular file, no HDF5 file, damaged, too large, or has what Keras never writes
            into files of weights.
    """
    name = printable(path.name)
    data, digest = read_bytes(path)
    longest = longest_text(data, name)
    import h5py

    with _damage_told(name):
        file = h5py.File(io.BytesIO(data), "r")
    with file:
        with _damage_told(name):
            opened = _walked(file, name, digest, longest)
        yield opened


@contextmanager
def _damage_told(name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise damaged(name) from error


def _walked(file: h5py.File, name: str, digest: str, longest_text: int) -> OpenFile:
    """Return the groups and arrays of a file.

    Raises:
        DataError: something in it is not what Keras writes.
    """
    import h5py

    groups: dict[Place, Any] = {(): file["/"]}
    arrays: dict[Place, StoredArray] = {}
    seen = {h5py.h5o.get_info(file["/"].id).addr}
    waiting: list[Place] = [()]
    while waiting:
        place = waiting.pop()
        group = groups[place]
        if len(seen) + len(group) > MOST_OBJECTS:
            raise DataError(f"{name}: more than {MOST_OBJECTS:,} groups and arrays")
        for key in group:
            below = (*place, key)
            _refuse_name(name, below)
            _refuse_link(name, below, group.get(key, getlink=True))
            found = group[key]
            address = h5py.h5o.get_info(found.id).addr
            if address in seen:
                raise DataError(f"{name}: {_shown(below)} is another name of something else in the file: not read")
            seen.add(address)
            if isinstance(found, h5py.Group):
                groups[below] = found
                waiting.append(below)
            elif isinstance(found, h5py.Dataset):
                arrays[below] = _stored(name, below, found)
            else:
                raise DataError(f"{name}: {_shown(below)} is neither a group nor an array: not read")
    return OpenFile(name, digest, groups, arrays, longest_text)


def _shown(place: Sequence[str]) -> str:
    return printable("/".join(place)[:200])


def _refuse_name(name: str, place: Place) -> None:
    key = place[-1]
    if key in ("", ".", "..") or "/" in key or "\0" in key or len(key) > _LONGEST_NAME:
        raise DataError(f"{name}: it has a name that no layer has: {_shown(place)}")
    if len(place) > _DEEPEST:
        raise DataError(f"{name}: more than {_DEEPEST} groups in each other: {_shown(place)}")


def _refuse_link(name: str, place: Place, link: Any) -> None:
    import h5py

    if isinstance(link, h5py.HardLink):
        return
    kind = "another file" if isinstance(link, h5py.ExternalLink) else "another place"
    raise DataError(f"{name}: {_shown(place)} is a link to {kind}: not read")


def _stored(name: str, place: Place, dataset: h5py.Dataset) -> StoredArray:
    """Return an array of a file.

    Raises:
        DataError: its numbers are elsewhere, or packed in a way that Keras does not use.
    """
    creation = dataset.id.get_create_plist()
    if dataset.external or creation.get_external_count():
        raise DataError(f"{name}: the numbers of {_shown(place)} are in another file: not read")
    if dataset.is_virtual:
        raise DataError(f"{name}: {_shown(place)} is put together from other arrays or files: not read")
    others = [each for each in _filters(creation) if each not in _FILTERS]
    if others:
        known = ", ".join(_FILTERS.values())
        raise DataError(f"{name}: {_shown(place)} is packed by the filter {others[0]}; expected none, or {known}")
    if len(dataset.shape or ()) > _MOST_AXES:
        raise DataError(f"{name}: {_shown(place)} has {len(dataset.shape)} axes")
    if dataset.chunks is not None:
        part = math.prod(dataset.chunks) * dataset.dtype.itemsize
        whole = math.prod(dataset.shape) * dataset.dtype.itemsize
        if part > max(_SMALL_PART, 2 * whole):
            raise DataError(f"{name}: {_shown(place)} is packed in parts of {part:,} bytes, and has {whole:,}")
    of_bfloat16 = dataset.dtype.kind == "V" and dataset.dtype.itemsize == 2 and _says_bfloat16(dataset)
    shape = () if dataset.shape is None else tuple(dataset.shape)
    return StoredArray(place, shape, dataset, name, of_bfloat16)


def _filters(creation: Any) -> list[int]:
    return [creation.get_filter(number)[0] for number in range(creation.get_nfilters())]


def _says_bfloat16(dataset: h5py.Dataset) -> bool:
    if "dtype" not in dataset.attrs:
        return False
    kind = dataset.attrs.get_id("dtype")
    return kind.shape == () and kind.get_storage_size() <= 32 and _decoded(dataset.attrs["dtype"]) == "bfloat16"


def _decoded(text: Any) -> str:
    return text.decode("utf-8") if isinstance(text, bytes) else str(text)


def _bfloat16() -> np.dtype:
    import ml_dtypes
    import numpy as np

    return np.dtype(ml_dtypes.bfloat16)
