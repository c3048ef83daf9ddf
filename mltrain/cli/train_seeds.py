"""`mltrain train --seeds`: a run for each seed, and what they say together."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mltrain.cli.gates import gate_places, skipped_gates
from mltrain.cli.run_folders import print_together

if TYPE_CHECKING:
    from mltrain.config.load import Loaded
    from mltrain.training.signals import Interruption


@dataclass(frozen=True)
class FolderOptions:
    """The options of `train` on the runs."""

    runs_dir: Path
    run_dir: Path | None
    resume: bool
    gates: tuple[str, ...]
    allow_inexact: bool
    verify_export: bool
    profile: bool
    plugins: tuple[Path, ...]
    parallel: int


@dataclass(frozen=True)
class Output:
    """The options of `train` on what is printed and written at the end."""

    junit: Path | None
    json: bool
    quiet: bool


def refuse_parallel(parallel: int | None, seeds: str | None, workers: int | None) -> None:
    """Refuse --parallel where there is one run, or where the processes train one model.

    Raises:
        UsageError: says which.
    """
    from mltrain.errors import UsageError

    if parallel is None:
        return
    if workers is not None:
        raise UsageError(
            "--parallel and --workers were both given: --parallel trains several runs at once, --workers one model "
            "with several processes; remove one"
        )
    if seeds is None:
        raise UsageError("--parallel needs several runs: add --seeds N, or use `mltrain cross-validate`")


def train_seeds(loaded: Loaded, asked: str, options: FolderOptions, interruption: Interruption, output: Output) -> None:
    """Train one run for each seed, print what they say together, and judge the gates by the means.

    Args:
        loaded: the experiment.
        asked: how many seeds, or which.
        options: on the runs.
        interruption: of this process.
        output: what is printed.

    Raises:
        MltrainError: as a training, or a gate was missed.
    """
    from mltrain.procedures.folder_training import FolderRequest
    from mltrain.procedures.seeds.configs import asked_seeds, seed_configs
    from mltrain.procedures.seeds.train_seeds import train_seeds as train_all
    from mltrain.procedures.weight_sources import stating_found_runs
    from mltrain.report.seeds import seeds_text
    from mltrain.report.terminal import Terminal
    from mltrain.run.run_folder import SEEDS, run_folder

    loaded = stating_found_runs(loaded, options.runs_dir, options.gates)
    configs = seed_configs(loaded, asked_seeds(asked, loaded.spec.seed), options.gates)
    with interruption.deferred():
        folder = run_folder(SEEDS, options.runs_dir, loaded.spec.name, options.run_dir, go_on=options.resume)
        if not output.json:
            typer.echo(folder.path.absolute())
        for note in skipped_gates(loaded, folds=False, seeds=True):
            Terminal(quiet=output.quiet).note(note)
        request = FolderRequest(
            configs,
            folder,
            tuple(sys.argv),
            again=f"mltrain train … --seeds {asked}",
            allow_inexact=options.allow_inexact,
            verify_export=options.verify_export,
            profile=options.profile,
            quiet=output.quiet,
            gates=options.gates,
            plugins=options.plugins,
            parallel=options.parallel,
        )
        found = train_all(request, interruption)
        content = {"folder": str(folder.path.absolute()), **found.as_json()}
        places = gate_places(loaded, lambda gate: not gate.of_folds)
        print_together(
            folder,
            content,
            seeds_text(found),
            found.gates,
            places,
            junit=output.junit,
            json=output.json,
            quiet=output.quiet,
        )
