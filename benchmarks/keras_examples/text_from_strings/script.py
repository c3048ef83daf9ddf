"""Text classification from raw strings: TextVectorization, an Embedding and two convolutions."""

import keras
import numpy as np
from keras import layers
from pyarrow import csv
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(42)

table = csv.read_csv("docstrings.csv", parse_options=csv.ParseOptions(newlines_in_values=True))
texts = np.array(table["body"].to_pylist())
names, y = np.unique(table["package"].to_pylist(), return_inverse=True)
rest, test = train_test_split(np.arange(len(y)), test_size=0.2, random_state=42, stratify=y)
train, validation = train_test_split(rest, test_size=0.25, random_state=42, stratify=y[rest])

vectorize = layers.TextVectorization(max_tokens=20_000, output_mode="int", output_sequence_length=40)
vectorize.adapt(texts[train])
tokens = {name: vectorize(texts[rows]) for name, rows in (("train", train), ("val", validation), ("test", test))}

inputs = keras.Input((None,), dtype="int64")
x = layers.Embedding(vectorize.vocabulary_size(), 64)(inputs)
x = layers.Dropout(0.5)(x)
x = layers.Conv1D(64, 5, padding="same", activation="relu")(x)
x = layers.Conv1D(64, 5, padding="same", activation="relu")(x)
x = layers.GlobalMaxPooling1D()(x)
x = layers.Dense(64, activation="relu")(x)
x = layers.Dropout(0.5)(x)
outputs = layers.Dense(len(names), activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(
    tokens["train"],
    y[train],
    validation_data=(tokens["val"], y[validation]),
    epochs=10,
    callbacks=[keras.callbacks.ModelCheckpoint("best.weights.h5", save_best_only=True, save_weights_only=True)],
    verbose=0,
)
model.load_weights("best.weights.h5")

# A model that takes strings, for those who use it.
strings = keras.Input((1,), dtype="string")
end_to_end = keras.Model(strings, model(vectorize(strings)))
end_to_end.save("model.keras")
predicted = model.predict(tokens["test"], verbose=0)
print("test accuracy:", np.mean(predicted.argmax(1) == y[test]))

# For the comparison alone:
np.savez("script.npz", rows=test, accuracy=np.mean(predicted.argmax(1) == y[test]))
