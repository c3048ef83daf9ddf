"""Names of pretrained models, such as those of keras.applications, where a layer or a model is expected."""

from __future__ import annotations

from mltrain.keras_api.catalogue import find

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
    """Return how a pretrained model is written, from the normal form of its name; "" for any other name."""
    if not normal_form.startswith(_FAMILIES):
        return ""
    name = find("backbone", normal_form)
    written = f"{{type: pretrained, backbone: {name or 'VGG16'}, weights: …}}"
    listed = "" if name else "; `mltrain list backbone` shows what there is"
    return f"is a network of keras.applications: write `model: {written}`{listed}"
