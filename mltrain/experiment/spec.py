"""The whole YAML as one frozen object. The rules that span two sections are in `section_rules.py`."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mltrain.data.spec import DataSpec
from mltrain.experiment.ensemble import Ensemble
from mltrain.experiment.evaluation_section import EvaluationSpec
from mltrain.models import Model
from mltrain.models.auto import Auto
from mltrain.spec import Spec
from mltrain.task import OUT_OF_FOLD, Task
from mltrain.training.device_names import DeviceNames
from mltrain.training.spec import ObjectiveSpec, TrainingSpec


def _folder_name(text: str) -> str:
    # It becomes a folder name: nothing that a shell, a file system or a path could read as something else.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text):
        raise ValueError("expected up to 64 letters, digits, '.', '_' or '-', a letter or digit first")
    return text


ExperimentName = Annotated[str, AfterValidator(_folder_name)]


class ExperimentSpec(Spec):
    """One experiment: the data, the model, the training and the evaluation."""

    version: Literal[1] = 1
    """The version of the config format."""
    name: ExperimentName = "experiment"
    """The name of the experiment. Its runs are written to `runs/<name>/`."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 42
    """All random numbers of the run depend on it: the split, the order of the rows, the first weights, dropout."""
    task: Literal["auto", Task] = "auto"
    """What is learned; auto recognises it from the values of the target. count has to be stated."""
    data: DataSpec
    """Where the examples come from and how they are split and encoded."""
    model: Model = Auto()
    """The network; auto takes the one that fits the data, such as `tabular` for a table."""
    ensemble: Ensemble | None = None
    """Several such networks, whose mean is the prediction; their number is enough."""
    training: TrainingSpec = TrainingSpec()
    """The training."""
    objective: ObjectiveSpec = ObjectiveSpec()
    """Which quantity decides which epoch is the best."""
    evaluation: EvaluationSpec = EvaluationSpec()
    """What is measured, and which conditions the results must meet."""
    device: DeviceNames = "auto"
    """The device for training; auto uses the first GPU, or the CPU if there is no GPU. `all` is every GPU of the
    machine, `gpu:1` the second one, `[gpu:0, gpu:2]` those two: several devices train one model together, with a worker
    for each. `[cpu:0, cpu:1]` splits the cores of the CPU between two workers."""
    threads: Annotated[int, Field(ge=1, le=1024)] | Literal["auto"] = "auto"
    """How many threads one operation may use; auto means one per core. If you run several trainings at once on one
    machine, fewer threads for each are faster. The number changes the last digits of convolutions and is recorded."""
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    """The number format in which the layers compute; weights and the last layer are always float32. `auto` uses
    mixed_bfloat16 for convolutions if the processor has instructions for it. `mixed_float16` is for GPUs; the loss is
    then scaled, so that small gradients do not become 0."""

    @property
    def networks(self) -> int:
        """How many networks are trained: those of an ensemble, or one."""
        return 1 if self.ensemble is None else self.ensemble.members

    @property
    def splits_of_folds(self) -> set[str]:
        """What is measured beside the splits: the training rows out of their fold, in an ensemble by fold."""
        return {OUT_OF_FOLD} if self.ensemble is not None and self.ensemble.by == "fold" else set()

    @property
    def has_members(self) -> bool:
        """Whether the prediction is a mean of several, each with a loss of its own."""
        return self.networks > 1 or self.model.member_count > 1

    def for_output(self, name: str, task: Task) -> ExperimentSpec:
        """Return this as it would be if one of several targets of different kinds were learned alone."""
        training, evaluation = self.training.for_output(name), self.evaluation.for_output(name)
        return self.model_copy(update={"task": task, "training": training, "evaluation": evaluation})
