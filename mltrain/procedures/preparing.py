"""The data of an experiment, prepared, and what its model says of them. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mltrain.data.preparation import Prepared, prepare
from mltrain.data.preprocessing_fit import TextUse
from mltrain.errors import MisfitError
from mltrain.experiment.pixel_range import PixelRange, pixel_findings
from mltrain.experiment.spec import ExperimentSpec
from mltrain.experiment.target_scale import why_unscaled
from mltrain.procedures.target_logarithm import with_logarithm
from mltrain.stopwatch import NO_STOPWATCH, NoStopwatch

# Height, width and channels.
_IMAGE_AXES, _CHANNELS = 3, (1, 3, 4)


def prepare_for_model(
    spec: ExperimentSpec, keep: Mapping[str, tuple[str | int, ...]], stopwatch: NoStopwatch = NO_STOPWATCH
) -> Prepared:
    """Return the data of an experiment, ready for its model, with an audit of both.

    Args:
        spec: the experiment.
        keep: columns that are needed as they are, each with the place in the config that names it.
        stopwatch: notes what the audit takes.

    Raises:
        DataError: the data is not there, not readable, or does not fit what was asked.
        MisfitError: a column to keep is not there, or the model takes one input and there are several.
    """
    texts = TextUse(spec.model.type, spec.model.text_encoding, spec.model.takes_text)
    prepared = prepare(spec.data, spec.seed, spec.task, keep, why_unscaled(spec), stopwatch, texts)
    problem = spec.model.inputs_problem(prepared.info.inputs)
    if problem is not None:
        raise MisfitError(("model", "type"), problem)
    return _with_pixel_findings(with_logarithm(prepared, spec), spec)


def _with_pixel_findings(prepared: Prepared, spec: ExperimentSpec) -> Prepared:
    """Return the data with an audit that also warns of layers for another range of pixels than the images have."""
    if len(prepared.info.inputs) > 1:
        return prepared
    given = prepared.info.input
    if given.columns or given.dtype != "float32":
        return prepared
    shape, values = given.shape, prepared.examples["train"].x
    if len(shape) != _IMAGE_AXES or shape[-1] not in _CHANNELS or not values.size:
        return prepared
    pixels = PixelRange.of_values(float(values.min()), float(values.max()))
    found = tuple(pixel_findings(spec.model, pixels, given.name))
    if not found:
        return prepared
    audit = prepared.audited.audit
    audit = audit.model_copy(update={"findings": (*found, *audit.findings)})
    return replace(prepared, audited=replace(prepared.audited, audit=audit))
