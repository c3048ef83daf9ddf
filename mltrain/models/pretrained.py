"""A network of keras.applications in front of the head: the backbone, whose first weights can be those of another task.
No TensorFlow here."""

from __future__ import annotations

import re
import zlib
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from mltrain.errors import MisfitError
from mltrain.first_weights.spec import BackboneWeights
from mltrain.keras_api.components import KerasComponent, keras_component
from mltrain.models.input_encoder import InputEncoder
from mltrain.models.model import Backbone, StatedWeights
from mltrain.problems import KeyPath
from mltrain.spec import Many
from mltrain.task import Decision, Input, InputKind, Pixels

_COLORS = 3
Side = Annotated[int, Field(ge=1, le=4096)]


class Pretrained(InputEncoder):
    """A network of `keras.applications` without its own head, such as VGG16 or MobileNetV3Small, for images. The
    preprocessing that belongs to it is inside the model."""

    type: Literal["pretrained"] = "pretrained"
    suits: ClassVar[frozenset[InputKind]] = frozenset({"image"})
    backbone: Annotated[KerasComponent, keras_component("backbone")]
    """The network, such as `VGG16` or `{type: MobileNetV2, alpha: 0.5}`; `mltrain list backbone` shows all."""
    weights: BackboneWeights
    """Its first weights: `imagenet`, which Keras downloads where they are not in its cache; `{file: w.h5}`, a file of
    weights of this network; `{run: RUN}`, those of layers with an equal name and equal shapes in a run; `none` draws
    them at random."""
    size: Annotated[Many[Side], Field(min_length=2, max_length=2)] | None = None
    """Height and width to which images are resized inside the model; null takes them as they are."""
    include: Annotated[str, Field(min_length=1)] | None = None
    """The last layer of the backbone that is taken, by its name in Keras, such as `block4_pool`; null takes all."""
    pooling: Literal["avg", "max", "none"] = "avg"
    """How the feature maps become one vector: the mean or the largest value over all places, or with `none` all values
    beside each other, which can be a lot."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of the numbers of that vector that is dropped while training."""
    batch_normalization: Literal["auto", "inference", "training"] = "auto"
    """What BatchNormalization in the backbone does while training: it uses the mean and variance that it has
    (`inference`), or those of each batch, from which it learns (`training`). `auto` is `inference` where the backbone
    begins with weights, and else `training`."""

    @property
    def begins_with_weights(self) -> bool:
        """Whether the first weights of the backbone are from another task."""
        return self.weights != "none"

    @property
    def normalizes_by_batch(self) -> bool:
        """Whether BatchNormalization in the backbone uses the mean and variance of each batch while training."""
        if self.batch_normalization == "auto":
            return not self.begins_with_weights
        return self.batch_normalization == "training"

    def stated_weights(self, path: KeyPath = ("model",)) -> tuple[StatedWeights, ...]:
        """Return where the first weights of the backbone are from."""
        if self.weights == "none":
            return ()
        size = None if self.size is None else (self.size[0], self.size[1])
        return (StatedWeights((*path, "weights"), self.weights, self.backbone, size),)

    def backbone_of(self, given: Input, path: KeyPath) -> tuple[Backbone, ...]:
        """Return the backbone."""
        return (Backbone(backbone_name(given, path), self.backbone.type, path, self.normalizes_by_batch),)

    def choices_for(self, given: Input) -> tuple[Decision, ...]:
        """Return that gray images get three channels, and what is taken for black and white."""
        found: list[Decision] = []
        if given.kind != "image":
            return ()
        if given.shape[-1] == 1:
            found.append(
                Decision(
                    f"images of {given.name}",
                    "three equal channels",
                    f"they are gray, and {self.backbone.type} was made for colors",
                )
            )
        if given.pixels is not None and given.pixels.assumed:
            reason = f"by the values of the training rows; {self.backbone.type} was made for pixels from 0 to 255"
            found.append(Decision(f"pixels of {given.name}", given.pixels.assumed, reason))
        return tuple(found)

    def encode(self, tensor: Any, given: Input) -> Any:
        """Return `(batch, channels of the last feature maps)`."""
        return self.encode_at(tensor, given, ("model",))

    def encode_at(self, tensor: Any, given: Input, path: KeyPath) -> Any:
        """Return what `encode` does.

        Raises:
            MisfitError: the images do not fit the backbone, or it has no layer of the name of `include`.
        """
        from mltrain.models.backbone import NoSuchLayerError, pooled, prepared_pixels, taken_backbone

        pixels = self._pixels(given, path)
        name = backbone_name(given, path)
        size = self.size or (given.shape[0], given.shape[1])
        try:
            backbone = taken_backbone(self.backbone, size, self.include, name, imagenet=self.begins_with_weights)
        except NoSuchLayerError as error:
            raise MisfitError((*path, "include"), str(error)) from error
        prepared = prepared_pixels(tensor, pixels, self.size, self.backbone.entry.preprocessing, name)
        return pooled(backbone(prepared), self.pooling, self.dropout)

    def _pixels(self, given: Input, path: KeyPath) -> Pixels:
        """Return how the images become pixels.

        Raises:
            MisfitError: the backbone cannot take them; says what it takes.
        """
        height, width, channels = given.shape
        name = self.backbone.type
        if channels not in (1, _COLORS):
            message = f"{name} takes images with 3 channels or gray ones with 1, and '{given.name}' has {channels}"
            raise MisfitError((*path, "backbone"), message)
        if given.pixels is None:
            message = (
                f"{name} takes pixels, and the values of '{given.name}' do not say what is black and white: expected "
                "images of 8 or 16 bits, values from 0 on, or values from -1 to 1"
            )
            raise MisfitError((*path, "backbone"), message)
        smallest = self.backbone.entry.smallest or 1
        if min(self.size or (height, width)) >= smallest:
            return given.pixels
        least = f"[{smallest}, {smallest}]"
        takes = f"{name} takes images of at least {smallest} x {smallest} pixels"
        if self.size is not None:
            raise MisfitError((*path, "size"), f"{takes}: expected {least} or more")
        message = (
            f"{takes}, and those of '{given.name}' have {height} x {width}: set `size` where image files are read "
            f"(data.source, or data.features.{given.name}), or `size: {least}` here, which resizes inside the model"
        )
        raise MisfitError((*path, "backbone"), message)


def backbone_name(given: Input, path: KeyPath) -> str:
    """Return the name of the backbone for an input as a layer of the model: `backbone`, in a fusion with its input."""
    if path == ("model",):
        return "backbone"
    fitting = re.sub(r"[^A-Za-z0-9_.-]", "_", given.name)
    # Two names can become one.
    return f"backbone_{fitting}" + ("" if fitting == given.name else f"_{zlib.crc32(given.name.encode()):08x}")
