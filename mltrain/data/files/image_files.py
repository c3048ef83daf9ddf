"""Folders of image files: what is in them, in an order that no file system decides, and nothing ignored in silence."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mltrain.data.files.bad_images import BadImage, BadImagesError
from mltrain.data.files.images import ENDINGS, ImageFile
from mltrain.errors import DataError
from mltrain.problems import printable

# Files that file managers leave behind. Their hidden files begin with a dot, as others do.
_LEFT_BEHIND = {"thumbs.db", "desktop.ini"}
_SOUNDS = {".wav", ".mp3", ".flac", ".ogg", ".m4a", ".mp4", ".avi", ".mov", ".mkv"}
SOUNDS_INSTEAD = "write numbers that are computed from the files as columns, or as arrays into an .npz file"
_MOST_NAMED = 5
# What folders are often called that are splits and not classes.
_SPLITS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
# A path that YAML takes without quotes.
_PLAIN = re.compile(r"[\w./-]+")


@dataclass(frozen=True)
class FoundImages:
    """The images of a folder.

    Attributes:
        files: sorted by their names.
        hidden: names of what was left out: hidden files and folders, and what file managers leave behind.
        bad: what cannot be used: files of other kinds, links.
    """

    files: tuple[ImageFile, ...]
    hidden: tuple[str, ...]
    bad: tuple[BadImage, ...]

    @property
    def hidden_sentence(self) -> str:
        """What was left out, in words; empty where nothing was."""
        more = f" and {len(self.hidden) - _MOST_NAMED} more" if len(self.hidden) > _MOST_NAMED else ""
        named = f"{', '.join(self.hidden[:_MOST_NAMED])}{more}"
        return f"left out because hidden: {named}" if self.hidden else ""


@dataclass(frozen=True)
class _Listed:
    folders: tuple[str, ...]
    images: tuple[str, ...]
    hidden: tuple[str, ...]
    bad: tuple[BadImage, ...]
    linked_folders: int


def images_by_class(folder: Path, *, nested: bool = False) -> tuple[FoundImages, tuple[str, ...]]:
    """Return the images of a folder with one folder per class, class by class, and the class of each.

    Args:
        folder: that of the folders.
        nested: whether images in folders inside a folder of a class belong to the class.

    Raises:
        DataError: it is not a folder that holds folders.
    """
    name = folder.name
    top = _listed(folder, name)
    if not (top.folders or top.linked_folders):
        raise DataError(
            f"{printable(name)}: there is no folder in it; expected one folder of images per class{_sounds(top.bad)}"
        )
    _refuse_splits(folder, top.folders)
    bad = list(top.bad)
    bad += [
        BadImage.because(
            f"{name}/{image}",
            "the image has no class; expected one folder of images per class, and no images beside the folders",
        )
        for image in top.images
    ]
    files: list[ImageFile] = []
    classes: list[str] = []
    hidden = [f"{name}/{each}" for each in top.hidden]
    for label in top.folders:
        shown = f"{name}/{label}"
        found, inside = _images_of(folder / label, shown, nested=nested)
        bad += found.bad
        lone = len(top.folders) == 1 and not (found.files or top.images)
        bad += [_folder_in_class(f"{shown}/{each}", shown if lone else "") for each in inside]
        if not (found.files or inside or found.bad):
            bad.append(BadImage.because(shown, "the class has no images; add some, or remove the folder", folder=True))
        files += found.files
        classes += [label] * len(found.files)
        hidden += found.hidden
    return FoundImages(tuple(files), tuple(hidden), tuple(bad)), tuple(classes)


def _images_of(folder: Path, shown: str, *, nested: bool) -> tuple[FoundImages, tuple[str, ...]]:
    """Return the images of a class, and the folders in it whose images are not among them."""
    files: list[ImageFile] = []
    hidden: list[str] = []
    bad: list[BadImage] = []
    inside: list[str] = []
    waiting = [(folder, shown)]
    while waiting:
        current, name = waiting.pop()
        try:
            listed = _listed(current, name)
        except DataError as error:
            bad.append(BadImage(name, str(error), folder=True))
            continue
        files += [ImageFile(current / each, f"{name}/{each}") for each in listed.images]
        hidden += [f"{name}/{each}" for each in listed.hidden]
        bad += listed.bad
        if nested:
            waiting += [(current / each, f"{name}/{each}") for each in listed.folders]
        else:
            inside += listed.folders
    files.sort(key=lambda file: file.name)
    return FoundImages(tuple(files), tuple(sorted(hidden)), tuple(bad)), tuple(inside)


def images_below(paths: Sequence[Path]) -> FoundImages:
    """Return the images at paths: files as they are, and of folders those at any depth, named by the path to them.

    Raises:
        DataError: a path does not exist, a folder cannot be read, or there is nothing in the folders.
    """
    absent = [path for path in paths if not path.exists()]
    if absent:
        raise BadImagesError([BadImage.because(str(path), "no such file or folder") for path in absent], len(paths))
    files: list[ImageFile] = []
    hidden: list[str] = []
    bad: list[BadImage] = []
    for path in paths:
        if not path.is_dir():
            wrong = not_an_image(path.name, str(path))
            if wrong is None:
                files.append(ImageFile(path, str(path)))
            else:
                bad.append(wrong)
            continue
        below = list(_below(path))
        files += sorted((image for images, _ in below for image in images), key=lambda image: image.name)
        hidden += sorted(f"{shown}/{name}" for _, (shown, listed) in below for name in listed.hidden)
        bad += [each for _, (_, listed) in below for each in listed.bad]
    if not (files or bad):
        raise DataError(f"{printable(str(paths[0]))}: there are no images in it ({', '.join(ENDINGS)})")
    return FoundImages(tuple(files), tuple(hidden), tuple(bad))


def _sounds(bad: Sequence[BadImage]) -> str:
    return f"; {SOUNDS_INSTEAD}" if any(Path(each.name).suffix.lower() in _SOUNDS for each in bad) else ""


def are_images(paths: Sequence[Path]) -> bool:
    """Return whether one of the paths is that of an image or a folder, or a name that only a folder could have."""
    return any(is_image(path) or path.is_dir() or not (path.suffix or path.exists()) for path in paths)


def is_image(path: Path) -> bool:
    """Return whether the name is that of an image."""
    return path.suffix.lower() in ENDINGS


def not_an_image(name: str, shown: str) -> BadImage | None:
    """Return why a file cannot be an image by its name, or None; `shown` is the name in messages."""
    if not is_image(Path(name)):
        reason = f"not an image by its name ({', '.join(ENDINGS)}); convert it, or move it out of the folder"
        if Path(name).suffix.lower() in _SOUNDS:
            reason = f"a sound or a video, and image_folder takes images only; {SOUNDS_INSTEAD}"
        return BadImage.because(shown, reason)
    return _not_utf_8(name, shown)


def _below(folder: Path) -> Iterator[tuple[list[ImageFile], tuple[str, _Listed]]]:
    """Yield the images of each folder at and below `folder`, with its name and all that is in it."""
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        listed = _listed(current, str(current))
        waiting += [current / name for name in listed.folders]
        yield [ImageFile(current / name, str(current / name)) for name in listed.images], (str(current), listed)


def _listed(folder: Path, shown: str) -> _Listed:
    """Return what is in a folder, sorted."""
    folders: list[str] = []
    images: list[str] = []
    hidden: list[str] = []
    bad: list[BadImage] = []
    linked_folders = 0
    for entry in _entries(folder, shown):
        name = f"{shown}/{entry.name}"
        if entry.name.startswith(".") or entry.name.lower() in _LEFT_BEHIND:
            hidden.append(entry.name)
        elif entry.is_symlink():
            linked_folders += Path(entry.path).is_dir()
            bad.append(_link(Path(entry.path), name))
        elif entry.is_dir(follow_symlinks=False):
            wrong = _not_utf_8(entry.name, name)
            folders += [] if wrong else [entry.name]
            bad += [wrong] if wrong else []
        else:
            wrong = not_an_image(entry.name, name)
            images += [] if wrong else [entry.name]
            bad += [wrong] if wrong else []
    return _Listed(tuple(folders), tuple(images), tuple(hidden), tuple(bad), linked_folders)


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


def _link(path: Path, shown: str) -> BadImage:
    """Return what is wrong with a symbolic link, by what it leads to."""
    if path.is_dir():
        reason = "a symbolic link to a folder, and links are not followed; move or copy the folder itself there"
    elif path.exists():
        reason = "a symbolic link, and links are not followed; put the image itself there"
    else:
        reason = "a symbolic link that leads nowhere; remove it"
    return BadImage.because(shown, reason, folder=path.is_dir())


def _refuse_splits(folder: Path, labels: Sequence[str]) -> None:
    """Refuse a folder whose folders are splits, such as train/ and test/, and hold the folders of the classes."""
    splits = {split: label for label in labels for split, names in _SPLITS.items() if label.lower() in names}
    if "train" not in splits or len(splits) == 1 or not all(_holds_folders(folder / each) for each in splits.values()):
        return
    paths = {split: _as_yaml(folder / label) for split, label in splits.items()}
    others = [f"{split}: {{type: image_folder, path: {path}}}" for split, path in paths.items() if split != "train"]
    named = " and ".join(f"{printable(label)}/" for label in splits.values())
    raise DataError(
        f"{printable(folder.name)}: {named} hold folders and not images, so they are splits and not classes; set "
        f"data.source.path: {paths['train']} and data.split: {{type: files, {', '.join(others)}}}"
    )


def _holds_folders(folder: Path) -> bool:
    try:
        listed = _listed(folder, folder.name)
    except DataError:
        return False
    return bool(listed.folders) and not listed.images


def _as_yaml(path: Path) -> str:
    text = str(path)
    return printable(text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False))


def _folder_in_class(name: str, lone: str) -> BadImage:
    """Return what is wrong with a folder in a class; `lone` is the name of that class, if it is the only folder."""
    advice = (
        f"the folders of the classes seem to be in {printable(lone)}: add its name to data.source.path"
        if lone
        else "move its images up into the folder of their class, or set data.source.nested: true"
    )
    return BadImage.because(name, f"a folder inside a class; expected only images; {advice}", folder=True)


def _not_utf_8(name: str, shown: str) -> BadImage | None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return BadImage.because(shown, "the name is not UTF-8; rename it")
    return None
