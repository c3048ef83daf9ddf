"""Small trainings of every kind, some of which go wrong in a known way, for `benchmarks.diagnosis`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# A case is trained for this many times the epochs of its config, to see what would have happened next.
LONGER = 4


@dataclass(frozen=True)
class Case:
    """A training.

    Attributes:
        name: of it, without spaces.
        data: the `data` section, without its braces.
        model: the model.
        optimizer: type and arguments.
        epochs: how many a user would ask for.
        training: more keys of the `training` section.
        seed: of the experiment.
    """

    name: str
    data: str
    model: str
    optimizer: str = "{type: Adam, learning_rate: 0.001}"
    epochs: int = 60
    training: str = ""
    seed: int = 0

    def config(self, *, longer: int = 1, optimizer: str = "", data: str = "") -> str:
        """Return the YAML, for `longer` times the epochs and with what is replaced."""
        return (
            f"name: {self.name}\nseed: {self.seed}\ndata: {{{data or self.data}}}\nmodel: {self.model}\n"
            f"training: {{epochs: {self.epochs * longer}, optimizer: {optimizer or self.optimizer}{self.training}}}\n"
            "evaluation: {baselines: false}\n"
        )

    def optimizer_times(self, factor: float) -> str:
        """Return the optimizer with another learning rate."""
        before, rate = self.optimizer.rstrip("}").rsplit(" ", 1)
        return f"{before} {float(rate) * factor:g}}}"


def cases(folder: Path, seeds: int) -> Iterator[Case]:
    """Yield the trainings; those of made tables write them into the folder."""
    for seed in range(seeds):
        yield from _forecasts(folder, seed)
        yield from _tables(folder, seed)
        yield from _classes(seed)
        yield from _faults(folder, seed)


def _forecasts(folder: Path, seed: int) -> Iterator[Case]:
    """Months with a trend and a season that grows with it, like counts of passengers."""
    draw = np.random.default_rng(seed)
    months = np.arange(144)
    trend = 110 * np.exp(0.0095 * months)
    values = trend * (1 + 0.2 * np.sin(2 * np.pi * months / 12)) + draw.normal(0, 6, 144)
    path = _table(folder / f"months{seed}.csv", {"month": months, "y": np.round(values)})
    window = f"source: {{type: csv, path: {path}}}, windows: {{length: 12}}, split: {{type: time, column: month}}, "
    standard = "target: {column: y, scale: standard}"
    yield Case(
        f"months_linear_{seed}", window + standard, "linear", "{type: Adam, learning_rate: 0.01}", 100, seed=seed
    )
    yield Case(f"months_slow_{seed}", window + standard, "linear", "{type: Adam, learning_rate: 0.003}", 100, seed=seed)
    fast = "{type: Adam, learning_rate: 0.01}"
    for length in (24, 36):
        longer = window.replace("length: 12", f"length: {length}") + standard
        small = ", batch_size: 8"
        yield Case(f"months_{length}_{seed}", longer, "linear", fast, 100, training=small, seed=seed)
    mlp = "{type: mlp, units: [32]}"
    yield Case(f"months_mlp_{seed}", window + standard, mlp, "{type: Adam, learning_rate: 0.01}", 100, seed=seed)
    made = f"source: {{type: synthetic, kind: seasonal, rows: 400, seed: {seed}}}, windows: {{length: 24}}, "
    made += "target: {column: y, scale: standard}, split: {type: time, column: step}"
    yield Case(f"seasonal_{seed}", made, mlp, "{type: Adam, learning_rate: 0.005}", 60, seed=seed)


def _tables(folder: Path, seed: int) -> Iterator[Case]:
    draw = np.random.default_rng(100 + seed)
    x = draw.normal(size=(12, 300))
    named = {f"x{number}": column for number, column in enumerate(x)}
    smooth = 2 * x[0] + np.sin(2 * x[1]) + x[2] * x[3] + draw.normal(0, 0.5, 300)
    path = _table(folder / f"smooth{seed}.csv", {**named, "y": smooth})
    data = f"source: {{type: csv, path: {path}}}, target: {{column: y, scale: standard}}"
    wide, fast = "{type: mlp, units: [128, 128]}", "{type: Adam, learning_rate: 0.01}"
    yield Case(f"smooth_linear_{seed}", data, "linear", fast, 60, seed=seed)
    yield Case(f"smooth_wide_{seed}", data, wide, epochs=60, seed=seed)
    dropout = "{type: mlp, units: [64, 64], dropout: 0.4}"
    yield Case(f"smooth_dropout_{seed}", data, dropout, epochs=60, seed=seed)
    noisy = (x[0] + 2 * draw.normal(size=300) > 0).astype(int)
    path = _table(folder / f"noisy{seed}.csv", {**named, "y": noisy})
    yield Case(f"noisy_wide_{seed}", f"source: {{type: csv, path: {path}}}, target: y", wide, epochs=50, seed=seed)
    rare = (x[0] + x[1] > 2.0).astype(int)
    path = _table(folder / f"rare{seed}.csv", {**named, "y": rare})
    yield Case(f"rare_{seed}", f"source: {{type: csv, path: {path}}}, target: y", "linear", fast, 40, seed=seed)
    path = _table(folder / f"two{seed}.csv", {**named, "a": smooth, "b": x[4] - x[5] + draw.normal(0, 0.3, 300)})
    two = f"source: {{type: csv, path: {path}}}, target: {{columns: [a, b], scale: standard}}"
    yield Case(f"two_numbers_{seed}", two, "{type: mlp, units: [64]}", epochs=60, seed=seed)
    made = f"source: {{type: synthetic, kind: labels, rows: 300, seed: {seed}}}, target: [label1, label2, label3]"
    yield Case(f"labels_{seed}", made, "{type: mlp, units: [32]}", fast, 40, seed=seed)


def _classes(seed: int) -> Iterator[Case]:
    mlp, sgd = "{type: mlp, units: [64, 64]}", "{type: SGD, learning_rate: 0.05}"
    for name in ("breast_cancer", "wine", "iris"):
        data = f"source: {{type: sklearn, name: {name}}}"
        yield Case(f"{name}_{seed}", data, mlp, epochs=50, seed=seed)
    yield Case(f"iris_sgd_{seed}", "source: {type: sklearn, name: iris}", "linear", sgd, 60, seed=seed)
    yield Case(
        f"diabetes_{seed}",
        "source: {type: sklearn, name: diabetes}, target: {column: target, scale: standard}",
        "{type: mlp, units: [64]}",
        epochs=60,
        seed=seed,
    )
    moons = f"source: {{type: synthetic, kind: moons, rows: 300, noise: 0.3, seed: {seed}}}"
    yield Case(f"moons_{seed}", moons, mlp, "{type: Adam, learning_rate: 0.01}", 50, seed=seed)
    line = f"source: {{type: synthetic, kind: linear, rows: 200, seed: {seed}}}"
    yield Case(f"line_{seed}", line, "linear", "{type: SGD, learning_rate: 0.1}", 100, seed=seed)
    yield Case(f"moons_linear_{seed}", moons, "linear", "{type: SGD, learning_rate: 0.5}", 100, seed=seed)
    clouds = f"source: {{type: synthetic, kind: blobs, classes: 5, noise: 2.0, rows: 300, seed: {seed}}}"
    yield Case(f"clouds_{seed}", clouds, mlp, sgd, 50, seed=seed)
    layers = "{type: sequential, layers: [{type: Conv2D, filters: 8, kernel_size: 3, activation: relu}, Flatten]}"
    shapes = f"source: {{type: synthetic, kind: shapes, rows: 200, size: 8, noise: 0.4, seed: {seed}}}"
    yield Case(f"shapes_{seed}", shapes, layers, epochs=40, seed=seed)


def _faults(folder: Path, seed: int) -> Iterator[Case]:
    """Steps that are too large or too small, raw inputs, and what cannot be learned."""
    draw = np.random.default_rng(200 + seed)
    a, b = draw.normal(size=(2, 300))
    label = (a + b + draw.normal(0, 0.3, 300) > 0).astype(int)
    path = _table(folder / f"raw{seed}.csv", {"a": 1e3 * a, "b": 1e3 * b, "y": label})
    raw = f"source: {{type: csv, path: {path}}}, target: y, scale: none"
    mlp = "{type: mlp, units: [32, 32]}"
    yield Case(f"raw_{seed}", raw, mlp, epochs=40, seed=seed)
    cancer = "source: {type: sklearn, name: breast_cancer}"
    yield Case(f"huge_steps_{seed}", cancer, mlp, "{type: SGD, learning_rate: 3.0}", 40, seed=seed)
    yield Case(f"large_adam_{seed}", cancer, mlp, "{type: Adam, learning_rate: 0.3}", 40, seed=seed)
    yield Case(f"tiny_steps_{seed}", cancer, "linear", "{type: SGD, learning_rate: 0.0001}", 20, seed=seed)
    yield Case(f"few_epochs_{seed}", cancer, mlp, "{type: SGD, learning_rate: 0.01}", 8, seed=seed)
    noise = f"source: {{type: synthetic, kind: noise, classes: 3, features: 20, rows: 300, seed: {seed}}}"
    yield Case(f"noise_{seed}", noise, "{type: mlp, units: [128, 128]}", epochs=40, seed=seed)
    dead = "{type: sequential, layers: [{type: Dense, units: 8, activation: relu, "
    dead += "bias_initializer: {type: Constant, value: -4}}]}"
    yield Case(f"dead_{seed}", cancer, dead, epochs=30, seed=seed)


def _table(path: Path, columns: dict[str, np.ndarray]) -> Path:
    rows = "\n".join(",".join(f"{value:.6g}" for value in row) for row in zip(*columns.values(), strict=True))
    path.write_text(f"{','.join(columns)}\n{rows}\n")
    return path
