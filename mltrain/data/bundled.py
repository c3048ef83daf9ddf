"""The data sets of scikit-learn → Table.

They are read from scikit-learn's files without importing it, which takes 1 s, most of it SciPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from mltrain.data.files.arrays import column_of_array, sha256_of_arrays
from mltrain.data.files.column_types import ColumnPlace
from mltrain.data.table import Origin, Table
from mltrain.errors import DataError
from mltrain.task import Task

_CELL = ("radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave points")
_BREAST_CANCER = tuple(
    form.format(name)
    for form in ("mean {}", "{} error", "worst {}")
    for name in (*_CELL, "symmetry", "fractal dimension")
)
_IRIS = tuple(f"{part} {size} (cm)" for part in ("sepal", "petal") for size in ("length", "width"))
_WINE = (
    "alcohol",
    "malic_acid",
    "ash",
    "alcalinity_of_ash",
    "magnesium",
    "total_phenols",
    "flavanoids",
    "nonflavanoid_phenols",
    "proanthocyanins",
    "color_intensity",
    "hue",
    "od280/od315_of_diluted_wines",
    "proline",
)
_DIABETES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
_DIGITS = tuple(f"pixel_{row}_{column}" for row in range(8) for column in range(8))


@dataclass(frozen=True)
class _Bundle:
    """A data set: names of the features, inputs (rows, features), targets (rows,), and names of the classes if any."""

    features: tuple[str, ...]
    inputs: np.ndarray
    target: np.ndarray
    classes: tuple[str, ...] = ()


def read_bundled(name: str, images: bool) -> Table:
    """Return a data set that scikit-learn ships.

    Args:
        name: iris, wine, breast_cancer, digits or diabetes.
        images: for digits, one column `image` (rows, 8, 8, 1) float32, 0 to 16, instead of 64 columns.

    Raises:
        DataError: scikit-learn does not have the file where it is looked for.
    """
    bundle = _bundle(name)
    arrays: dict[str, np.ndarray] = (
        {"image": bundle.inputs.reshape(-1, 8, 8, 1).astype(np.float32)}
        if images
        else {feature: bundle.inputs[:, number] for number, feature in enumerate(bundle.features)}
    )
    arrays["target"] = bundle.target
    classes = bundle.classes
    task: Task = "regression" if not classes else "binary" if len(classes) == 2 else "multiclass"
    origin = Origin(name)
    columns = {key: column_of_array(array, ColumnPlace(key, origin.place)) for key, array in arrays.items()}
    return Table(columns, origin, sha256_of_arrays(arrays), task=task, target="target", classes=classes)


def _bundle(name: str) -> _Bundle:
    match name:
        case "iris":
            return _with_header("iris.csv", _IRIS)
        case "wine":
            return _with_header("wine_data.csv", _WINE)
        case "breast_cancer":
            return _with_header("breast_cancer.csv", _BREAST_CANCER)
        case "digits":
            rows = np.loadtxt(_file("digits.csv.gz"), delimiter=",")
            return _Bundle(_DIGITS, rows[:, :-1], rows[:, -1].astype(np.int64), tuple("0123456789"))
        case _:
            inputs = _scaled(np.loadtxt(_file("diabetes_data_raw.csv.gz")))
            return _Bundle(_DIABETES, inputs, np.loadtxt(_file("diabetes_target.csv.gz")))


def _with_header(file: str, features: tuple[str, ...]) -> _Bundle:
    """Read a file whose first line is: number of rows, number of features, name of each class."""
    path = _file(file)
    with path.open(encoding="utf-8") as lines:
        classes = next(lines).strip().split(",")[2:]
        rows = np.loadtxt(lines, delimiter=",")
    return _Bundle(features, rows[:, :-1], rows[:, -1].astype(np.int64), tuple(classes))


def _scaled(inputs: np.ndarray) -> np.ndarray:
    """Return columns of mean 0 whose squares sum to 1, in the operations of `load_diabetes`, to the last bit."""
    return (inputs - inputs.mean(axis=0)) / inputs.std(axis=0) / len(inputs) ** 0.5


def _file(name: str) -> Path:
    found = find_spec("sklearn")
    folders = (found.submodule_search_locations or ()) if found is not None else ()
    for folder in folders:
        path = Path(folder, "datasets", "data", name)
        if path.is_file():
            return path
    raise DataError(f"{name}: scikit-learn does not have this file; install scikit-learn 1.6 to 1.9")
