"""The data of the examples: generated, shipped with scikit-learn, or read from the source of installed packages.

The functions of a few packages are a table that every installation has: names, docstrings, numbers of statements, and
which package each is from. No module is imported for it; the files are parsed.
"""

from __future__ import annotations

import ast
import csv
import importlib.util
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

PACKAGES = ("keras", "numpy", "scipy", "sklearn")
SEED = 0
# About half of the functions with a docstring have more statements.
LONG = 6

Row = dict[str, str | int]


def mixed_columns(folder: Path, rows: int) -> None:
    """Write functions.csv: has a function a docstring? Numbers, booleans, categories, and values that are missing."""
    texts, numbers = ("package", "decorator", "method", "private", "annotated"), ("statements", "arguments", "defaults")
    _write(folder / "functions.csv", (*texts, *numbers, "documented"), _drawn(list(_functions()), rows))


def text_from_strings(folder: Path, rows: int) -> None:
    """Write docstrings.csv: which package is a docstring from?"""
    _write(folder / "docstrings.csv", ("body", "package"), _drawn(_documented(), rows))


def two_inputs_two_outputs(folder: Path, rows: int) -> None:
    """Write tickets.csv: a title, a body and tags; is the function long, and which package is it from?"""
    columns = ("title", "body", "method", "private", "decorated", "long", "package")
    _write(folder / "tickets.csv", columns, _drawn(_documented(), rows))


def time_series_transformer(folder: Path, rows: int, steps: int = 64) -> None:
    """Write series.npz: noise in which every value depends on the two before it, a little differently in each class."""
    draw = np.random.default_rng(SEED)
    y = draw.integers(0, 2, rows)
    first, second = np.where(y == 1, 0.5, 0.7), np.where(y == 1, -0.5, -0.3)
    x = draw.normal(size=(rows, steps + 50)).astype(np.float32)
    for step in range(2, x.shape[1]):
        x[:, step] += first * x[:, step - 1] + second * x[:, step - 2]
    np.savez(folder / "series.npz", x=x[:, 50:, np.newaxis], y=y)


def autoencoder(folder: Path, rows: int) -> None:
    """Write digits.npz: scikit-learn's digits, 64 numbers from 0 to 1, as what is given and as what is asked for."""
    x = (load_digits().data[:rows] / 16).astype(np.float32)
    np.savez(folder / "digits.npz", x=x, y=x)


MAKERS: dict[str, Callable[[Path, int], None]] = {
    each.__name__: each
    for each in (mixed_columns, text_from_strings, two_inputs_two_outputs, time_series_transformer, autoencoder)
}


@cache
def _functions() -> tuple[Row, ...]:
    """Return every function of the packages, in the order of the files."""
    found: list[Row] = []
    for package in PACKAGES:
        origin = importlib.util.find_spec(package).origin
        folder = Path(origin).parent
        for file in sorted(folder.rglob("*.py")):
            if "test" not in file.relative_to(folder).as_posix():
                found += _functions_of(ast.parse(file.read_text(encoding="utf-8")), package)
    return tuple(found)


def _documented() -> list[Row]:
    """Return the functions with a docstring, the first one of those that have the same."""
    return list({row["body"]: row for row in reversed(_functions()) if row["body"]}.values())


def _functions_of(tree: ast.Module, package: str) -> Iterator[Row]:
    methods = {id(each) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for each in node.body}
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("__"):
            continue
        words = node.name.strip("_").split("_")
        decorators = [_name(each) for each in node.decorator_list]
        docstring = ast.get_docstring(node) or ""
        # The docstring is a statement too, and would give away that there is one.
        statements = sum(isinstance(each, ast.stmt) for each in ast.walk(node)) - 1 - bool(docstring)
        arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
        yield {
            "package": package,
            "title": " ".join(words),
            "body": docstring.split("\n\n")[0],
            "decorator": decorators[0] if decorators else "",
            "method": _yes(id(node) in methods),
            "private": _yes(node.name.startswith("_")),
            "decorated": _yes(bool(decorators)),
            "annotated": _yes(node.returns is not None),
            "documented": _yes(bool(docstring)),
            "long": _yes(statements > LONG),
            "statements": statements,
            "arguments": len(arguments),
            "defaults": len(node.args.defaults) + sum(each is not None for each in node.args.kw_defaults),
        }


def _name(decorator: ast.expr) -> str:
    """Return the last part of the name of a decorator: `setter` of `@x.setter`, `skipif` of `@mark.skipif(…)`."""
    while isinstance(decorator, ast.Call):
        decorator = decorator.func
    return decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _drawn(found: list[Row], rows: int) -> list[Row]:
    return random.Random(SEED).sample(found, min(rows, len(found)))  # noqa: S311 - a draw of rows is no secret


def _write(path: Path, columns: tuple[str, ...], rows: list[Row]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
