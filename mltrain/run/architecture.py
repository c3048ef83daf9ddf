"""The layers of a model, as they are shown: `model.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from mltrain.spec import Many, Spec
from mltrain.wording import counted

Count = Annotated[int, Field(ge=0)]


class RecordedPart(Spec):
    """Some layers of a network that is a layer of the model, such as a stage of a backbone."""

    name: str
    """What it is called, from the names of its layers."""
    first: str
    """The name of its first layer in Keras."""
    layers: Count
    """How many layers it has."""
    parameters: Count
    """The number of their weights."""
    trainable: Count
    """How many of them are trained."""


class RecordedLayer(Spec):
    """One layer."""

    name: str
    """As Keras or the config names it."""
    kind: str
    """Its class, such as `Dense`."""
    output: Many[int | None]
    """The shape of its output for one example; null for an axis of any length."""
    parameters: Count
    """The number of its weights."""
    trainable: Count
    """How many of them are trained."""
    after: Many[str] = ()
    """The layers and inputs that it takes; without them, the layer before it."""
    inputs: Many[str] = ()
    """Where there are several inputs, those that it follows from, directly or through other layers."""
    parts: Many[RecordedPart] = ()
    """The parts of a backbone in their order, but for those without weights."""


class Architecture(Spec):
    """The layers of a model, from the input to the output."""

    format: Literal[1] = 1
    """The version of this file's form."""
    input: Many[int | None]
    """The shape of one example; empty where there are several inputs."""
    inputs: Mapping[str, Many[int | None]] = {}
    """Where there are several inputs, the shape of one example of each."""
    layers: Many[RecordedLayer]
    """In the order in which they are applied."""

    def as_json(self) -> dict[str, Any]:
        """Return what is written: of a stack without the keys that only graphs need."""
        written = self.model_dump(mode="json")
        if not self.inputs:
            del written["inputs"]
        for layer in written["layers"]:
            for key in ("after", "inputs", "parts"):
                if not layer[key]:
                    del layer[key]
        return written

    @property
    def is_stack(self) -> bool:
        """Whether each layer takes the one before it."""
        return not self.inputs and not any(layer.after for layer in self.layers)

    @property
    def parameters(self) -> int:
        """The numbers in all layers."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def trainable(self) -> int:
        """The numbers that training changes."""
        return sum(layer.trainable for layer in self.layers)

    @property
    def words(self) -> str:
        """How large it is, such as `4 layers with 1,731 parameters, all of them trained`."""
        total, frozen = self.parameters, self.parameters - self.trainable
        of_them = f"{frozen:,} of which training does not change" if frozen else "all of them trained"
        return f"{counted(len(self.layers), 'layer')} with {total:,} parameters, {of_them}"
