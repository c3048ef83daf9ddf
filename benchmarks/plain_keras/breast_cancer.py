"""What configs/breast_cancer.yaml says, as one would write it with Keras: `python breast_cancer.py DIRECTORY`."""

import json
import sys
from pathlib import Path

import keras
import matplotlib
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, f1_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

matplotlib.use("Agg")
import matplotlib.pyplot as plt

directory = Path(sys.argv[1])
directory.mkdir()
keras.utils.set_random_seed(42)

x, y = load_breast_cancer(return_X_y=True)
x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, random_state=42, stratify=y)
x_train, x_validation, y_train, y_validation = train_test_split(
    x_rest, y_rest, test_size=0.25, random_state=42, stratify=y_rest
)
scaler = StandardScaler().fit(x_train)
x_train, x_validation, x_test = scaler.transform(x_train), scaler.transform(x_validation), scaler.transform(x_test)

model = keras.Sequential(
    [
        keras.Input((x_train.shape[1],)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(keras.optimizers.Adam(1e-3), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train,
    y_train,
    batch_size=32,
    epochs=100,
    validation_data=(x_validation, y_validation),
    callbacks=[
        keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True),
        keras.callbacks.CSVLogger(directory / "history.csv"),
    ],
    verbose=0,
).history

probabilities = model.predict(x_test, verbose=0)[:, 0]
predicted = probabilities > 0.5
results = {
    "epochs": len(history["loss"]),
    "accuracy": accuracy_score(y_test, predicted),
    "f1": f1_score(y_test, predicted),
    "roc_auc": roc_auc_score(y_test, probabilities),
    "log_loss": log_loss(y_test, probabilities),
}
(directory / "metrics.json").write_text(json.dumps(results))
model.save(directory / "model.keras")
for name in ("loss", "accuracy"):
    plt.figure()
    plt.plot(history[name], label="train")
    plt.plot(history[f"val_{name}"], label="validation")
    plt.legend()
    plt.savefig(directory / f"{name}.png")
ConfusionMatrixDisplay.from_predictions(y_test, predicted)
plt.savefig(directory / "confusion.png")
