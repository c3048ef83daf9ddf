"""The inputs of the rows about which a model is most wrong: `examples.json`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mltrain.spec import Many, Spec

Picture = Annotated[str, Field(pattern="^[A-Za-z0-9+/=]*$")]


class Example(Spec):
    """One row."""

    row: Annotated[int, Field(ge=0)]
    """Its number, as in `splits/`."""
    file: str = ""
    """The name of its file, where each row is one; else empty."""
    values: Many[str] = ()
    """As they are shown, one a column."""
    picture: Picture = ""
    """A PNG in base64, where the row is an image or has one; else empty."""


class TrainingImage(Spec):
    """A training image, as it is and as the model sees it."""

    row: Annotated[int, Field(ge=0)]
    """Its number, as in `splits/`."""
    file: str = ""
    """The name of its file, where each row is one; else empty."""
    picture: Picture
    """The image as it is: a PNG in base64."""
    changed: Many[Picture]
    """The image after the first layers of the model, several times: PNGs in base64."""


class WorstExamples(Spec):
    """The rows about which a model is most wrong."""

    format: Literal[1] = 1
    """The version of this file's form."""
    columns: Many[str]
    """The first of the columns, where the rows have such."""
    texts: Annotated[int, Field(ge=0)] = 0
    """How many of the columns, from the first on, hold free text."""
    image: str = ""
    """The input that the pictures are of; empty where there are none, and in runs of older versions."""
    examples: Many[Example]
    """The worst first."""
    layers: Many[str] = ()
    """The names of the first layers, which change the images."""
    training: Many[TrainingImage] = ()
    """Some training images, where the model begins with layers that change them."""
