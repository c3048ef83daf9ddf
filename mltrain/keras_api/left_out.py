"""What of Keras is not offered, with the reason. Only the generator reads this; the reasons go into the catalogue."""

from __future__ import annotations

# By kind. Who asks for one of these reads the reason.
LEFT_OUT: dict[str, dict[str, str]] = {
    "activation": {
        "threshold": "it needs arguments, and an activation has only a name; ReLU has a 'threshold'",
    },
    "callback": {
        "BackupAndRestore": "'training.checkpoint' does this",
        "Callback": "it is a base class",
        "CallbackList": "'training.callbacks' is that list",
        "CSVLogger": "every run writes history.csv",
        "EarlyStopping": "it is made anew under the same name in 'training.callbacks'",
        "History": "every run writes history.csv",
        "LambdaCallback": "it needs Python code",
        "LearningRateScheduler": "it needs Python code; give 'learning_rate' a schedule, as CosineDecay",
        "ModelCheckpoint": "best and last weights are always kept; 'training.checkpoint' sets how often",
        "OrbaxCheckpoint": "best and last weights are always kept; 'training.checkpoint' sets how often",
        "ProgbarLogger": "progress is always shown",
        "ReduceLROnPlateau": "it is made anew under the same name in 'training.callbacks'",
        "RemoteMonitor": "it would send data over the network",
        "SwapEMAWeights": "with 'use_ema' the averaged weights are validated and kept anyway",
        "TensorBoard": "it writes outside the run directory",
    },
    "constraint": {"Constraint": "it is a base class"},
    "initializer": {
        "Initializer": "it is a base class",
        "STFT": "it belongs to the layer STFTSpectrogram, which uses it by itself",
    },
    "layer": {
        "CutMix": "it changes the labels too, which a layer of a model cannot",
        "FlaxLayer": "it needs Python code",
        "InputLayer": "the input is known from the data",
        "IntegerLookup": "it needs a vocabulary; a 'category' feature learns one from the training rows",
        "JaxLayer": "it needs Python code",
        "Lambda": "it needs Python code",
        "Layer": "it is a base class",
        "MaxNumBoundingBoxes": "it works on bounding boxes, not on tensors",
        "MixUp": "it changes the labels too, which a layer of a model cannot",
        "Pipeline": "a model of type sequential is a pipeline of layers",
        "StringLookup": "it needs a vocabulary; a 'category' feature learns one from the training rows",
        "TextVectorization": "it needs a vocabulary that is learned from the data",
        "TFSMLayer": "it runs code from a file",
        "TorchModuleWrapper": "it needs Python code",
        "Wrapper": "it is a base class",
    },
    "loss": {"Loss": "it is a base class"},
    "metric": {
        "Accuracy": "it compares labels, not probabilities; 'accuracy' is offered",
        "Mean": "it averages values, without a target to compare with",
        "MeanMetricWrapper": "it needs Python code",
        "Metric": "it is a base class",
        "Sum": "it adds values, without a target to compare with",
    },
    "optimizer": {
        "LossScaleOptimizer": "it comes with the precision mixed_float16 by itself",
        "MultiOptimizer": "it needs Python code",
        "Optimizer": "it is a base class",
    },
    "regularizer": {"Regularizer": "it is a base class"},
    "schedule": {"LearningRateSchedule": "it is a base class"},
}

# Arguments that are not offered: by name, "Class.argument" or "kind:argument".
ARGUMENTS_LEFT_OUT: dict[str, str] = {
    "ActivityRegularization.activity_regularizer": "the layer is one",
    "Bidirectional.weights": "arrays cannot be written in YAML",
    "Discretization.dtype": "follows from output_mode",
    "Discretization.epsilon": "only for adapt()",
    "Discretization.num_bins": "only for adapt()",
    "Embedding.weights": "arrays cannot be written in YAML",
    "HashedCrossing.dtype": "follows from output_mode",
    "Hashing.dtype": "follows from output_mode",
    "gptq_unpacked_column_size": "quantization comes after training",
    "loss:name": "a run has one loss, and it is called loss",
    "quantization_config": "an object",
    "renorm_clipping": "a dictionary, of no use without batch renormalization",
    "return_state": "several outputs, which neither a stack of layers nor a graph of them can name",
    "schedule:name": "shown nowhere",
    "sparse": "sparse tensors do not go through a model here",
    "stateful": "rows are shuffled: the state of the last batch belongs to other rows",
}
