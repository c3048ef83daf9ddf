"""Names of pretrained models, such as those of keras.applications: mltrain does not offer them, and says so."""

from __future__ import annotations

_FAMILIES = (
    "convnext",
    "densenet",
    "efficientnet",
    "inceptionresnet",
    "inceptionv",
    "mobilenet",
    "nasnet",
    "resnet",
    "vgg16",
    "vgg19",
    "xception",
)


def pretrained_hint(kind: str, normal_form: str) -> str:
    """Return what to use instead of a pretrained model; an empty text for any other name.

    Args:
        kind: of the component that was asked for, such as "layer" or "model".
        normal_form: of its name.
    """
    if kind not in ("layer", "model") or not normal_form.startswith(_FAMILIES):
        return ""
    return (
        "is a pretrained model, and mltrain trains models from the beginning only; build one from layers such as "
        "Conv2D and MaxPooling2D in a model of type sequential"
    )
