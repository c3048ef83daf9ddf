"""Vectors of words that a training begins with: whether their files are there, and from the files into the model.
TensorFlow is imported where it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mltrain.config.load import Loaded
from mltrain.data.features import TextFeature
from mltrain.data.features.word_vectors import WordVectors
from mltrain.data.spec import DataSpec
from mltrain.errors import DataError
from mltrain.models.model import FIRST_WEIGHTS
from mltrain.problems import Problem, printable
from mltrain.run.record import VectorFiles
from mltrain.task import Decision

if TYPE_CHECKING:
    from mltrain.data.preparation import Prepared


@dataclass(frozen=True)
class FirstVectors:
    """What was put into a model.

    Attributes:
        decisions: how many words have a vector, for each text.
        files: by the name of the text, where the vectors are from.
    """

    decisions: tuple[Decision, ...]
    files: Mapping[str, VectorFiles]


def stated_vectors(spec: DataSpec) -> dict[str, WordVectors]:
    """Return the vectors of each text that has some."""
    texts = {name: each for name, each in spec.features.items() if isinstance(each, TextFeature)}
    return {name: each.vectors for name, each in texts.items() if each.vectors is not None}


def absent_files(loaded: Loaded) -> tuple[Problem, ...]:
    """Return a problem for each file of vectors or words that is not there."""
    found = []
    for name, vectors in stated_vectors(loaded.spec.data).items():
        for key, path in (("file", vectors.file), ("words", vectors.words)):
            if path is not None and not path.exists():
                at = ("data", "features", name, "vectors", key)
                found.append(Problem(at, loaded.root.place_of(at), f"{printable(str(path))}: no such file"))
    return tuple(found)


def refuse_absent_files(loaded: Loaded) -> None:
    """Refuse a training whose vectors are not there, before it takes long to find out.

    Raises:
        DataError: names all that are not there, each at its line.
    """
    if problems := absent_files(loaded):
        raise DataError("\n".join(each.line() for each in problems))


def put_first_vectors(spec: DataSpec, prepared: Prepared, model: Any) -> FirstVectors:
    """Put the vectors of files into the layers of a model that look up the texts; see `ModelSpec.initialise`.

    Args:
        spec: the `data` section.
        prepared: the data.
        model: the compiled `keras.Model`.

    Raises:
        DataError: a file is not there, not readable, or has no word of the vocabulary.
        MisfitError: the vectors do not fit the layer.
    """
    stated = stated_vectors(spec)
    if not stated:
        return FirstVectors((), {})
    from mltrain.data.encoders.text_vectors import token_vectors
    from mltrain.models.word_vectors import put_vectors, text_layers

    encoders = {each.column: each for each in prepared.preprocessing.columns}
    decisions, files = [], {}
    for name, vectors in stated.items():
        layers, train = text_layers(model, prepared.info, name), prepared.examples["train"].inputs[name]
        # A layer of another width than the first cannot have vectors of the same file: that is the error.
        for width in dict.fromkeys(layer.output_dim for layer in layers):
            found = token_vectors(encoders[name], vectors, width, train)
        for layer in layers:
            put_vectors(layer, found.numbers, found.values)
        known = f"{len(found.numbers):,} of the {found.words:,} words of '{name}' have a vector"
        value = f"{known} of {printable(vectors.file.name)}"
        trained = "all are trained" if all(layer.trainable for layer in layers) else "none is trained"
        reason = f"these are {found.share:.1%} of the tokens of the training rows; other words begin at random"
        decisions.append(Decision(FIRST_WEIGHTS, value, f"{reason}, padding at 0; {trained}"))
        read = found.found
        files[name] = VectorFiles(source=str(vectors.file), sha256=read.sha256, words_sha256=read.words_sha256)
    return FirstVectors(tuple(decisions), files)
