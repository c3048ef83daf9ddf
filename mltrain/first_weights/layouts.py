"""The layouts in which Keras writes weights into HDF5 files, each read into layers with names.

`.weights.h5` of Keras 3 has a group for each layer, named by its kind and number, with numbered arrays:

    layers/conv2d_1/vars/0                          and the layer's name as an attribute of `vars`
    layers/functional/layers/dense/vars/0           a model inside the model

`.h5` of Keras 2 and 3 lists names: `layer_names` of the model, and of each layer `weight_names`, at the root of a file
of weights, or in the group `model_weights` of a whole model. A model inside the model is one entry, with all its
weights. What else a whole model has in its file (its config, its optimizer) is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from mltrain.errors import DataError
from mltrain.first_weights.hdf5 import OpenFile, Place
from mltrain.first_weights.stored import Names, StoredWeight, StoredWeights
from mltrain.problems import printable

_LAYERS = "layers"
# The name that the first versions of this layout had for the same group.
_OLD_LAYERS = "_layer_checkpoint_dependencies"
_ARRAYS = "vars"
_OF_WHOLE_MODEL = "model_weights"
_LAYER_NAMES, _WEIGHT_NAMES = "layer_names", "weight_names"


def stored_weights(file: OpenFile) -> tuple[StoredWeights, ...]:
    """Return the weights in a file: as names, and in a `.weights.h5` file also by kind and number.

    Raises:
        DataError: they are in none of these layouts.
    """
    for place in ((_OF_WHOLE_MODEL,), ()):
        if place in file.groups and (names := file.texts(place, _LAYER_NAMES)) is not None:
            return (StoredWeights(tuple(_listed(file, place, names)), listed=True),)
    if (_LAYERS,) in file.groups or (_OLD_LAYERS,) in file.groups:
        by_kind = StoredWeights(tuple(_numbered(file)), by_kind=True, numbered=True)
        named = _with_names(file, by_kind)
        return (by_kind,) if named is None else (named, by_kind)
    raise DataError(
        f"{file.name}: no weights of Keras in this HDF5 file; expected the layout of model.save_weights, with a group "
        f"{_LAYERS}, or that of a .h5 file, with {_LAYER_NAMES}"
    )


def _listed(file: OpenFile, place: Place, layers: list[str]) -> Iterator[StoredWeight]:
    """Yield the weights of a file that lists names.

    Raises:
        DataError: what is listed is not there.
    """
    for name in layers:
        group = (*place, *_parts(file, name))
        if group not in file.groups:
            raise DataError(f"{file.name}: it lists a layer {printable(name)}, and has no group for it")
        for weight in file.texts(group, _WEIGHT_NAMES) or ():
            array = file.arrays.get((*group, *_parts(file, weight)))
            if array is None:
                raise DataError(f"{file.name}: it lists a weight {printable(weight)}, and has no array for it")
            *inside, own = _inside(name, weight)
            # What is between may be models, or layers in a layer: the model that gets the weights tells.
            yield StoredWeight((name, *inside), (own,), array)


def _inside(layer: str, weight: str) -> Names:
    """Return the names from a layer to its weight, without the number that Keras 2 puts behind it (`kernel:0`).

    What stands before the name of the layer is the whole model: `sequential/dense/kernel`.
    """
    parts = tuple(weight.split("/"))
    own, groups = parts[-1].partition(":")[0], parts[:-1]
    if layer in groups:
        groups = groups[groups.index(layer) + 1 :]
    return (*groups, own)


def _parts(file: OpenFile, name: str) -> Names:
    parts = tuple(name.split("/"))
    if any(part in ("", ".", "..") for part in parts):
        raise DataError(f"{file.name}: it lists a name that no layer has: {printable(name[:200])}")
    return parts


def _numbered(file: OpenFile) -> Iterator[StoredWeight]:
    """Yield the weights of a `.weights.h5` file, by kind and number."""
    for place, array in file.arrays.items():
        if len(place) > 1 and place[-2] == _ARRAYS:
            layers, nested = split_place(place[:-2])
            if layers:  # others are of the model itself, or of its optimizer
                yield StoredWeight(layers, (*nested, place[-1]), array)


def split_place(place: Place) -> tuple[Names, Names]:
    """Return the layers in a place of a `.weights.h5` file, the last inside the others, and what follows inside the
    last: ("layers", "functional", "layers", "lstm", "cell") is of ("functional", "lstm") and ("cell",)."""
    layers: list[str] = []
    at = 0
    while at + 1 < len(place) and place[at] in (_LAYERS, _OLD_LAYERS):
        layers.append(place[at + 1])
        at += 2
    return tuple(layers), place[at:]


def _with_names(file: OpenFile, by_kind: StoredWeights) -> StoredWeights | None:
    """Return the same with the names that the layers had; None where the file does not say them, as those of older
    versions of Keras 3."""
    names: dict[Names, str] = {}
    for place in file.groups:
        layers, nested = split_place(place[:-1])
        if place and place[-1] == _ARRAYS and layers and not nested:
            name = file.text(place, "name")
            if name is not None:
                names[layers] = name
    found = []
    for weight in by_kind.weights:
        path = [names.get(weight.layer[: depth + 1]) for depth in range(len(weight.layer))]
        if any(each is None for each in path):
            return None
        found.append(StoredWeight(tuple(map(str, path)), weight.nested, weight.kept))
    return StoredWeights(tuple(found), numbered=True)
