"""Structured data classification from raw columns: numbers, booleans and texts, encoded by a FeatureSpace."""

import keras
import numpy as np
import tensorflow as tf
from keras.utils import FeatureSpace
from pyarrow import csv
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(42)

table = csv.read_csv("functions.csv")
columns = {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}
columns = {name: values.astype(str) if values.dtype == object else values for name, values in columns.items()}
y = (columns.pop("documented") == "yes").astype("float32")
rest, test = train_test_split(np.arange(len(y)), test_size=0.2, random_state=42, stratify=y)
train, validation = train_test_split(rest, test_size=0.25, random_state=42, stratify=y[rest])


def dataset(rows):
    features = {name: values[rows] for name, values in columns.items()}
    return tf.data.Dataset.from_tensor_slices((features, y[rows]))


feature_space = FeatureSpace(
    features={
        "package": FeatureSpace.string_categorical(num_oov_indices=0),
        "decorator": FeatureSpace.string_categorical(),
        "method": FeatureSpace.string_categorical(num_oov_indices=0),
        "private": FeatureSpace.string_categorical(num_oov_indices=0),
        "annotated": FeatureSpace.string_categorical(num_oov_indices=0),
        "statements": FeatureSpace.float_normalized(),
        "arguments": FeatureSpace.float_normalized(),
        "defaults": FeatureSpace.float_normalized(),
    },
    output_mode="concat",
)
feature_space.adapt(dataset(train).batch(32).map(lambda features, target: features))


def encoded(rows):
    return dataset(rows).batch(32).map(lambda features, target: (feature_space(features), target)).cache()


inputs = feature_space.get_encoded_features()
x = keras.layers.Dense(32, activation="relu")(inputs)
x = keras.layers.Dropout(0.5)(x)
model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(
    encoded(train).shuffle(100),
    validation_data=encoded(validation),
    epochs=20,
    callbacks=[keras.callbacks.ModelCheckpoint("best.weights.h5", save_best_only=True, save_weights_only=True)],
    verbose=0,
)
model.load_weights("best.weights.h5")
predicted = model.predict(encoded(test), verbose=0)[:, 0]
accuracy, auc = np.mean((predicted > 0.5) == y[test]), roc_auc_score(y[test], predicted)
print("test accuracy:", accuracy, "test ROC AUC:", auc)

# For the comparison alone:
np.savez("script.npz", rows=test, accuracy=accuracy, roc_auc=auc)
