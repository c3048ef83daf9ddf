"""Layers that must know the range of the pixels, beside the range that the images have. No TensorFlow, no NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mltrain.data.features import ImageFeature
from mltrain.data.sources.image_folder import ImageFolderSource
from mltrain.experiment.spec import ExperimentSpec
from mltrain.keras_api.components import KerasComponent
from mltrain.models.model import ModelSpec
from mltrain.run.audit import AuditFinding

_RANGE = "value_range"
_RESCALING = ("Rescaling", "Normalization")
# Layers that leave the range of the pixels as it is, beside those that are random or have a value_range.
_STEADY = ("Resizing", "CenterCrop", "Cropping2D", "ZeroPadding2D", "GaussianNoise", "Dropout", "Reshape", "Permute")
# A Rescaling by 1/255 or 1/127.5 is for pixels from 0 to 255.
_SMALL_SCALE = 0.01


@dataclass(frozen=True)
class PixelRange:
    """The lowest and the highest pixel that a model can get.

    Attributes:
        low: the lowest.
        high: the highest.
    """

    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.low} to {self.high}"

    @classmethod
    def of_values(cls, lowest: float, highest: float) -> PixelRange | None:
        """Return the range of images with these values; None for standardised images, which have no limits."""
        if lowest >= 0:
            return UNIT if highest <= 1 else BYTES if highest <= BYTES.high else None
        return cls(-1, 1) if lowest >= -1 and highest <= 1 else None


UNIT, BYTES = PixelRange(0, 1), PixelRange(0, 255)


def pixel_findings(model: ModelSpec, pixels: PixelRange | None, column: str) -> Iterator[AuditFinding]:
    """Yield a warning for each layer that works on another range of pixels than the images have.

    Args:
        model: of the experiment; only the layers that the config lists are known.
        pixels: the range of the encoded images; None where they are standardised.
        column: of the images.
    """
    for number, layer in enumerate(model.written_layers):
        place = f"model.layers[{number}]"
        arguments = dict(layer.arguments)
        if layer.type == "Rescaling" and pixels != BYTES and _is_small(arguments.get("scale")):
            already = f"already {pixels}" if pixels is not None else "already standardised"
            sentence = (
                f"layer {number + 1} (Rescaling) divides the pixels, and the images are {already}: remove Rescaling"
            )
            yield AuditFinding(finding="rescaled_twice", level="warning", sentence=sentence, key=place)
        if layer.type in _RESCALING or not _is_of_images(layer):
            return
        if _RANGE in arguments:
            yield from _range_findings(layer, number, arguments[_RANGE], pixels, column)


def stated_pixel_findings(spec: ExperimentSpec) -> Iterator[AuditFinding]:
    """Yield these warnings where the config alone says how the images are scaled."""
    images = {name: each for name, each in spec.data.features.items() if isinstance(each, ImageFeature)}
    if not images and isinstance(spec.data.source, ImageFolderSource) and "image" not in spec.data.features:
        images = {"image": ImageFeature()}
    for name, feature in images.items():
        if feature.scale != "none":  # else the values of the files count
            yield from pixel_findings(spec.model, UNIT if feature.scale == "unit" else None, name)


def _range_findings(
    layer: KerasComponent, number: int, stated: tuple[float, float], pixels: PixelRange | None, column: str
) -> Iterator[AuditFinding]:
    if pixels is not None and tuple(stated) == (pixels.low, pixels.high):
        return
    low, high = stated
    if pixels is None:
        what = "are standardised"
        advice = f"set data.features.{column}: {{type: image, scale: unit}}, and value_range: [0, 1] in the layer"
    else:
        what, advice = f"are {pixels}", f"set {_RANGE}: [{pixels.low}, {pixels.high}] in the layer"
    sentence = (
        f"layer {number + 1} ({layer.type}) expects pixels from {low:g} to {high:g}, and the images {what}: "
        f"training would go wrong; {advice}"
    )
    yield AuditFinding(
        finding="pixel_range", level="warning", sentence=sentence, key=f"model.layers[{number}].{_RANGE}"
    )


def _is_of_images(layer: KerasComponent) -> bool:
    return layer.type.startswith("Random") or layer.type in _STEADY or _RANGE in dict(layer.arguments)


def _is_small(scale: object) -> bool:
    return isinstance(scale, int | float) and 0 < scale <= _SMALL_SCALE
