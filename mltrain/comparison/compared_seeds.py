"""Several seeds as they are compared with others: one run, whose numbers are means. No TensorFlow here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from mltrain.comparison.compared_run import ComparedRun, read_run
from mltrain.config.plugins import Plugins
from mltrain.errors import RunError
from mltrain.evaluation.metric import Metric
from mltrain.evaluation.over_seeds import OverSeeds, over_seeds
from mltrain.evaluation.seed_means import SeedMeans
from mltrain.run.reading import wrong_form
from mltrain.run.results import Results
from mltrain.run.run_folder import SEEDS, RunFolder
from mltrain.run.rundir import RunDirectory
from mltrain.run.seeds_form import read_seeds
from mltrain.task import SPLITS


def read_compared_seeds(path: Path, plugins: Plugins | None = None) -> ComparedRun:
    """Return the runs of a folder of seeds as one.

    Raises:
        RunError: one of them is not finished or damaged, or they are not on the same rows.
    """
    folder = RunFolder(path, SEEDS)
    runs = {each.seed: read_run(RunDirectory(folder.run(each.seed)), plugins) for each in read_seeds(path).seeds}
    return one_of_seeds(runs, path)


def one_of_seeds(runs: Mapping[int, ComparedRun], path: Path) -> ComparedRun:
    """Return several runs as one, with the mean over the seeds in the place of each number.

    Args:
        runs: two or more, by their seed.
        path: of the folder that they are in.

    Raises:
        RunError: they are not on the same rows.
    """
    first = next(iter(runs.values()))
    for run in runs.values():
        why = other_rows(run, first)
        if why:
            raise RunError(f"{run.directory.path}: {why} as in {first.directory.path.name}, so the seeds have no mean")
    means = SeedMeans(tuple(runs), lambda name: _bounding(first, name))
    results = [run.results for run in runs.values()]
    shared = [split for split in first.results.splits if all(split in each.splits for each in results)]
    try:
        splits = {split: means.split([each.splits[split] for each in results]) for split in shared}
    except ValidationError as error:
        raise wrong_form(f"{path}: the means over the seeds", error) from error
    objective, model = first.results.objective, first.results.model
    together = Results(task=first.task, classes=first.classes, objective=objective, model=model, splits=splits)
    absolute = path.absolute()
    return replace(
        first,
        directory=RunDirectory(path),
        name=f"{absolute.parent.name}/{absolute.name}",
        results=together,
        config={**first.config, "seed": list(runs)},
        seeds=runs,
    )


def _bounding(run: ComparedRun, name: str) -> Metric | None:
    """Return the metric that bounds that name, also of one of several targets of different kinds."""
    of_target = run.split_target(f"{run.split}.{name}")
    if of_target is None:
        return run.bounding(name)
    return run.of_target(of_target[1]).exact(of_target[0].partition(".")[2])


def other_rows(run: ComparedRun, other: ComparedRun, splits: Collection[str] = SPLITS) -> str:
    """Return in what two runs are not of the same rows of some splits, in words; empty where they are."""
    if (run.task, run.classes) != (other.task, other.classes):
        return "they do not have the same task and classes"
    if run.data is None or run.data != other.data:
        return "the data is not the same"
    import numpy as np

    mine, theirs = run.directory.splits(), other.directory.splits()
    for split in splits:
        one, two = (np.sort(rows.get(split, np.empty(0))) for rows in (mine, theirs))
        if not np.array_equal(one, two):
            return f"the {split} rows are not the same"
    return ""


def compare_seeds(run: ComparedRun, other: ComparedRun, metric: str) -> OverSeeds | str:
    """Return what the seeds of one of them, or of both, say by `split.metric`; or why they say nothing."""
    paired = bool(run.seeds) and run.seeds.keys() == other.seeds.keys()
    mine = list(run.seeds.values()) or [run]
    theirs = [other.seeds[seed] for seed in (run.seeds if paired else other.seeds)] or [other]
    why = other_rows(mine[0], theirs[0], [metric.partition(".")[0]])
    if why:
        return f"{why}, and the seeds say nothing of the chance of rows"
    values = [[each.value(metric) for each in runs] for runs in (mine, theirs)]
    known = [[value for value in each if value is not None] for each in values]
    if known != values or run.value(metric) is None or other.value(metric) is None:
        return "not every run has a value"
    return over_seeds(metric, other.direction(metric), *known, paired=paired)
