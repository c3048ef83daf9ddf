"""The functional API with several inputs and outputs: a title, a body and tags; two answers."""

import keras
import numpy as np
from keras import layers
from pyarrow import csv
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(42)

table = csv.read_csv("tickets.csv", parse_options=csv.ParseOptions(newlines_in_values=True))
columns = {name: np.array(table[name].to_pylist()) for name in table.column_names}
tags = np.column_stack([columns[name] == "yes" for name in ("method", "private", "decorated")]).astype("float32")
priority = (columns["long"] == "yes").astype("float32")
names, department = np.unique(columns["package"], return_inverse=True)
rest, test = train_test_split(np.arange(len(tags)), test_size=0.2, random_state=42)
train, validation = train_test_split(rest, test_size=0.25, random_state=42)

title_tokens = layers.TextVectorization(output_mode="int", output_sequence_length=5)
title_tokens.adapt(columns["title"][train])
body_tokens = layers.TextVectorization(max_tokens=20_000, output_mode="int", output_sequence_length=20)
body_tokens.adapt(columns["body"][train])


def examples(rows):
    inputs = {
        "title": title_tokens(columns["title"][rows]),
        "body": body_tokens(columns["body"][rows]),
        "tags": tags[rows],
    }
    return inputs, {"priority": priority[rows], "department": department[rows]}


title = keras.Input((None,), name="title", dtype="int64")
body = keras.Input((None,), name="body", dtype="int64")
tag = keras.Input((3,), name="tags")
title_features = layers.Embedding(title_tokens.vocabulary_size(), 32, mask_zero=True)(title)
title_features = layers.LSTM(32)(title_features)
body_features = layers.Embedding(body_tokens.vocabulary_size(), 32, mask_zero=True)(body)
body_features = layers.LSTM(32)(body_features)
x = layers.concatenate([title_features, body_features, tag])
outputs = {
    "priority": layers.Dense(1, activation="sigmoid", name="priority")(x),
    "department": layers.Dense(len(names), activation="softmax", name="department")(x),
}
model = keras.Model({"title": title, "body": body, "tags": tag}, outputs)
model.compile(
    optimizer=keras.optimizers.Adam(3e-3),
    loss={"priority": "binary_crossentropy", "department": "sparse_categorical_crossentropy"},
    loss_weights={"priority": 1.0, "department": 0.5},
)
model.fit(
    *examples(train),
    validation_data=examples(validation),
    epochs=6,
    callbacks=[keras.callbacks.ModelCheckpoint("best.weights.h5", save_best_only=True, save_weights_only=True)],
    verbose=0,
)
model.load_weights("best.weights.h5")
predicted = model.predict(examples(test)[0], verbose=0)
auc = roc_auc_score(priority[test], predicted["priority"][:, 0])
accuracy = np.mean(predicted["department"].argmax(1) == department[test])
print("test ROC AUC of the priority:", auc, "test accuracy of the department:", accuracy)

# For the comparison alone:
np.savez("script.npz", rows=test, **{"roc_auc(long)": auc, "accuracy(package)": accuracy})
