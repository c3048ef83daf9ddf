"""Transfer learning as one would write it with Keras: `python transfer.py DIRECTORY PHOTOS WEIGHTS SIZE HEAD TUNED`.

Freeze the backbone, fit the head, unfreeze its last 30 layers, fit again with a smaller learning rate.
"""

import json
import sys
from pathlib import Path

import keras
import matplotlib
import numpy as np
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, f1_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

matplotlib.use("Agg")
import matplotlib.pyplot as plt

directory, photos, weights = map(Path, sys.argv[1:4])
size, head_epochs, tuned_epochs = map(int, sys.argv[4:7])
directory.mkdir()
keras.utils.set_random_seed(42)

batches = keras.utils.image_dataset_from_directory(photos, image_size=(size, size), shuffle=False, verbose=False)
read = list(batches.as_numpy_iterator())
x, y = np.concatenate([images for images, _ in read]), np.concatenate([labels for _, labels in read])
x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, random_state=42, stratify=y)
x_train, x_validation, y_train, y_validation = train_test_split(
    x_rest, y_rest, test_size=0.25, random_state=42, stratify=y_rest
)

backbone = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(size, size, 3))
backbone.load_weights(weights)
backbone.trainable = False
inputs = keras.Input((size, size, 3))
features = backbone(keras.applications.mobilenet_v2.preprocess_input(inputs), training=False)
outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.GlobalAveragePooling2D()(features))
model = keras.Model(inputs, outputs)


def fit(rate, epochs):
    """Compile and fit; the best epoch by the validation loss stays."""
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    best = keras.callbacks.ModelCheckpoint(directory / "best.weights.h5", save_best_only=True, save_weights_only=True)
    history = model.fit(
        x_train, y_train, epochs=epochs, validation_data=(x_validation, y_validation), callbacks=[best], verbose=0
    ).history
    model.load_weights(directory / "best.weights.h5")
    return history


parts = [fit(1e-3, head_epochs)]
backbone.trainable = True
for layer in backbone.layers[:-30]:
    layer.trainable = False
for layer in backbone.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.trainable = False
parts.append(fit(1e-5, tuned_epochs))
history = {name: parts[0][name] + parts[1][name] for name in parts[0]}

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
(directory / "history.json").write_text(json.dumps(history))
model.save(directory / "model.keras")
for name in ("loss", "accuracy"):
    plt.figure()
    plt.plot(history[name], label="train")
    plt.plot(history[f"val_{name}"], label="validation")
    plt.legend()
    plt.savefig(directory / f"{name}.png")
ConfusionMatrixDisplay.from_predictions(y_test, predicted)
plt.savefig(directory / "confusion.png")
