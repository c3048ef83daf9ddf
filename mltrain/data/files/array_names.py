"""The arrays of an .npz file that holds its test rows beside the training rows, as the data sets of Keras do."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from mltrain.data.files.opening import open_regular


def parts_of_arrays(path: Path) -> dict[str, dict[str, str]]:
    """Return the arrays of the training and of the test rows, as `{"train": {"x": "x_train"}, "test": {…}}`; nothing
    where the arrays of a file are not such pairs.

    Raises:
        DataError: the file is not there or not readable.
    """
    with open_regular(path) as file:
        try:
            names = [name.removesuffix(".npy") for name in zipfile.ZipFile(file).namelist()]
        except zipfile.BadZipFile:  # who reads it says so
            return {}
    parts: dict[str, dict[str, str]] = {"train": {}, "test": {}}
    for name in names:
        found = re.fullmatch(r"(.+)_(train|test)", name)
        if found is None:
            return {}
        parts[found[2]][found[1]] = name
    return parts if sorted(parts["train"]) == sorted(parts["test"]) else {}
