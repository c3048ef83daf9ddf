"""What configs/digits_cnn.yaml says, as one would write it with Keras: `python digits_cnn.py DIRECTORY`."""

import json
import sys
from pathlib import Path

import keras
import matplotlib
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, f1_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

matplotlib.use("Agg")
import matplotlib.pyplot as plt

directory = Path(sys.argv[1])
directory.mkdir()
keras.utils.set_random_seed(42)

digits = load_digits()
x, y = digits.images[..., None] / 16, digits.target
x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, random_state=42, stratify=y)
x_train, x_validation, y_train, y_validation = train_test_split(
    x_rest, y_rest, test_size=0.25, random_state=42, stratify=y_rest
)

layers = keras.layers
model = keras.Sequential([keras.Input((8, 8, 1)), layers.ZeroPadding2D(1)])
for layer in (
    layers.RandomCrop(8, 8),
    layers.CenterCrop(8, 8),
    layers.RandomRotation(0.03),
    layers.RandomTranslation(0.05, 0.05),
):
    model.add(layer)
for filters in (32, 64):
    model.add(layers.Conv2D(filters, 3, padding="same", kernel_regularizer=keras.regularizers.L2(1e-4)))
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.Activation("relu"))
for layer in (layers.MaxPooling2D(), layers.Flatten(), layers.Dropout(0.3), layers.Dense(10, activation="softmax")):
    model.add(layer)
model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(
    x_train,
    y_train,
    batch_size=64,
    epochs=40,
    validation_data=(x_validation, y_validation),
    callbacks=[
        keras.callbacks.EarlyStopping(patience=8, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau(patience=4, factor=0.5),
        keras.callbacks.CSVLogger(directory / "history.csv"),
    ],
    verbose=0,
).history

probabilities = model.predict(x_test, verbose=0)
predicted = probabilities.argmax(-1)
results = {
    "epochs": len(history["loss"]),
    "accuracy": accuracy_score(y_test, predicted),
    "f1": f1_score(y_test, predicted, average="macro"),
    "roc_auc": roc_auc_score(y_test, probabilities, multi_class="ovr"),
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
