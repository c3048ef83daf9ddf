"""The parts of a network of keras.applications, from the names of its layers. No TensorFlow."""

from __future__ import annotations

import re
from collections.abc import Sequence

# A name that is found in a layer's, and the part that it is of: the first that fits counts.
_NAMED = tuple(
    (re.compile(pattern), part)
    for pattern, part in (
        (r"_stage_(\d+)_block", "stage{}"),  # ConvNeXt
        (r"_downsampling_block_(\d+)$", "downsampling{}"),
        (r"_stem(_\d+)?$|^stem", "stem"),
        (r"^mixed_?(\d+\w?)$", "mixed{}"),  # the Inceptions, where a part ends in this layer
        (r"^block_?(\d+)", "block{}"),  # VGG, Xception, EfficientNet, MobileNetV2, InceptionResNet
        (r"^(?:conv|pool)(\d+)(?:_|$)", "conv{}"),  # ResNet, DenseNet, MobileNet
        (r"^conv_(?:dw|pw|pad)_(\d+)", "block{}"),
        (r"^expanded_conv_(\d+)_", "block{}"),  # MobileNetV3
        (r"^expanded_conv_", "block0"),
        (r"_reduce_(\d+)$", "reduce{}"),  # NASNet
        (
            r"^(?:normal|separable|adjust|reduction|activation|zeropad|zero_pad|cropping|avg|average)\w*_(\d+)$",
            "block{}",
        ),
    )
)
# Names that Keras counts, which do not say where a layer is.
_AUTOMATIC = re.compile(
    r"^(conv2d|batch_normalization|activation|add|concatenate|max_pooling2d|average_pooling2d|multiply|lambda|"
    r"custom_scale_layer|zero_padding2d|cropping2d|re_lu|layer_normalization|normalization|rescaling|dropout|reshape)(_\d+)?$"
)


def parts_of(layers: Sequence[str]) -> tuple[str, ...]:
    """Return the part that each layer of a network is of, in their order.

    Layers in front of the first part are its `stem`, and those behind the last its `top`. A layer with an automatic
    name is of the part before it, or of the one that ends behind it where parts end in a layer, as in Inception.
    """
    found = [_part(name) for name in layers]
    ending = any(name.startswith("mixed") or name.endswith("_mixed") for name in layers)
    named = [place for place, part in enumerate(found) if part]
    if not named:
        return ("network",) * len(layers)
    first, last = named[0], named[-1]
    parts: list[str] = []
    for place, part in enumerate(found):
        if part:
            parts.append(part)
        elif place < first:
            parts.append(found[first] if ending else "stem")
        elif place > last:
            parts.append("top" if not _AUTOMATIC.match(layers[place]) or ending else parts[-1])
        else:
            parts.append(next(filter(None, found[place:])) if ending else parts[-1])
    return tuple(parts)


def _part(name: str) -> str:
    if _AUTOMATIC.match(name):
        return ""
    for pattern, part in _NAMED:
        match = pattern.search(name)
        if match:
            number = match[1] if match.re.groups and "{}" in part else ""
            return part.format(number)
    return ""
