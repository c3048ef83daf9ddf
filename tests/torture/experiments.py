"""Small experiments: each has something that an inexact resume would get wrong."""

from __future__ import annotations

# The one that is killed at every operation: dropout, a partial last batch, a plateau, and early stopping.
SHORT = """\
name: short
data:
  source: {type: synthetic, kind: blobs, rows: 40}
  split: {type: random, validation: 0.25}
model: {type: mlp, units: [4], dropout: 0.3}
training:
  optimizer: {type: Adam, learning_rate: 0.05}
  epochs: 3
  batch_size: 8
  checkpoint: {every: 5 steps}
  callbacks:
    - {type: EarlyStopping, patience: 1, min_delta: 0.5}
    - {type: ReduceLROnPlateau, patience: 1, min_delta: 0.5}
"""

_BLOBS = "source: {type: synthetic, kind: blobs, rows: 90}"
_SEQUENCES = "source: {type: synthetic, kind: sequences, steps: 12, rows: 90}"
_SHAPES = "source: {type: synthetic, kind: shapes, size: 8, rows: 90}"


def experiment(
    model: str,
    training: str = "",
    *,
    data: str = _BLOBS,
    optimizer: str = "Adam",
    epochs: int = 5,
    every: str = "2 steps",
) -> str:
    """Return a config of 63 training rows, or 7 full batches and a partial one an epoch."""
    return f"""\
name: torture
data:
  {data}
  split: {{type: random, validation: 0.2, test: 0.1}}
model: {model}
training:
  optimizer: {optimizer}
  epochs: {epochs}
  batch_size: 8
  checkpoint: {{every: {every}}}
{training}"""


def _layers(*layers: str) -> str:
    return f"{{type: sequential, layers: [{', '.join(layers)}]}}"


_MLP = "{type: mlp, units: [8]}"

# The one that is killed many times: 60 epochs, of which a resumption does some.
LONG = experiment("{type: mlp, units: [8], dropout: 0.2}", epochs=60)

# The one of which several workers are killed many times: what follows the training is short.
TOGETHER = experiment("{type: mlp, units: [8], dropout: 0.2}", epochs=20) + "evaluation: {baselines: false}\n"

