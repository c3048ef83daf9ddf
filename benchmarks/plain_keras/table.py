"""What TABLE in whole_command.py says, as one would write it with Keras: `python table.py DIRECTORY TABLE.csv`."""

import json
import sys
from pathlib import Path

import keras
import matplotlib
import numpy as np
from pyarrow import csv
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

matplotlib.use("Agg")
import matplotlib.pyplot as plt

directory = Path(sys.argv[1])
directory.mkdir()
keras.utils.set_random_seed(42)

table = csv.read_csv(sys.argv[2])
y = table["y"].to_numpy()
x = np.column_stack([table[name].to_numpy() for name in table.column_names if name != "y"])
x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, random_state=42)
x_train, x_validation, y_train, y_validation = train_test_split(x_rest, y_rest, test_size=0.25, random_state=42)
scaler = StandardScaler().fit(x_train)
x_train, x_validation, x_test = scaler.transform(x_train), scaler.transform(x_validation), scaler.transform(x_test)

model = keras.Sequential(
    [
        keras.Input((x_train.shape[1],)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(1),
    ]
)
model.compile("adam", "mse", metrics=["mae"])
history = model.fit(
    x_train,
    y_train,
    batch_size=256,
    epochs=5,
    validation_data=(x_validation, y_validation),
    callbacks=[
        keras.callbacks.ModelCheckpoint(directory / "best.weights.h5", save_best_only=True, save_weights_only=True),
        keras.callbacks.CSVLogger(directory / "history.csv"),
    ],
    verbose=0,
).history
model.load_weights(directory / "best.weights.h5")

predicted = model.predict(x_test, verbose=0, batch_size=256)[:, 0]
results = {
    "epochs": len(history["loss"]),
    "mse": mean_squared_error(y_test, predicted),
    "mae": mean_absolute_error(y_test, predicted),
    "r2": r2_score(y_test, predicted),
}
(directory / "metrics.json").write_text(json.dumps(results))
model.save(directory / "model.keras")
for name in ("loss", "mae"):
    plt.figure()
    plt.plot(history[name], label="train")
    plt.plot(history[f"val_{name}"], label="validation")
    plt.legend()
    plt.savefig(directory / f"{name}.png")
plt.figure()
plt.scatter(y_test, predicted, s=2)
plt.savefig(directory / "predicted.png")
