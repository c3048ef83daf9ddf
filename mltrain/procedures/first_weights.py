"""First weights of a model: from files, from runs, and of ImageNet, into its layers. Imports TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from mltrain.config.plugins import Plugins
from mltrain.errors import DataError, DataFileError, MisfitError, RunError
from mltrain.experiment.settled import settled
from mltrain.experiment.spec import ExperimentSpec
from mltrain.first_weights.apart import apart
from mltrain.first_weights.hdf5 import open_hdf5
from mltrain.first_weights.imagenet import ImagenetFile, NoWeightsError, fetched, imagenet_file
from mltrain.first_weights.layouts import stored_weights
from mltrain.first_weights.matching import (
    Match,
    ModelLayer,
    complete_match,
    narrowed,
    partial_match,
)
from mltrain.first_weights.model_layers import layers_with_weights, put
from mltrain.first_weights.spec import FirstWeights
from mltrain.first_weights.stored import KeptArray, Names, StoredWeight, StoredWeights
from mltrain.models.model import FIRST_WEIGHTS, StatedWeights
from mltrain.problems import path_text, printable
from mltrain.procedures.stored_model import StoredModel
from mltrain.procedures.weight_sources import run_with_weights
from mltrain.run.arrays import to_npz
from mltrain.run.record import WeightsOrigin
from mltrain.task import DataInfo, Decision
from mltrain.wording import counted, in_words, listed_shortly

Download = Callable[[ImagenetFile], object]

# Of pixels, where the config does not say the size of images: every network takes them.
_USUAL_SIZE = (224, 224)


@dataclass(frozen=True)
class PutWeights:
    """What was put into a model.

    Attributes:
        decisions: how many layers have weights from where.
        origins: where each is from, by the key of the config.
    """

    decisions: tuple[Decision, ...]
    origins: Mapping[str, WeightsOrigin]


@dataclass(frozen=True)
class _Source:
    """Weights that can be put into a model.

    Attributes:
        words: what they are, for messages.
        recorded: the same for the record.
        sha256: of the bytes that hold them.
        found: the weights, read in one way or more.
        is_complete: whether every layer shall get some.
        ordered: whether they were written for this very network.
    """

    words: str
    recorded: str
    sha256: str
    found: Sequence[StoredWeights]
    is_complete: bool
    ordered: bool = False


def fetch_imagenet(spec: ExperimentSpec, download: Download) -> None:
    """Download the weights of ImageNet that a model needs and Keras' cache does not have, before any data are read.

    Raises:
        DownloadError: a file is not there and cannot be downloaded.
        DataFileError: another file has its name.
        MisfitError: there are no such weights.
    """
    for stated in spec.model.stated_weights():
        if stated.source == "imagenet":
            size = stated.size or _stated_size(spec, stated)
            # Of MobileNetV2 there is a file for each of several sizes: the data will tell which.
            if size is not None or _network(stated).type != "MobileNetV2":
                with _placed(stated):
                    fetched(_imagenet_file(stated, size or _USUAL_SIZE), download)


def put_first_weights(
    spec: ExperimentSpec, info: DataInfo, model: keras.Model, download: Download, plugins: Plugins | None
) -> PutWeights:
    """Put the first weights that the config names into the layers of a model. An optimizer that keeps a copy of them
    does not know them yet: see `follow_first_weights`.

    Args:
        spec: the experiment.
        info: what the model knows of the data.
        model: built, and not trained yet.
        download: fetches a file of ImageNet.
        plugins: with which the config of a run is read, whose weights are asked for.

    Raises:
        DataFileError: a file is not there, damaged, or not of this network.
        RunError: a run is not there, or damaged.
        MisfitError: the weights do not fit.
        DownloadError: the weights of ImageNet are not there.
    """
    names = {each.path: each.name for each in spec.model.backbones(info)}
    decisions: list[Decision] = []
    origins: dict[str, WeightsOrigin] = {}
    for stated in spec.model.stated_weights():
        part = model if stated.backbone is None else model.get_layer(names[stated.path[:-1]])
        layers = layers_with_weights(part)
        with _placed(stated), _source(stated, part, download, plugins) as source:
            match = _match(stated, source, layers, part)
            put(match)
            left = _left(match)
        decisions.append(_decision(stated, source, match, left))
        origins[path_text(stated.path)] = WeightsOrigin(
            source=source.recorded,
            sha256=source.sha256,
            how=match.how,
            taken=tuple(_shown(path) for path in match.taken),
            not_taken=tuple(left),
            random=tuple(_shown(each.path) for each in layers if each.path not in match.taken),
        )
    return PutWeights(tuple(decisions), origins)


@contextmanager
def _placed(stated: StatedWeights) -> Iterator[None]:
    """Give errors of a file of weights the key of the config that names it."""
    of_file = isinstance(stated.source, FirstWeights) and stated.source.file is not None
    try:
        yield
    except DataError as error:
        raise DataFileError((*stated.path, "file") if of_file else stated.path, str(error)) from error


@contextmanager
def _source(stated: StatedWeights, part: keras.Model, download: Download, plugins: Plugins | None) -> Iterator[_Source]:
    """Open where weights are from."""
    match stated.source:
        case FirstWeights(file=Path() as path):
            with open_hdf5(path) as opened:
                found = stored_weights(opened)
                yield _Source(opened.name, str(path), opened.sha256, found, stated.backbone is not None)
        case FirstWeights(run=str(name)):
            stored = run_with_weights(name, plugins)
            digest = hashlib.sha256(to_npz(stored.weights)[0]).hexdigest()
            words = f"run {stored.run.path.name}"
            yield _Source(words, str(stored.run.path), digest, (_weights_of_run(stored),), is_complete=False)
        case _:
            height, width = part.input_shape[1:3]
            file = _imagenet_file(stated, (height, width))
            with open_hdf5(fetched(file, download)) as opened:
                found = stored_weights(opened)
                words = f"ImageNet ({file.name})"
                yield _Source(words, file.name, opened.sha256, found, is_complete=True, ordered=True)


def _match(stated: StatedWeights, source: _Source, layers: Sequence[ModelLayer], part: keras.Model) -> Match:
    """Return which layers get which weights.

    Raises:
        DataError: a file is not of this network.
        MisfitError: no layer fits.
    """
    if not source.is_complete:
        match = partial_match(layers, source.found[0])
        if match.taken:
            return match
        mine, theirs = [_shown(each.path) for each in layers], [_shown(each) for each in source.found[0].layers]
        why = f": {listed_shortly(match.misfits)}" if match.misfits else ""
        raise MisfitError(
            stated.path,
            f"no layer of {source.words} has the name and the shapes of one of the model{why} (in the model: "
            f"{listed_shortly(mine)}; there: {listed_shortly(theirs) or 'none'})",
        )
    whole = _whole_backbone(stated, part) if source.ordered else None
    match = complete_match(
        layers if whole is None else layers_with_weights(whole), source.found, ordered=source.ordered
    )
    if not match.complete:
        parts = [listed_shortly(match.misfits)] if match.misfits else []
        if match.absent:
            parts.append(f"not in {match.stored.where}: {listed_shortly([each.name for each in match.absent])}")
        message = f"{source.words} does not fit {_network(stated).type}: {'; '.join(parts)}"
        raise DataError(message if source.ordered else f"{message}; {_advice(stated)}")
    return match if whole is None else narrowed(match, layers)


def _advice(stated: StatedWeights) -> str:
    """Return what may be wrong with a file that does not fit a backbone."""
    network = _network(stated)
    arguments = [f"{name} {value}" for name, value in network.arguments]
    return f"is it a file of {network.type}{f' with {in_words(arguments)}' if arguments else ''}?"


def _whole_backbone(stated: StatedWeights, part: keras.Model) -> keras.Model | None:
    """Return the network whose upper part is not taken; None where all is."""
    from mltrain.models.backbone import taken_backbone

    with apart():
        whole = taken_backbone(_network(stated), part.input_shape[1:3], None, "whole", imagenet=True)
    return whole if len(whole.weights) != len(part.weights) else None


def _weights_of_run(stored: StoredModel) -> StoredWeights:
    """Return the weights of a run with the names of their layers, which are those of the model that its config builds.

    Raises:
        RunError: the weights are not those of this model.
    """
    spec = settled(stored.spec, stored.info, stored.record.epochs)
    with apart():
        model = spec.model.build(stored.info, spec.training.loss)
    arrays = [stored.weights[place] for place in sorted(stored.weights)]
    if [tuple(each.shape) for each in model.weights] != [each.shape for each in arrays]:
        raise RunError(f"{stored.run.path}: its weights are not those of the model in its config")
    by_variable = {id(variable): array for variable, array in zip(model.weights, arrays, strict=True)}
    return StoredWeights(
        tuple(
            StoredWeight(layer.path, weight.names, KeptArray(by_variable[id(weight.variable)]))
            for layer in layers_with_weights(model)
            for weight in layer.weights
        ),
        where="the run",
    )


def _left(match: Match) -> list[str]:
    """Return the layers of the source that were not taken."""
    return [_shown(layer) for layer in match.stored.layers if layer not in match.used]


def _decision(stated: StatedWeights, source: _Source, match: Match, left: Sequence[str]) -> Decision:
    whole = "the model" if stated.backbone is None else _network(stated).type
    if stated.input is not None:
        whole += f" of {stated.input}"
    random = [*match.misfits, *(each.name for each in match.absent)]
    count = len(match.taken) + len(random)
    value = f"{len(match.taken)} of {counted(count, 'layer')} of {whole} are from {source.words}"
    reason = f"found {match.how}"
    if random:
        reason += f"; at random: {listed_shortly(random)}"
    if left:
        reason += f"; not taken: {listed_shortly(left)}"
    return Decision(FIRST_WEIGHTS, printable(value), printable(reason))


def _imagenet_file(stated: StatedWeights, size: Sequence[int]) -> ImagenetFile:
    try:
        return imagenet_file(_network(stated), size)
    except NoWeightsError as error:
        raise MisfitError(stated.path, f"{_network(stated).type}: {error}") from error


def _network(stated: StatedWeights) -> Any:
    if stated.backbone is None:
        raise ValueError("weights of ImageNet are for a backbone")
    return stated.backbone


def _stated_size(spec: ExperimentSpec, stated: StatedWeights) -> tuple[int, int] | None:
    """Return the size of the images of a backbone, where the config says it."""
    feature = spec.data.features.get(stated.input or "")
    for section in (feature, spec.data.source):
        size = getattr(section, "size", None)
        if isinstance(size, tuple) and len(size) == len(_USUAL_SIZE):
            return size[0], size[1]
    return None


def _shown(path: Names) -> str:
    return printable("/".join(path))
