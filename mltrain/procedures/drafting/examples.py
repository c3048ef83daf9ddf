"""The configs that `mltrain init` writes without looking at data, by the name of `--example`."""

from __future__ import annotations

from pathlib import Path

from mltrain.config.yaml_text import value_text
from mltrain.errors import UsageError
from mltrain.spec import suggest

_HEAD = """\
# yaml-language-server: $schema={schema}
#
"""
_FIRST = """\
# An experiment for mltrain. It runs as it is:
#
#   mltrain train {config}
#
# Your editor explains each key with the schema named above. `mltrain list` explains the components.

version: 1
name: first-experiment             # runs go to runs/first-experiment/
seed: 42                             # all random numbers follow from it

data:
  source: {{type: sklearn, name: breast_cancer}}
  # source: {{type: csv, path: data.csv}}               # relative to this file; see `mltrain list source`
  target: target                     # the column to predict; it also sets the task
  split: {{type: random, validation: 0.2, test: 0.2}}   # stratified by class
  # features:                        # the kind of all other columns is inferred
  #   age: {{type: number, scale: standard}}
  #   island: category
  #   id: ignore

model:
  type: mlp                          # or linear, or sequential with a list of Keras layers
  units: [64]
  activation: relu
  dropout: 0.2

training:
  optimizer: {{type: Adam, learning_rate: 1e-3}}
  epochs: 100
  batch_size: 32
  callbacks:
    - {{type: EarlyStopping, patience: 10}}

objective: {{metric: validation.loss}}  # the best epoch is chosen by this

evaluation:
  metrics: [accuracy, precision, recall, f1, roc_auc]
"""
_PHOTOS = """\
# Photos in folders, one folder for each class, such as {folder}/cat/1.jpg and {folder}/dog/2.jpg. A network that
# has learned from a million images learns your classes from few photos:
#
#   mltrain train {config}
#
# Your editor explains each key with the schema named above. `mltrain list backbone` shows the networks.

version: 1
name: photos                         # runs go to runs/photos/
seed: 42                             # all random numbers follow from it

data:
  source: {{type: image_folder, path: {path}, size: [160, 160]}}   # your folder, relative to this file
  split: {{type: random, validation: 0.2, test: 0.2}}                  # of each class the same share

model:
  type: pretrained
  backbone: MobileNetV2              # small and fast; EfficientNetV2B0 and ConvNeXtTiny are larger and often better
  weights: imagenet                  # Keras downloads them once, 9 MB; or {{file: mobilenet.weights.h5}}, {{run: RUN}}
  dropout: 0.2
  # augmentation:                    # for very few photos; the backbone is then computed in each step, which is slower
  #   - {{type: RandomFlip, mode: horizontal}}
  #   - {{type: RandomRotation, factor: 0.05}}

training:
  stages:                            # a stage ends after `patience` epochs without a better one
    - {{train: head, epochs: 30, learning_rate: 1e-3, patience: 5}}
    - {{train: {{last: 30 layers}}, epochs: 30, learning_rate: 1e-5, patience: 5}}

objective: {{metric: validation.loss}}  # the best epoch of all stages is chosen by this

evaluation:
  metrics: [accuracy, precision, recall, f1]
"""
EXAMPLES = {"first": _FIRST, "photos": _PHOTOS}


def example_text(name: str, config: Path, schema: str, folder: Path | None) -> str:
    """Return the text of an example.

    Args:
        name: as it was asked for.
        config: where it is written.
        schema: the name of the schema beside it.
        folder: of the photos, from the working directory; None takes `photos` beside the config.

    Raises:
        UsageError: there is no such example; says which there are.
    """
    if name not in EXAMPLES:
        known = ", ".join(EXAMPLES)
        raise UsageError(f"--example {name}: unknown example{suggest(name, EXAMPLES)}; there are {known}")
    path = "photos"
    if folder is not None:
        beside = folder.absolute().is_relative_to(config.absolute().parent)
        path = str(folder.absolute().relative_to(config.absolute().parent) if beside else folder.absolute())
    written = value_text(path)
    return (_HEAD + EXAMPLES[name]).format(schema=schema, config=config.name, path=written, folder=path)
