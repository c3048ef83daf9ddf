"""Models of texts against scikit-learn's on the same rows: `python -m benchmarks.text_models`, some minutes.

The texts are the first sentences of the docstrings of four installed packages, each once; the class is the package.
The reference is what one would do first without a network: `TfidfVectorizer` and `LogisticRegression(C=10)`, fitted on
the same training rows. Differences are paired: rows on which both are right do not widen their interval.
"""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from benchmarks.keras_examples.__main__ import run
from benchmarks.keras_examples.data import text_from_strings
from benchmarks.ratios import quick

ROWS, QUICK_ROWS = 20_000, 400
CONFIG = """\
name: texts
data:
  source: {{type: csv, path: docstrings.csv}}
  target: package
  features: {{body: {features}}}
model: {model}
training:
  epochs: 30
  optimizer: {{type: Adam, learning_rate: {rate}}}
  callbacks: [{{type: EarlyStopping, patience: 4}}]
evaluation: {{metrics: [accuracy]}}
"""
TF_IDF = "{type: text, encoding: tf_idf, max_tokens: 5000}"
MODELS = {
    "tokens, `fusion`": ("text", "fusion", "1e-3"),
    "tokens, `pooled`": ("text", "{type: pooled, dropout: 0.3}", "3e-3"),
    "`tf_idf` of 5,000 words, `mlp`": (TF_IDF, "{type: mlp, units: [64], dropout: 0.5}", "1e-3"),
    "`tf_idf` of 5,000 words, `linear`": (TF_IDF, "linear", "3e-3"),
}


def main() -> None:
    """Compare, and print the table."""
    short = quick(__doc__)
    print("| model | test accuracy, 95 % interval | difference from scikit-learn |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text_from_strings(folder, QUICK_ROWS if short else ROWS)
        reference: np.ndarray | None = None
        for number, (model, (features, network, rate)) in enumerate(MODELS.items()):
            config = CONFIG.format(features=features, model=network, rate=rate)
            (folder / "config.yaml").write_text(config, encoding="utf-8")
            trained = folder / f"run{number}"
            run(folder, "-m", "mltrain", "train", "config.yaml", "--run-dir", trained.name, "--quiet")
            right = _right(trained)
            reference = _right_of_reference(folder, trained) if reference is None else reference
            test = json.loads((trained / "metrics.json").read_text(encoding="utf-8"))["splits"]["test"]
            accuracy = test["metrics"]["accuracy"]
            interval = f"[{accuracy['low']:.3f}, {accuracy['high']:.3f}]"
            print(f"| {model} | {accuracy['value']:.3f} {interval} | {_difference(right, reference)} |", flush=True)
    print(f"| `TfidfVectorizer`, `LogisticRegression(C=10)` | {reference.mean():.3f} of {len(reference):,} rows | – |")


def _right(trained: Path) -> np.ndarray:
    """Return which test rows a run gets right, in the order of their numbers."""
    rows, target, predicted = (
        np.load(trained / "predictions" / f"test.{name}.npy") for name in ("rows", "target", "predictions")
    )
    return (predicted.argmax(axis=1) == target)[np.argsort(rows)]


def _right_of_reference(folder: Path, trained: Path) -> np.ndarray:
    """Return the same of scikit-learn's, on the rows of a run."""
    with (folder / "docstrings.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    texts, y = np.array([row["body"] for row in table]), np.array([row["package"] for row in table])
    train, test = (np.sort(np.load(trained / "splits" / f"{name}.npy")) for name in ("train", "test"))
    counts = TfidfVectorizer().fit(texts[train])
    model = LogisticRegression(C=10, max_iter=1000).fit(counts.transform(texts[train]), y[train])
    right: np.ndarray = model.predict(counts.transform(texts[test])) == y[test]
    return right


def _difference(right: np.ndarray, reference: np.ndarray) -> str:
    each = right.astype(float) - reference
    half = 1.96 * each.std(ddof=1) / np.sqrt(len(each))
    return f"{each.mean():+.3f} [{each.mean() - half:+.3f}, {each.mean() + half:+.3f}]"


if __name__ == "__main__":
    main()
