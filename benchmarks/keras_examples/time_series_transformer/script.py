"""Classification of time series by blocks of attention."""

import keras
import numpy as np
from keras import layers
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(42)

arrays = np.load("series.npz")
x, y = arrays["x"], arrays["y"]
rest, test = train_test_split(np.arange(len(y)), test_size=0.2, random_state=42, stratify=y)
train, validation = train_test_split(rest, test_size=0.25, random_state=42, stratify=y[rest])
mean, deviation = x[train].mean(), x[train].std()
x = (x - mean) / deviation


def block(inputs):
    x = layers.MultiHeadAttention(num_heads=4, key_dim=16, dropout=0.1)(inputs, inputs)
    x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, inputs]))
    skipped = x
    x = layers.Conv1D(32, 1, activation="relu")(x)
    x = layers.Dropout(0.1)(x)
    x = layers.Conv1D(inputs.shape[-1], 1)(x)
    return layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, skipped]))


inputs = keras.Input(x.shape[1:])
h = layers.Conv1D(32, 5, padding="same", activation="relu")(inputs)
for _ in range(2):
    h = block(h)
h = layers.GlobalAveragePooling1D()(h)
h = layers.Dense(32, activation="relu")(h)
h = layers.Dropout(0.2)(h)
model = keras.Model(inputs, layers.Dense(1, activation="sigmoid")(h))
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="binary_crossentropy", metrics=["accuracy"])
model.fit(
    x[train],
    y[train],
    validation_data=(x[validation], y[validation]),
    epochs=10,
    callbacks=[keras.callbacks.ModelCheckpoint("best.weights.h5", save_best_only=True, save_weights_only=True)],
    verbose=0,
)
model.load_weights("best.weights.h5")
predicted = model.predict(x[test], verbose=0)[:, 0] > 0.5
print("test accuracy:", np.mean(predicted == y[test]))

# For the comparison alone:
np.savez("script.npz", rows=test, accuracy=np.mean(predicted == y[test]))
