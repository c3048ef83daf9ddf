"""What BINARY_TABLE in whole_command.py says, as one would write it with Keras: `python binary_table.py DIRECTORY
TABLE.csv`."""

import json
import sys
from pathlib import Path

import keras
import matplotlib
import numpy as np
from pyarrow import csv
from sklearn.metrics import accuracy_score, average_precision_score, log_loss, roc_auc_score
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
x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, random_state=42, stratify=y)
x_train, x_validation, y_train, y_validation = train_test_split(
    x_rest, y_rest, test_size=0.25, random_state=42, stratify=y_rest
)
scaler = StandardScaler().fit(x_train)
x_train, x_validation, x_test = scaler.transform(x_train), scaler.transform(x_validation), scaler.transform(x_test)

model = keras.Sequential(
    [
        keras.Input((x_train.shape[1],)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
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
    "accuracy": accuracy_score(y_test, predicted > 0.5),
    "roc_auc": roc_auc_score(y_test, predicted),
    "pr_auc": average_precision_score(y_test, predicted),
    "log_loss": log_loss(y_test, predicted),
}
(directory / "metrics.json").write_text(json.dumps(results))
model.save(directory / "model.keras")
for name in ("loss", "accuracy"):
    plt.figure()
    plt.plot(history[name], label="train")
    plt.plot(history[f"val_{name}"], label="validation")
    plt.legend()
    plt.savefig(directory / f"{name}.png")
plt.figure()
plt.hist([predicted[y_test == 0], predicted[y_test == 1]])
plt.savefig(directory / "predicted.png")
