"""The audit of the data together with the model: layers that expect another range of pixels than the images have."""

from __future__ import annotations

from dataclasses import replace

from mltrain.data.preparation import Prepared
from mltrain.experiment.pixel_range import PixelRange, pixel_findings
from mltrain.experiment.spec import ExperimentSpec

# Height, width and channels.
_IMAGE_AXES, _CHANNELS = 3, (1, 3, 4)


def with_pixel_findings(prepared: Prepared, spec: ExperimentSpec) -> Prepared:
    """Return the data with an audit that also warns of layers for another range of pixels."""
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
