"""Folders of image files: what is in them, in an order that no file system decides, and nothing passed over."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mltrain.data.images import ENDINGS, ImageFile
from mltrain.errors import DataError
from mltrain.problems import printable

# What file managers leave behind. Their hidden files begin with a dot, as others do.
_LEFT_BEHIND = {"thumbs.db", "desktop.ini"}
_MOST_NAMED = 5


@dataclass(frozen=True)
class FoundImages:
    """The images of a folder.

    Attributes:
        files: sorted by their names.
        hidden: names of what was left out: hidden files and folders, and what file managers leave behind.
    """

    files: tuple[ImageFile, ...]
    hidden: tuple[str, ...]

    @property
    def hidden_sentence(self) -> str:
        """What was left out, in words; empty where nothing was."""
        more = f" and {len(self.hidden) - _MOST_NAMED} more" if len(self.hidden) > _MOST_NAMED else ""
        named = f"{', '.join(self.hidden[:_MOST_NAMED])}{more}"
        return f"left out, as hidden files are: {named}" if self.hidden else ""


@dataclass(frozen=True)
class _Listed:
    folders: tuple[str, ...]
    images: tuple[str, ...]
    hidden: tuple[str, ...]


def images_by_class(folder: Path) -> tuple[FoundImages, tuple[str, ...]]:
    """Return the images of a folder with one folder a class, class by class, and the class of each.

    Raises:
        DataError: there is anything else than images in the folders of classes, or in a class nothing.
    """
    name = folder.name
    top = _listed(folder, name)
    if not top.folders:
        raise DataError(f"{printable(name)}: there is no folder in it; expected one folder of images a class")
    if top.images:
        raise DataError(
            f"{printable(f'{name}/{top.images[0]}')}: the image has no class; expected one folder of images a class, "
            "and no images beside them"
        )
    files: list[ImageFile] = []
    classes: list[str] = []
    hidden = [f"{name}/{each}" for each in top.hidden]
    for label in top.folders:
        shown = f"{name}/{label}"
        inner = _listed(folder / label, shown)
        if inner.folders:
            raise DataError(
                f"{printable(f'{shown}/{inner.folders[0]}')}: a folder inside of a class; expected images only "
                f"(if {printable(repr(label))} is no class, the source is to name the folder {printable(shown)})"
            )
        if not inner.images:
            raise DataError(f"{printable(shown)}: the class has no image; add some, or remove the folder")
        files += [ImageFile(folder / label / each, f"{shown}/{each}") for each in inner.images]
        classes += [label] * len(inner.images)
        hidden += [f"{shown}/{each}" for each in inner.hidden]
    return FoundImages(tuple(files), tuple(hidden)), tuple(classes)


def images_below(paths: Sequence[Path]) -> FoundImages:
    """Return the images at paths: files as they are, and of folders those at any depth, named by the path to them.

    Raises:
        DataError: there is none, or a folder holds something else.
    """
    files: list[ImageFile] = []
    hidden: list[str] = []
    for path in paths:
        if not path.exists():
            raise DataError(f"{printable(str(path))}: no such file or folder")
        if not path.is_dir():
            _check_name(path.name, str(path))
            if not is_image(path):
                raise _no_image(str(path))
            files.append(ImageFile(path, str(path)))
            continue
        below = list(_below(path))
        files += sorted((image for images, _ in below for image in images), key=lambda image: image.name)
        hidden += sorted(name for _, names in below for name in names)
    if not files:
        raise DataError(f"{printable(str(paths[0]))}: there is no image in it ({', '.join(ENDINGS)})")
    return FoundImages(tuple(files), tuple(hidden))


def are_images(paths: Sequence[Path]) -> bool:
    """Return whether one of the paths is that of an image or a folder, or a name that only a folder could have."""
    return any(is_image(path) or path.is_dir() or not (path.suffix or path.exists()) for path in paths)


def is_image(path: Path) -> bool:
    """Return whether the name is that of an image."""
    return path.suffix.lower() in ENDINGS


def _below(folder: Path) -> Iterator[tuple[list[ImageFile], list[str]]]:
    """Yield images and hidden names of each folder at and below `folder`."""
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        listed = _listed(current, str(current))
        waiting += [current / name for name in listed.folders]
        images = [ImageFile(current / name, str(current / name)) for name in listed.images]
        yield images, [str(current / name) for name in listed.hidden]


def _listed(folder: Path, shown: str) -> _Listed:
    """Return what is in a folder, sorted; refuses what is neither folder nor image."""
    folders, images, hidden = [], [], []
    for entry in _entries(folder, shown):
        name = f"{shown}/{entry.name}"
        if entry.name.startswith(".") or entry.name.lower() in _LEFT_BEHIND:
            hidden.append(entry.name)
            continue
        _check_name(entry.name, name)
        if entry.is_symlink():
            raise DataError(f"{printable(name)}: a symbolic link, which may lead anywhere; put the image itself there")
        if entry.is_dir(follow_symlinks=False):
            folders.append(entry.name)
        elif is_image(Path(entry.name)):
            images.append(entry.name)
        else:
            raise _no_image(name)
    return _Listed(tuple(folders), tuple(images), tuple(hidden))


def _entries(folder: Path, shown: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError as error:
        raise DataError(f"{printable(str(folder))}: no such folder") from error
    except NotADirectoryError as error:
        raise DataError(f"{printable(str(folder))}: expected a folder, found something else") from error
    except OSError as error:
        raise DataError(f"{printable(shown)}: the folder cannot be read: {error.strerror}") from error


def _check_name(name: str, shown: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{printable(shown)}: the name is not UTF-8; rename it") from error


def _no_image(shown: str) -> DataError:
    return DataError(
        f"{printable(shown)}: no image by its name ({', '.join(ENDINGS)}); convert it, or move it out of the folder"
    )
