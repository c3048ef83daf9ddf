"""The data sets of scikit-learn → Table."""

from __future__ import annotations

import numpy as np
from sklearn import datasets

from mltrain.data.arrays import column_of_array, sha256_of_arrays
from mltrain.data.column_types import ColumnPlace
from mltrain.data.table import Origin, Table
from mltrain.task import Task

_LOADERS = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}


def read_bundled(name: str, images: bool) -> Table:
    """Return a data set that scikit-learn ships.

    Args:
        name: iris, wine, breast_cancer, digits or diabetes.
        images: for digits, one column `image` (rows, 8, 8, 1) float32, 0 to 16, instead of 64 columns.
    """
    bundle = _LOADERS[name]()
    arrays: dict[str, np.ndarray] = (
        {"image": bundle.images[..., np.newaxis].astype(np.float32)}
        if images
        else {str(feature): bundle.data[:, number] for number, feature in enumerate(bundle.feature_names)}
    )
    arrays["target"] = bundle.target
    classes = tuple(str(label) for label in getattr(bundle, "target_names", ()))
    task: Task = "regression" if not classes else "binary" if len(classes) == 2 else "multiclass"
    origin = Origin(name)
    columns = {key: column_of_array(array, ColumnPlace(key, origin.place)) for key, array in arrays.items()}
    return Table(columns, origin, sha256_of_arrays(arrays), task=task, target="target", classes=classes)
