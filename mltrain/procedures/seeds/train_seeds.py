"""`train --seeds`: a run for each seed, made as `train` makes it, then what they say together."""

from __future__ import annotations

from mltrain.procedures.folder_training import FolderRequest
from mltrain.procedures.seeds.results import seed_results
from mltrain.procedures.training_at_once import train_folder
from mltrain.report.seeds import seeds_markdown
from mltrain.run.json_text import to_json
from mltrain.run.seeds_form import SeveralSeeds
from mltrain.training.signals import Interruption


def train_seeds(request: FolderRequest, interruption: Interruption) -> SeveralSeeds:
    """Train every seed that is not finished in the folder, and return what all of them say together.

    Raises:
        MltrainError: as `train_folder`.
    """
    train_folder(request, interruption)
    first = next(iter(request.configs.values()))
    found = seed_results(request.folder, tuple(request.configs), first.spec.evaluation.gates, first.plugins)
    request.folder.write_results(to_json(found.as_json(), exact=True), seeds_markdown(found, first.spec.name))
    return found
