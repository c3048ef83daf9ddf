"""What configs/diabetes_regression.yaml says, as one would write it: `python diabetes_regression.py DIRECTORY`."""

import json
import sys
from pathlib import Path

import keras
import matplotlib
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

matplotlib.use("Agg")
import matplotlib.pyplot as plt

directory = Path(sys.argv[1])
directory.mkdir()
keras.utils.set_random_seed(42)

x, y = load_diabetes(return_X_y=True, scaled=False)
x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=0.2, random_state=42)
x_train, x_validation, y_train, y_validation = train_test_split(x_rest, y_rest, test_size=0.25, random_state=42)
scaler, target_scaler = StandardScaler().fit(x_train), StandardScaler().fit(y_train[:, None])
x_train, x_validation, x_test = scaler.transform(x_train), scaler.transform(x_validation), scaler.transform(x_test)
y_train, y_validation = target_scaler.transform(y_train[:, None]), target_scaler.transform(y_validation[:, None])

model = keras.Sequential(
    [
        keras.Input((x_train.shape[1],)),
        keras.layers.Dense(32, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)),
        keras.layers.Dropout(0.1),
        keras.layers.Dense(1),
    ]
)
model.compile(keras.optimizers.Adam(3e-3), "mse")
history = model.fit(
    x_train,
    y_train,
    batch_size=32,
    epochs=200,
    validation_data=(x_validation, y_validation),
    callbacks=[
        keras.callbacks.EarlyStopping(patience=20, restore_best_weights=True),
        keras.callbacks.CSVLogger(directory / "history.csv"),
    ],
    verbose=0,
).history

predicted = target_scaler.inverse_transform(model.predict(x_test, verbose=0))[:, 0]
results = {
    "epochs": len(history["loss"]),
    "mse": mean_squared_error(y_test, predicted),
    "mae": mean_absolute_error(y_test, predicted),
    "r2": r2_score(y_test, predicted),
}
(directory / "metrics.json").write_text(json.dumps(results))
model.save(directory / "model.keras")
plt.figure()
plt.plot(history["loss"], label="train")
plt.plot(history["val_loss"], label="validation")
plt.legend()
plt.savefig(directory / "loss.png")
plt.figure()
plt.scatter(y_test, predicted, s=2)
plt.savefig(directory / "predicted.png")
plt.figure()
plt.scatter(predicted, predicted - y_test, s=2)
plt.savefig(directory / "residuals.png")
