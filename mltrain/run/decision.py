"""How probabilities become decisions: `decision.json`, chosen on the validation rows when the training is over."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mltrain.spec import Spec


class DecisionRule(Spec):
    """What is done to the probabilities of the model; without the file it is what the defaults say: nothing."""

    format: Literal[1] = 1
    """The version of this file's form."""
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.5
    """For binary, the probability above which a row is predicted as the positive class."""
    temperature: Annotated[float, Field(gt=0)] | None = None
    """What the logits are divided by; null leaves them as they are."""


AS_IT_IS = DecisionRule()
