"""The form of seeds.json: what the runs of several seeds say together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from mltrain.run.json_text import from_json
from mltrain.run.layout import SEEDS
from mltrain.run.reading import MEBIBYTE, read_file, wrong_form
from mltrain.run.results import Judgement
from mltrain.run.split_result import MetricValue, Part, SplitResult
from mltrain.spec import Many
from mltrain.task import Task


class SeedMean(MetricValue):
    """A metric over all seeds: `value` is their mean, `low` and `high` the ends of the 95 % interval of that mean."""

    std: float | None = None
    """The standard deviation of the seeds (n - 1)."""
    min: float | None = None
    """The smallest."""
    max: float | None = None
    """The largest."""


class SeedSplit(SplitResult):
    """The results on a split, each number the mean over the seeds; without what there is of one model only, such as
    the confusion matrix."""

    metrics: Mapping[str, SeedMean]
    """By name."""


class SeedRun(Part):
    """One run."""

    seed: Annotated[int, Field(ge=0)]
    """Its seed."""
    run: Annotated[str, Field(pattern=r"^seed-(0|[1-9][0-9]*)$")]
    """The name of its directory."""
    metrics: Mapping[str, Mapping[str, MetricValue]]
    """Its metrics on each split, by name."""


class SeedValue(Part):
    """The value of one seed."""

    seed: int
    """The seed."""
    value: float
    """Its value."""


class SeveralSeeds(Part):
    """The whole file."""

    format: Literal[1] = 1
    """The version of this file."""
    task: Task
    """What is learned."""
    classes: Many[str] = ()
    """Their names."""
    metric: str
    """The metric of the sentences, with its split: the one that is nearest to the objective."""
    rows: Mapping[str, int]
    """The number of rows in each split, which are the same in all runs."""
    seeds: Annotated[Many[SeedRun], Field(min_length=2)]
    """The runs, in the order in which they were asked for."""
    splits: Mapping[str, SeedSplit]
    """The results on each split, over the seeds."""
    best: SeedValue | None = None
    """The best seed by that metric; null if a seed has no value."""
    worst: SeedValue | None = None
    """The worst one."""
    sentences: Many[str] = ()
    """The results in words."""
    gates: Many[Judgement] = ()
    """The results of evaluation.gates, judged by the means."""

    # As it was read: with all numbers of its parts.
    _content: Mapping[str, Any] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        split, _, name = self.metric.partition(".")
        if split not in self.splits or name not in self.splits[split].metrics:
            raise ValueError(f"{self.metric!r} is not among the metrics")
        for each in self.seeds:
            if each.run != f"seed-{each.seed}":
                raise ValueError(f"{each.run!r} is not the run of seed {each.seed}")
        if len({each.seed for each in self.seeds}) < len(self.seeds):
            raise ValueError("a seed is listed twice")
        return self

    @property
    def split(self) -> str:
        """The split of the metric: that which nothing was chosen by, as far as there is one."""
        return self.metric.partition(".")[0]

    def as_json(self) -> dict[str, Any]:
        """Return what is in seeds.json, or will be."""
        return super().as_json() if self._content is None else dict(self._content)


def read_seeds(folder: Path) -> SeveralSeeds:
    """Return the combined results of several seeds.

    Raises:
        RunError: seeds.json does not exist, or says what is wrong with it.
    """
    place = folder / SEEDS
    data = read_file(folder, SEEDS, limit=64 * MEBIBYTE)
    content = from_json(data, place)
    try:
        found = SeveralSeeds.model_validate_json(data)
    except ValidationError as error:
        raise wrong_form(place, error) from None
    found._content = content
    return found
