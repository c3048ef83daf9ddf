"""`audit`: what is found in the data of an experiment before the training. No TensorFlow, no run directory."""

from __future__ import annotations

from mltrain.config.load import Loaded
from mltrain.errors import MisfitError
from mltrain.procedures.preparing import prepare_for_model
from mltrain.procedures.slices import slice_columns
from mltrain.run.audit import Audit


def audit(loaded: Loaded) -> Audit:
    """Read, split and encode the data as `train` does, and return what its audit found.

    Raises:
        ConfigError: the data does not fit the config; at the line.
        DataError: the data does not exist, or a value is wrong.
    """
    try:
        prepared = prepare_for_model(loaded.spec, slice_columns(loaded.spec.evaluation.slices))
    except MisfitError as error:
        raise loaded.error(error.path, error.message) from error
    return prepared.audited.audit
