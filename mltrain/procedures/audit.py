"""`audit`: what is found in the data of an experiment before the training. No TensorFlow, no run directory."""

from __future__ import annotations

from mltrain.config.load import Loaded
from mltrain.data.preparation import prepare
from mltrain.errors import MisfitError
from mltrain.experiment.target_scale import own_units
from mltrain.procedures.pixel_range import with_pixel_findings
from mltrain.procedures.slices import slice_columns
from mltrain.run.audit import Audit


def audit(loaded: Loaded) -> Audit:
    """Read, split and encode the data as `train` does, and return what its audit found.

    Raises:
        ConfigError: the data does not fit the config; at the line.
        DataError: the data does not exist, or a value is wrong.
    """
    spec = loaded.spec
    try:
        prepared = prepare(
            spec.data,
            spec.seed,
            spec.task,
            slice_columns(spec.evaluation.slices),
            own_units(spec),
            text_encoding=spec.model.text_encoding,
        )
    except MisfitError as error:
        raise loaded.error(error.path, error.message) from error
    return with_pixel_findings(prepared, spec).audited.audit
