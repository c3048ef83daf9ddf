"""Word vectors from a file, for the words of a column of free text."""

from __future__ import annotations

from pydantic import model_validator

from mltrain.spec import InputPath, Spec, fail, problem

_TEXTS, _ARRAY = (".vec", ".txt"), ".npy"


class WordVectors(Spec):
    """Vectors that were learned from other texts, with which the `Embedding` layer of the text begins."""

    file: InputPath
    """A `.vec` file of fastText or a `.txt` file of GloVe: a word and its numbers in each line; or a `.npy` array with
    a row for each line of `words`. Only a training reads it, before its first step."""
    words: InputPath | None = None
    """For a `.npy` array: the text file with its words, one in each line."""
    trainable: bool = True
    """Whether the vectors are trained with the rest of the network."""

    @model_validator(mode="after")
    def _files_fit(self) -> WordVectors:
        ending = self.file.suffix.lower()
        if ending not in (*_TEXTS, _ARRAY):
            message = f"expected a file whose name ends in .vec, .txt or .npy, received {self.file.name!r}"
            raise fail("vectors", [problem("file", message, ("file",), str(self.file))])
        if ending == _ARRAY and self.words is None:
            message = "a .npy array has no words: name the text file with a word for each of its rows in `words`"
            raise fail("vectors", [problem("file", message, ("file",), str(self.file))])
        if ending != _ARRAY and self.words is not None:
            message = f"a {ending} file has its words in it (remove `words`)"
            raise fail("vectors", [problem("words", message, ("words",), str(self.words))])
        return self
