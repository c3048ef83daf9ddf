"""`cross-validate`: a run for each fold, made as `train` makes it, then what they say together."""

from __future__ import annotations

from mltrain.procedures.folder_training import FolderRequest
from mltrain.procedures.folds.results import fold_results
from mltrain.procedures.training_at_once import train_folder
from mltrain.report.folds import folds_markdown
from mltrain.run.folds_form import CrossValidation
from mltrain.run.json_text import to_json
from mltrain.training.signals import Interruption


def cross_validate(request: FolderRequest, interruption: Interruption) -> CrossValidation:
    """Train every fold that is not finished in the folder, and return what all of them say together.

    Raises:
        MltrainError: as `train_folder`.
    """
    train_folder(request, interruption)
    first = next(iter(request.configs.values()))
    found = fold_results(request.folder, len(request.configs), first.spec.evaluation.gates, first.plugins)
    content = to_json(found.model_dump(mode="json"), exact=True)
    request.folder.write_results(content, folds_markdown(found, first.spec.name))
    return found
