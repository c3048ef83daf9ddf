#!/usr/bin/env bash
# TensorFlow: in a tf.function, a `tf.numpy_function` behind a `tf.while_loop` may be called before those in the loop. The
# guide says that operations with side effects run in the order of the program; between a loop and what follows it that
# does not hold for Python functions whose inputs do not depend on each other. Where such functions talk to another
# process, one process says its last word first. A variable that is assigned before and after each call restores the order.
# Valid input: numbers; the functions note in which order they are called, and return what they got.
# Seen with tensorflow 2.21.0 (CPU) on Linux, 2 cores: 70 of 2,000 calls had the order [-1, 0, 1] or [0, -1, 1] where the
# program says [0, 1, -1]; with the variable 0 of 2,000. With one function that does nothing else it was not seen.
# Exits with 0 where it is still so, with 1 where it has changed.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install -q --disable-pip-version-check tensorflow-cpu==2.21.0 2>/dev/null ||
    "$folder/venv/bin/python" -m pip install -q --disable-pip-version-check tensorflow==2.21.0
TF_CPP_MIN_LOG_LEVEL=3 "$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy as np
import tensorflow as tf

CALLS = 10_000
draw = np.random.default_rng(0)
weights = tf.Variable(draw.normal(size=(64, 64)).astype("float32"))
counter = tf.Variable(0)
rows = tf.constant(draw.normal(size=(11, 64)).astype("float32"))
seen = []


def note(number, values):
    seen.append(int(number))
    return values


def noted(number, some, ordered):
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.tanh(some @ weights) @ weights)
    gradient = tape.gradient(loss, weights)
    if ordered:
        number = number + 0 * counter.assign_add(1)
    found = tf.ensure_shape(tf.numpy_function(note, [number, gradient], tf.float32), (64, 64))
    if ordered:
        with tf.control_dependencies([found]):
            counter.assign_add(0)
    return found


def make(ordered):
    @tf.function(autograph=False)
    def run(loops):
        def body(number, total):
            return number + 1, total + noted(number, rows[number * 4 : number * 4 + 4], ordered)

        begin = (0, tf.zeros((64, 64)))
        _, total = tf.while_loop(lambda number, _: number < loops, body, begin, parallel_iterations=1)
        weights.assign_sub(1e-6 * (total + noted(tf.constant(-1), rows[-3:], ordered)))

    return run


found = []
for ordered in (False, True):
    run, wrong = make(ordered), 0
    for _ in range(CALLS):
        seen.clear()
        run(tf.constant(2))
        wrong += seen != [0, 1, -1]
    found.append(wrong)
    print(f"{'with a variable that orders them' if ordered else 'as they are'}: {wrong} of {CALLS:,} in another order")
sys.exit(0 if found[0] and not found[1] else 1)
PYTHON
