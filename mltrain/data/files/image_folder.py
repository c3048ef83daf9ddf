"""A folder with one folder of images per class → Table."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from mltrain.data.files.image_files import images_by_class
from mltrain.data.files.image_form import ImageForm
from mltrain.data.files.images import read_images
from mltrain.data.table import Origin, Table
from mltrain.problems import printable
from mltrain.task import Decision

IMAGE, CLASS = "image", "class"


@dataclass(frozen=True)
class FilesOrigin(Origin):
    """Rows of which each is a file."""

    files: tuple[str, ...]

    def place(self, row: int) -> str:
        """Return the name of the file, safe to print."""
        return printable(self.files[row])

    def file(self, row: int) -> str:
        """Return the name of the file."""
        return self.files[row]


def read_image_folder(folder: Path, form: ImageForm, *, nested: bool = False) -> Table:
    """Return the images below a folder and their classes, as the columns `image` and `class`.

    The fingerprint is of the names below the folder and of the bytes of the files, not of their dates. `nested` is as
    for `images_by_class`.

    Raises:
        DataError: the folder has another form, or files are not images; it names all of them.
        OutOfMemoryError: there is not enough memory for the images.
    """
    found, classes = images_by_class(folder, nested=nested)
    images = read_images(found.files, form, found.bad)
    name = printable(folder.name)
    hidden = (Decision("source.hidden", f"{len(found.hidden)}", found.hidden_sentence),) if found.hidden else ()
    digest = hashlib.sha256()
    for label, file, sha256 in zip(classes, found.files, images.sha256, strict=True):
        digest.update(f"{label}/{file.path.relative_to(folder / label).as_posix()}\0{sha256}\n".encode())
    return Table(
        {IMAGE: images.pixels, CLASS: pa.array(classes, pa.string())},
        FilesOrigin(name, tuple(file.name for file in found.files)),
        digest.hexdigest(),
        target=CLASS,
        decisions=(*hidden, *images.conversions.decisions(form, len(found.files))),
    )
