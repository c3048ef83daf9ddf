"""The dense net in JAX: `lax.scan` over Keras' stateless API, a whole epoch in one compiled call."""

from __future__ import annotations

import sys
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from benchmarks import cases
from benchmarks.peers.process import serve
from mltrain.training.progress import epoch_order


def main() -> None:
    name, rows, weights = sys.argv[1:]
    case = cases.named(name, int(rows))
    x, y = map(jnp.asarray, cases.data(case))
    model = cases.bare_model(case, keras)
    with np.load(weights) as arrays:
        model.set_weights([arrays[name] for name in arrays.files])
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)

    def loss_of(trainable: Any, non_trainable: Any, chosen: Any) -> Any:
        predictions, non_trainable = model.stateless_call(trainable, non_trainable, x[chosen], training=True)
        losses = keras.losses.sparse_categorical_crossentropy(y[chosen], predictions)
        hits = (predictions.argmax(-1) == y[chosen]).sum()
        return losses.mean(), (losses.sum(), hits, non_trainable)

    gradient_of = jax.value_and_grad(loss_of, has_aux=True)

    def step(state: Any, chosen: Any) -> Any:
        trainable, non_trainable, optimizing = state
        (_, (losses, hits, non_trainable)), gradients = gradient_of(trainable, non_trainable, chosen)
        trainable, optimizing = optimizer.stateless_apply(optimizing, gradients, trainable)
        return (trainable, non_trainable, optimizing), (losses, hits)

    @jax.jit
    def run(state: Any, order: Any) -> Any:
        full = case.rows // case.batch_size * case.batch_size
        state, (losses, hits) = jax.lax.scan(step, state, order[:full].reshape(-1, case.batch_size))
        total, count = losses.sum(), hits.sum()
        if full < case.rows:
            state, (losses, hits) = step(state, order[full:])
            total, count = total + losses, count + hits
        return state, total / case.rows, count / case.rows

    variables = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
    state = tuple([variable.value for variable in each] for each in variables)

    def epoch(number: int) -> float:
        nonlocal state
        state, loss, _ = run(state, jnp.asarray(epoch_order(case.rows, cases.SEED, number)))
        return float(loss)

    serve(epoch)


if __name__ == "__main__":
    main()
