"""How probabilities become decisions: `decision.json`, chosen on the validation rows when the training is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

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
    outputs: Mapping[str, DecisionRule] = {}
    """The rule of each of several targets of different kinds, by the name of the target."""

    def as_json(self) -> dict[str, Any]:
        """Return what is in the file: the rules of several targets only where there are some."""
        found = self.model_dump(mode="json", exclude={"outputs"})
        outputs = {name: each.as_json() for name, each in self.outputs.items()}
        return {**found, **({"outputs": outputs} if outputs else {})}

    def of_output(self, name: str) -> DecisionRule:
        """Return the rule of one of several targets."""
        return self.outputs.get(name, DecisionRule())


AS_IT_IS = DecisionRule()
