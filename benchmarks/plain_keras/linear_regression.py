"""What configs/linear_regression.yaml says, as one would write it: `python linear_regression.py DIRECTORY`."""

import json
import sys
from pathlib import Path

import keras
import matplotlib
import numpy as np
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

matplotlib.use("Agg")
import matplotlib.pyplot as plt

directory = Path(sys.argv[1])
directory.mkdir()
keras.utils.set_random_seed(42)

random = np.random.default_rng(42)
x = random.random((100, 1))
y = 2 * x[:, 0] + 1 + random.normal(0, 0.1, 100)
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2, random_state=42)

model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
history = model.fit(
    x_train,
    y_train,
    batch_size=len(x_train),
    epochs=200,
    callbacks=[keras.callbacks.CSVLogger(directory / "history.csv")],
    verbose=0,
).history

predicted = model.predict(x_test, verbose=0)[:, 0]
results = {"epochs": len(history["loss"]), "mse": mean_squared_error(y_test, predicted)}
(directory / "metrics.json").write_text(json.dumps(results))
model.save(directory / "model.keras")
for name in ("loss", "mae"):
    plt.figure()
    plt.plot(history[name])
    plt.savefig(directory / f"{name}.png")
plt.figure()
plt.scatter(x_test[:, 0], y_test)
plt.scatter(x_test[:, 0], predicted)
plt.savefig(directory / "predicted.png")
