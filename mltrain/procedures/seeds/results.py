"""What the finished runs of several seeds say together, from their directories alone. No TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence

from mltrain.comparison.compared_run import ComparedRun, read_run
from mltrain.comparison.compared_seeds import one_of_seeds
from mltrain.config.plugins import Plugins
from mltrain.gates.gate import Gate
from mltrain.gates.judging import judge_seeds
from mltrain.report.seeds import seeds_sentences
from mltrain.run.run_folder import RunFolder
from mltrain.run.rundir import RunDirectory
from mltrain.run.seeds_form import SeedRun, SeedSplit, SeedValue, SeveralSeeds


def seed_results(
    folder: RunFolder, seeds: Sequence[int], gates: Sequence[Gate], plugins: Plugins | None = None
) -> SeveralSeeds:
    """Return what the runs of a folder say together.

    Args:
        folder: with a finished run for each seed.
        seeds: of the runs.
        gates: of the config; they are judged by the means.
        plugins: with which its metrics can be measured again.

    Raises:
        RunError: a run is not finished or damaged, or they are not on the same rows.
    """
    runs = {seed: read_run(RunDirectory(folder.run(seed)), plugins) for seed in seeds}
    together = one_of_seeds(runs, folder.path)
    metric = together.primary
    best, worst = _best_and_worst(together, metric)
    splits = {split: each for split, each in together.results.splits.items() if isinstance(each, SeedSplit)}
    found = SeveralSeeds(
        format=1,
        task=together.task,
        classes=together.classes,
        metric=metric,
        rows={split: each.n for split, each in splits.items()},
        seeds=tuple(
            SeedRun(
                seed=seed,
                run=run.directory.path.name,
                metrics={split: each.metrics for split, each in run.results.splits.items()},
            )
            for seed, run in runs.items()
        ),
        splits=splits,
        best=best,
        worst=worst,
    )
    sentences = tuple(seeds_sentences(found, together.direction(metric)))
    return found.model_copy(update={"sentences": sentences, "gates": judge_seeds(gates, splits)})


def _best_and_worst(together: ComparedRun, metric: str) -> tuple[SeedValue | None, SeedValue | None]:
    """Return the best seed and the worst one; None where a seed has no value."""
    values = {seed: run.value(metric) for seed, run in together.seeds.items()}
    known = [SeedValue(seed=seed, value=value) for seed, value in values.items() if value is not None]
    if len(known) < len(values):
        return None, None
    ends = min(known, key=lambda each: each.value), max(known, key=lambda each: each.value)
    return ends if together.direction(metric) == "min" else ends[::-1]
