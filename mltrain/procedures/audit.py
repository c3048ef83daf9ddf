"""`audit`: what is found in the data of an experiment before the training, also together with the model. No TensorFlow,
no run directory."""

from __future__ import annotations

from dataclasses import replace

from mltrain.config.load import Loaded
from mltrain.data.preparation import Prepared, prepare
from mltrain.errors import MisfitError
from mltrain.experiment.pixel_range import PixelRange, pixel_findings
from mltrain.experiment.spec import ExperimentSpec
from mltrain.experiment.target_scale import own_units
from mltrain.procedures.slices import slice_columns
from mltrain.run.audit import Audit

# Height, width and channels.
_IMAGE_AXES, _CHANNELS = 3, (1, 3, 4)


def audit(loaded: Loaded) -> Audit:
    """Read, split and encode the data as `train` does, and return what its audit found.

    Raises:
        ConfigError: the data does not fit the config; at the line.
        DataError: the data does not exist, or a value is wrong.
    """
    spec = loaded.spec
    try:
        prepared = prepare(spec.data, spec.seed, spec.task, slice_columns(spec.evaluation.slices), own_units(spec))
    except MisfitError as error:
        raise loaded.error(error.path, error.message) from error
    return with_pixel_findings(prepared, spec).audited.audit


def with_pixel_findings(prepared: Prepared, spec: ExperimentSpec) -> Prepared:
    """Return the data with an audit that also warns of layers for another range of pixels."""
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
