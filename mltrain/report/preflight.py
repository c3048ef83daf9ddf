"""What `mltrain check` finds before a training: its form, which `--json` prints, and its lines. The lines are safe to
print."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mltrain.problems import printable
from mltrain.spec import Many, Spec
from mltrain.wording import counted

Verdict = Literal["ok", "note", "warning"]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0)]
Bytes = Annotated[int, Field(ge=0)]

_VERDICT_WIDTH = len("warning")
_NAME_WIDTH = len("first loss")


class CheckLine(Spec):
    """One thing that was looked at."""

    check: str
    """Its name, such as `first loss`."""
    verdict: Verdict
    """A warning fails `mltrain check --strict`; a note is good to know."""
    seen: str
    """What was seen, with numbers."""
    advice: str = ""
    """What to do; empty where nothing has to be done."""

    @property
    def line(self) -> str:
        """The whole in one line."""
        said = f"{self.seen}. {self.advice}" if self.advice else self.seen
        return printable(f"{self.verdict:<{_VERDICT_WIDTH}}  {self.check:<{_NAME_WIDTH}}  {said}")


class DecisionSeen(Spec):
    """What was not stated and had to be decided."""

    what: str
    """The subject."""
    value: str
    """What was decided."""
    reason: str
    """Why it was decided."""


class DataSeen(Spec):
    """The data."""

    source: str
    """Where it is from."""
    rows: Count
    """All rows."""
    splits: Mapping[str, Count]
    """The rows of each split."""
    inputs: Mapping[str, Many[Count]]
    """The shape of one example of each input."""
    seconds: Seconds
    """What reading, splitting and encoding took."""
    bytes: Bytes
    """What the encoded rows take in memory."""


class ModelSeen(Spec):
    """The network."""

    parameters: Count
    """All of its numbers."""
    trained: Count
    """Those that are trained."""
    layers: Count
    """How many layers it has."""


class FirstLoss(Spec):
    """The loss before any training, of the rows alone."""

    rows: Count
    """Training rows that it was measured on."""
    loss: float | None
    """The loss of the network as it begins; null where it is not finite."""
    chance: float | None
    """The loss of an answer that is always the same: the shares of the classes, or the mean."""
    added: float
    """What regularisation adds to it in training."""


class OneBatch(Spec):
    """What became of a copy of the network that was trained on one batch only."""

    rows: Count
    """Rows of the batch."""
    steps: Count
    """Steps that were run on it."""
    first: float
    """The loss of its first step, without regularisation."""
    last: float
    """The loss of its last steps, likewise."""
    chance: float | None
    """The loss of an answer that is the same for all of its rows; null where it is not finite."""
    smallest: float
    """The smallest loss that there can be."""
    share: float
    """What is left of the loss of chance, or of the first if that is smaller: 0 where the rows are memorised."""
    unknowable: float
    """How much of it must be left, as rows contradict each other."""
    contradictory: Count
    """Rows of the batch that are equal to another one in all inputs, and differ in the target."""
    without_gradient: Many[str]
    """Weights that no step has changed, as the loss does not depend on them."""


class Estimate(Spec):
    """What the whole training will take, if nothing ends it earlier."""

    epochs: Count
    """All epochs."""
    steps: Count
    """Updates of the weights in all epochs."""
    seconds_per_step: Seconds
    """Measured."""
    seconds_per_epoch: Seconds
    """The steps and the validation of one epoch, measured."""
    seconds: Seconds
    """The whole command, from its start to the report."""
    memory: Bytes
    """The most that the process will hold in memory."""
    free_memory: Bytes | None
    """What it can have; null where the system does not say."""
    device_memory: Bytes | None
    """The most that was used on a GPU so far; null on a CPU."""
    disk: Bytes
    """The size of the run directory."""
    free_disk: Bytes
    """What is free where the run would be written."""


class Preflight(Spec):
    """All that was found."""

    format: Literal[1] = 1
    """The version of this form."""
    config: str
    """The config."""
    checks: Many[CheckLine]
    """In the order in which they were made."""
    data: DataSeen
    """The data."""
    decisions: Many[DecisionSeen]
    """What was decided."""
    model: ModelSeen
    """The network."""
    first_loss: FirstLoss
    """The loss before any training."""
    one_batch: OneBatch
    """Whether the network memorises one batch."""
    estimate: Estimate
    """What the whole training will take."""
    seconds: Seconds
    """What all of this took, from the start of the process."""

    @property
    def warnings(self) -> tuple[CheckLine, ...]:
        """The checks that end in a warning."""
        return tuple(each for each in self.checks if each.verdict == "warning")


def last_line(found: Preflight) -> str:
    """Return how the check as a whole has ended."""
    warnings = counted(len(found.warnings), "warning") if found.warnings else "no warnings"
    return f"checked in {found.seconds:.1f} s: {warnings}; nothing was written"
