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


def not_pretrained(normal_form: str) -> str:
    """Return what to use instead of a pretrained model, from the normal form of its name; "" for any other name."""
    if not normal_form.startswith(_FAMILIES):
        return ""
    return (
        "is a pretrained model, and mltrain trains models from the beginning only; build one from layers such as "
        "Conv2D and MaxPooling2D in a model of type sequential"
    )
