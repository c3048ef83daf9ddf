"""An autoencoder: digits through a bottleneck of eight numbers."""

import keras
import numpy as np
from keras import layers
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(42)

x = np.load("digits.npz")["x"]
rest, test = train_test_split(np.arange(len(x)), test_size=0.2, random_state=42)
train, validation = train_test_split(rest, test_size=0.25, random_state=42)

inputs = keras.Input((64,))
h = layers.Dense(32, activation="relu")(inputs)
code = layers.Dense(8, activation="relu", name="code")(h)
h = layers.Dense(32, activation="relu")(code)
autoencoder = keras.Model(inputs, layers.Dense(64)(h))
autoencoder.compile(optimizer=keras.optimizers.Adam(3e-3), loss="mse")
autoencoder.fit(
    x[train],
    x[train],
    validation_data=(x[validation], x[validation]),
    epochs=40,
    callbacks=[keras.callbacks.ModelCheckpoint("best.weights.h5", save_best_only=True, save_weights_only=True)],
    verbose=0,
)
autoencoder.load_weights("best.weights.h5")
predicted = autoencoder.predict(x[test], verbose=0)
print("test mse:", mean_squared_error(x[test], predicted))

# For the comparison alone:
np.savez("script.npz", rows=test, mse=mean_squared_error(x[test], predicted))
