"""Evaluation and prediction of a million rows: `python -m benchmarks.evaluation`, six minutes.

mltrain's loop gives the loss, the metrics and the predictions of all rows at once, so the same call is held against
`model.predict` and against `model.evaluate`. It counts from the arrays in NumPy to the predictions in NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.cases import TABLE, build, data
from benchmarks.ratios import Row, in_turns, quick, ratio, show
from mltrain.tensorflow_start import start_tensorflow

ROWS, ROUNDS = 1_000_000, 3
QUICK_ROWS, QUICK_ROUNDS = 50_000, 2
# The same number to the order in which the loss of the blocks is summed.
LOSS_TOLERANCE = 1e-5


def main() -> None:
    short = quick(__doc__)
    start_tensorflow()
    show(measured(QUICK_ROWS, QUICK_ROUNDS) if short else measured(ROWS, ROUNDS))


def measured(rows: int, rounds: int) -> Iterator[Row]:
    """Yield the rows of the table.

    Raises:
        SystemExit: what was computed differs by more than it may.
    """
    from mltrain.training.acceleration import evaluation_block
    from mltrain.training.evaluation_loop import CompiledEvaluation, EvaluationLoop

    case = replace(TABLE, body=_small, rows=rows)
    x, y = data(case)
    model = build(case)
    compiled = CompiledEvaluation(model, evaluation_block(model, "auto")[0], ((1,), "float32"))
    kept: dict[str, object] = {}

    def loop() -> None:
        kept["logs"], kept["outputs"] = EvaluationLoop(compiled, (x, y)).run()

    def predict(batch_size: int) -> None:
        kept[f"predict {batch_size}"] = model.predict(x, batch_size=batch_size, verbose=0)

    def evaluate(batch_size: int) -> None:
        kept["evaluate"] = model.evaluate(x, y, batch_size=batch_size, verbose=0, return_dict=True)

    seconds = in_turns(
        {
            "loop": loop,
            "predict 32": lambda: predict(32),
            "predict 1024": lambda: predict(1024),
            "evaluate 32": lambda: evaluate(32),
            "evaluate 1024": lambda: evaluate(1024),
        },
        rounds,
    )
    work = f"{rows:,} rows, 20-64-32-1"
    for name, bound in (("predict 32", 10), ("predict 1024", 2), ("evaluate 32", 10), ("evaluate 1024", 2)):
        kind, size = name.split()
        apart = _apart(kept, name)
        if apart > LOSS_TOLERANCE:
            raise SystemExit(f"{name}: differs by {apart:.3g}")
        results = "equal bit for bit" if apart == 0 else f"within {apart:.0e}"
        reference = f"`model.{kind}(batch_size={size})`"
        yield Row(f"{work}: evaluation", reference, bound, ratio(seconds[name], seconds["loop"]), results)


def _small(keras: object, x: object) -> object:
    layers = keras.layers  # type: ignore[attr-defined]
    return layers.Dense(32, activation="relu")(layers.Dense(64, activation="relu")(x))


def _apart(kept: dict[str, object], name: str) -> float:
    if name.startswith("predict"):
        return float(np.abs(np.asarray(kept[name]) - np.asarray(kept["outputs"])).max())
    theirs, ours = kept["evaluate"], kept["logs"]
    assert isinstance(theirs, dict) and isinstance(ours, dict)
    return max(abs(ours[metric] - theirs[metric]) / max(abs(theirs[metric]), 1) for metric in theirs)


if __name__ == "__main__":
    main()
