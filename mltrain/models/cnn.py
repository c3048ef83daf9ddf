"""A convolutional network: the short form for images, and for series and texts."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mltrain.first_weights.spec import FirstWeights
from mltrain.keras_api.components import KerasComponent, keras_component, make
from mltrain.models.input_encoder import InputEncoder
from mltrain.spec import Many
from mltrain.task import Input, InputKind

# The last stage of an image should still see this many pixels in each direction.
_SMALLEST_SIDE = 4


class Cnn(InputEncoder):
    """Stages of a convolution, normalization, activation and pooling, and then the mean over all places. Texts have no
    pooling between the stages, and at their end the largest value over all places."""

    type: Literal["cnn"] = "cnn"
    suits: ClassVar[frozenset[InputKind]] = frozenset({"image", "series", "text", "indices"})
    filters: Literal["auto"] | Annotated[Many[Annotated[int, Field(ge=1)]], Field(min_length=1)] = "auto"
    """Filters of each stage, such as `[32, 64]`; auto takes `[32, 64, 128]` for images, as many of them as the size
    allows, `[64, 128]` for series and `[128]` for texts."""
    kernel_size: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """Places that a filter sees in each direction; auto takes 3 for images, else 5."""
    activation: Annotated[KerasComponent, keras_component("activation")] = make("activation", "relu")
    """The activation of every convolution."""
    normalization: Literal["batch", "layer"] | None = "batch"
    """Batch or layer normalization between each convolution and its activation; texts have none."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of the outputs of the last stage that is dropped while training."""
    width: Annotated[int, Field(ge=1)] = 64
    """The length of the vector of each word or index number."""
    indices: Annotated[int, Field(ge=1)] | None = None
    """The number of different index numbers in the arrays of a file; for a text column it is known."""
    weights: FirstWeights | None = None
    """Weights that were learned before, `{file: w.h5}` or `{run: RUN}`: layers with an equal name and equal shapes
    begin with them, all others at random. Only a training reads them, before its first step."""

    def encode(self, tensor: Any, given: Input) -> Any:
        """Return `(batch, filters of the last stage)`."""
        from mltrain.models.branches import applied, largest_of_steps, mean_of_steps, steps_that_count

        if given.dtype == "int32":
            counts = steps_that_count(tensor)
            return applied(self._dropout(), largest_of_steps(self._words(tensor, given, counts), counts))
        image = given.kind == "image"
        last = tensor
        for number, filters in enumerate(self._filters(given)):
            last = applied([*self._stage(filters, image), *([self._pooling(image)] if number else [])], last)
        mean = applied([make("layer", "GlobalAveragePooling2D")], last) if image else mean_of_steps(last)
        return applied(self._dropout(), mean)

    def _words(self, tensor: Any, given: Input, counts: Any) -> Any:
        from keras import ops

        from mltrain.models.branches import applied, embedding

        vectors = embedding(tensor, given, self.width, self.indices, masked=False)
        size = 5 if self.kernel_size == "auto" else self.kernel_size
        for filters in self._filters(given):
            # A convolution takes no mask: padding must be zeros for it.
            vectors = vectors * ops.expand_dims(ops.cast(counts, vectors.dtype), -1)
            convolution = make("layer", "Conv1D", filters=filters, kernel_size=size, padding="same")
            vectors = applied([convolution, make("layer", "Activation", activation=self.activation)], vectors)
        return vectors

    def _filters(self, given: Input) -> tuple[int, ...]:
        if self.filters != "auto":
            return self.filters
        if given.kind != "image":
            return (128,) if given.dtype == "int32" else (64, 128)
        chosen: tuple[int, ...] = (32,)
        side = min(given.shape[0], given.shape[1])
        for filters in (64, 128):
            side //= 2
            if side >= _SMALLEST_SIDE:
                chosen = (*chosen, filters)
        return chosen

    def _stage(self, filters: int, image: bool) -> list[KerasComponent]:
        size = (3 if image else 5) if self.kernel_size == "auto" else self.kernel_size
        kind = "Conv2D" if image else "Conv1D"
        convolution = {"filters": filters, "kernel_size": size, "padding": "same"}
        activation = make("layer", "Activation", activation=self.activation)
        if self.normalization is None:
            return [make("layer", kind, **convolution), activation]
        normal = "BatchNormalization" if self.normalization == "batch" else "LayerNormalization"
        return [
            make("layer", kind, **convolution, use_bias=False),
            make("layer", normal, **({"momentum": 0.9} if normal == "BatchNormalization" else {})),
            activation,
        ]

    def _pooling(self, image: bool) -> KerasComponent:
        return make("layer", "MaxPooling2D" if image else "MaxPooling1D")

    def _dropout(self) -> list[KerasComponent]:
        return [make("layer", "Dropout", rate=self.dropout)] if self.dropout else []
