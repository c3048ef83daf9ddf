"""What is in a `state-…` checkpoint beside the arrays. Sums that fit prove no form: a stranger can make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Union

from pydantic import Field, PlainValidator, TypeAdapter, ValidationError

from mltrain.errors import RunError
from mltrain.run.history import History
from mltrain.run.reading import wrong_form
from mltrain.spec import Many, Spec
from mltrain.training.spec import OWN_CALLBACKS
from mltrain.wording import counted

Count = Annotated[int, Field(ge=0)]

_STATES: Any = Union[tuple(callback.State for callback in OWN_CALLBACKS)]  # noqa: UP007 (the list is not known here)
CallbackState = Annotated[Spec, PlainValidator(TypeAdapter[Spec](_STATES).validate_python)]


class PositionState(Spec):
    """Where in the training the checkpoint was written."""

    epoch: Annotated[int, Field(ge=1)]
    """The epoch that was being trained."""
    step: Count
    """Its steps that were done."""
    seconds: float
    """The seconds that it had taken so far."""
    logs: Mapping[str, float] | None
    """Its loss and metrics, if only the validation was left."""
    stopped: str | None
    """Why the training had ended, if it had."""
    stage: Count = 0
    """The stage of the training that was under way, counted from 0."""
    first_epoch: Annotated[int, Field(ge=1)] = 1
    """Its first epoch."""
    steps_before: Count = 0
    """Updates of the weights in the stages before it."""
    ended: str | None = None
    """Why the stage had ended before its last epoch, if it had."""


class TrainingState(Spec):
    """What is needed to continue the epochs."""

    position: PositionState
    """Where they were."""
    best: float | None
    """The best value of the objective."""
    callbacks: Many[CallbackState]
    """The state of each callback of mltrain."""


class CheckpointState(Spec):
    """The state of a training, without its arrays."""

    training: TrainingState
    """What is needed to continue the epochs."""
    history: str
    """The content of history.csv."""
    best_epoch: Count
    """The epoch with the best weights; 0 before there is one."""
    best_step: Count
    """Updates of the weights until then."""
    retries: Count
    """How often the training went back after a divergence."""
    step: Count
    """Updates of the weights."""


def check_checkpoint_state(state: Mapping[str, Any], place: object) -> None:
    """Refuse a state that training cannot have written.

    Args:
        state: of a `state-…` checkpoint.
        place: where it is from, for the message.

    Raises:
        RunError: says what is wrong with it.
    """
    try:
        kept = CheckpointState.model_validate(state)
    except ValidationError as error:
        raise wrong_form(place, error) from None
    try:
        epochs = len(History.from_csv(kept.history.encode(), place).rows)
    except UnicodeEncodeError as error:  # half of a surrogate pair, which JSON can hold
        raise RunError(f"{place}: history: {error}") from None
    if kept.training.position.epoch != epochs + 1 or kept.best_epoch > epochs:
        raise RunError(
            f"{place}: its history has {counted(epochs, 'epoch')}, which is not where it says that training was"
        )