VARIANTS = {
    "dropout": experiment("{type: mlp, units: [8], dropout: 0.5}"),
    "noise": experiment(_layers("{type: GaussianNoise, stddev: 0.5}", "{type: Dense, units: 4}")),
    "batch_norm": experiment(_layers("{type: Dense, units: 8}", "{type: BatchNormalization, momentum: 0.8}")),
    "ema": experiment(_MLP, optimizer="{type: AdamW, learning_rate: 0.05, use_ema: true, ema_momentum: 0.9}"),
    "ema_that_overwrites": experiment(
        _MLP, optimizer="{type: SGD, learning_rate: 0.2, use_ema: true, ema_momentum: 0.9, ema_overwrite_frequency: 5}"
    ),
    "schedule": experiment(
        _MLP,
        optimizer="{type: Adam, learning_rate: {type: CosineDecay, initial_learning_rate: 0.1, decay_steps: 30}}",
    ),
    "plateau": experiment(
        _MLP,
        "  callbacks: [{type: ReduceLROnPlateau, patience: 2, min_delta: 0.5, factor: 0.3, cooldown: 1}]",
        optimizer="{type: SGD, learning_rate: 0.1}",
    ),
    "kept_epochs": experiment(
        _MLP, "  callbacks: [{type: ModelCheckpoint, top: 2}, {type: ModelCheckpoint, every: 2}]", epochs=8
    ),
    "averaging": experiment(
        _layers("{type: Dense, units: 8}", "BatchNormalization", "{type: Dropout, rate: 0.2}"),
        "  callbacks: [{type: StochasticWeightAveraging, start: 0.5}]",
        epochs=8,
    ),
    "patience": experiment(_MLP, "  patience: 9 steps", epochs=50),
    "stages": experiment(
        _layers(
            "{type: Dense, units: 8, name: first}",
            "BatchNormalization",
            "{type: Dropout, rate: 0.3}",
            "{type: Dense, units: 6}",
            "{type: Dropout, rate: 0.2}",
        ),
        """\
  callbacks: [{type: EarlyStopping, patience: 2, min_delta: 0.01}, {type: ModelCheckpoint, top: 2}]
  stages:
    - {train: all, epochs: 2, learning_rate: 0.05}
    - {train: head, epochs: 4, optimizer: {type: SGD, momentum: 0.9, learning_rate: 0.1}, schedule: cosine}
    - {train: {last: 3 layers}, epochs: 3, learning_rate: 0.001, begin_with: last}
""",
    ).replace("  epochs: 5\n", ""),
    "early_stopping": experiment(_MLP, "  callbacks: [{type: EarlyStopping, patience: 3, min_delta: 1}]", epochs=50),
    "augmentation": experiment(
        _layers(
            "{type: RandomTranslation, height_factor: 0.2, width_factor: 0.2}",
            "{type: RandomFlip, mode: horizontal}",
            "{type: Conv2D, filters: 3, kernel_size: 3}",
            "Flatten",
        ),
        data=_SHAPES,
        epochs=3,
    ),
    "class_weights": experiment(_MLP, "  class_weight: {'0': 3, '1': 0.5}"),
    "no_partial_batch": experiment(_MLP).replace("batch_size: 8", "batch_size: 9"),
    "full_batch": experiment(_MLP, epochs=12).replace("batch_size: 8", "batch_size: full"),
    "mixed_precision": experiment(
        _layers("{type: Dense, units: 8, dtype: mixed_bfloat16}", "{type: Dropout, rate: 0.2}")
    ),
    "bfloat16_weights": experiment(_layers("{type: Dense, units: 8, dtype: bfloat16}")),
    "xla": experiment(_MLP, "  xla: true"),
    "precision": experiment(_layers("{type: Conv2D, filters: 3, kernel_size: 3}", "Flatten"), data=_SHAPES, epochs=3)
    + "precision: mixed_bfloat16\n",
    "unrolled": experiment(
        _layers("{type: GRU, units: 4, recurrent_dropout: 0.1}"), "  unroll: true", data=_SEQUENCES, epochs=3
    ),
    "fused": experiment(_layers("{type: LSTM, units: 4, dropout: 0.2}"), "  fuse: true", data=_SEQUENCES, epochs=3),
    "fused_gru": experiment(_layers("{type: GRU, units: 4, dropout: 0.2}"), "  fuse: true", data=_SEQUENCES, epochs=3),
    "lstm": experiment(
        _layers("{type: LSTM, units: 4, dropout: 0.2, recurrent_dropout: 0.1}"), data=_SEQUENCES, epochs=3
    ),
    "momentum": experiment(_MLP, optimizer="{type: SGD, learning_rate: 0.05, momentum: 0.9, nesterov: true}"),
    "gradient_accumulation": experiment(
        _MLP, optimizer="{type: Adam, learning_rate: 0.05, gradient_accumulation_steps: 3}"
    ),
    "weight_decay": experiment(
        _layers("{type: Dense, units: 8}", "BatchNormalization", "{type: Dropout, rate: 0.2}"),
        "  schedule: {type: cosine_restarts, length: 2 epochs, warm_up: 5 steps}",
        optimizer="{type: AdamW, learning_rate: 0.05, weight_decay: 0.2}",
    ),
    "accumulated": experiment(_MLP, "  accumulate: 3\n  mix: mixup\n  schedule: one_cycle"),
    "cutmix": experiment(
        _layers("{type: Conv2D, filters: 3, kernel_size: 3}", "Flatten"),
        "  mix: cutmix\n  label_smoothing: 0.1",
        data=_SHAPES,
        epochs=3,
    ),
    "mixed_members": experiment("{type: tabular, units: [8], members: 3, dropout: 0.3}", "  mix: mixup"),
    "float16": experiment(_layers("{type: Conv2D, filters: 3, kernel_size: 3}", "Flatten"), data=_SHAPES, epochs=3)
    + "precision: mixed_float16\n",
    "found_rate": experiment(_MLP, "  learning_rate: {find: {from: 1e-5, to: 10, steps: 60}}"),
    "global_clip": experiment(_MLP, optimizer="{type: RMSprop, centered: true, momentum: 0.5, global_clipnorm: 0.5}"),
    "by_epochs": experiment("{type: mlp, units: [8], dropout: 0.2}", every="1 epoch"),
    "by_seconds": experiment("{type: mlp, units: [8], dropout: 0.2}", every="0.01s"),
    "no_validation": experiment("{type: mlp, units: [8], dropout: 0.2}").replace(
        "validation: 0.2, test: 0.1", "test: 0.3"
    ),
    "fusion": experiment(
        "{type: fusion, inputs: {photo: {type: cnn, filters: [3], dropout: 0.3}, walk: {type: rnn, units: [3]}}, "
        "units: [4], dropout: 0.2}",
        data="source: {type: npz, path: several.npz}\n  target: y",
        epochs=3,
    ),
    "graph": experiment(
        "{type: graph, layers: [{name: a, from: photo, type: Conv2D, filters: 3, kernel_size: 3}, "
        "{type: BatchNormalization, momentum: 0.8}, {name: b, type: GlobalAveragePooling2D}, "
        "{name: c, from: table, type: Dense, units: 3}, {name: d, from: walk, type: GRU, units: 3}, "
        "{type: Add, from: [b, c, d]}, {type: Dropout, rate: 0.4}]}",
        data="source: {type: npz, path: several.npz}\n  target: y",
        epochs=3,
    ),
    "three_targets": experiment(
        "{type: fusion, inputs: {table: {type: mlp, units: [6], dropout: 0.3}}, units: [4]}",
        "  outputs: {a: {weight: 0.5}, b: {class_weight: balanced}}\n",
        data="source: {type: csv, path: targets.csv}\n  target: {columns: [a, b, c], missing: skip}",
    ),
    "tabular": experiment(
        "{type: tabular, units: [8, 8], members: 3, dropout: 0.3}", "  schedule: {type: cosine, warm_up: 0.1}"
    ),
    "tabular_xla": experiment("{type: tabular, units: [8], numbers: waves}", "  schedule: cycles\n  xla: true"),
    "ensemble": experiment("{type: mlp, units: [8], dropout: 0.3}") + "ensemble: 3\n",
    "ensemble_by_fold": experiment("{type: mlp, units: [8], dropout: 0.3}") + "ensemble: {members: 3, by: fold}\n",
    "ensemble_of_tabular": experiment("{type: tabular, units: [8], members: 2}", epochs=3) + "ensemble: 2\n",
    "texts": experiment(
        "{type: fusion, inputs: {said: {type: transformer, width: 4, heads: 2, blocks: 1, dropout: 0.3}}, units: [4]}",
        data="source: {type: jsonl, path: texts.jsonl}\n  target: y\n  features: {said: text, topic: {type: text, "
        "encoding: tf_idf, min_count: 1}}",
        epochs=3,
    ),
    "embedding": experiment(
        _layers("{type: Embedding, input_dim: 20, output_dim: 4}", "Flatten", "{type: Dropout, rate: 0.2}"),
        data="source: {type: npz, path: words.npz}\n  target: y",
    ),
}
