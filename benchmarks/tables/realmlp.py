"""RealMLP-TD of pytabkit with its defaults: one member, on the CPU, its epoch chosen on the validation rows.

It takes no missing numbers: they become the median, with one more column that says where, as for the linear model.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas
import torch
from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

from benchmarks.tables.arrays import Rows, Split, command, filled


def fit(split: Split, task: str, arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Return the predictions of the test rows, and the classes."""
    torch.set_num_threads(arguments.threads)
    kind = RealMLP_TD_Regressor if task == "regression" else RealMLP_TD_Classifier
    model = kind(device="cpu", n_cv=1, random_state=arguments.seed, n_threads=arguments.threads)
    names = [f"c{number}" for number in range(len(split.sizes))]

    def columns(rows: Rows) -> pandas.DataFrame:
        numbers = pandas.DataFrame(filled(rows.numbers, split.train.numbers)).rename(columns=lambda name: f"n{name}")
        texts = {name: [f"c{code}" for code in codes] for name, codes in zip(names, rows.categories.T, strict=True)}
        return numbers.assign(**texts)

    model.fit(
        columns(split.train),
        split.train.targets,
        columns(split.validation),
        split.validation.targets,
        cat_col_names=names,
    )
    if task == "regression":
        return np.asarray(model.predict(columns(split.test))).reshape(-1), np.empty(0)
    return np.asarray(model.predict_proba(columns(split.test))), np.asarray(model.classes_)


if __name__ == "__main__":
    command(fit)
