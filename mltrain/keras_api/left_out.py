"""What of Keras is not offered, with the reason. Only the generator reads this; the reasons go into the catalogue."""

from __future__ import annotations

# By kind. Who asks for one of these reads the reason.
LEFT_OUT: dict[str, dict[str, str]] = {
    "activation": {
        "threshold": "it needs arguments, and an activation is only a name; use the layer ReLU with 'threshold'",
    },
    "callback": {
        "BackupAndRestore": "'training.checkpoint' does this",
        "Callback": "it is a base class",
        "CallbackList": "'training.callbacks' is that list",
        "CSVLogger": "every run writes history.csv",
        "EarlyStopping": "mltrain has its own callback of this name; use it in 'training.callbacks'",
        "History": "every run writes history.csv",
        "LambdaCallback": "it needs Python code",
        "LearningRateScheduler": "it needs Python code; set 'learning_rate' to a schedule such as CosineDecay",
        "ModelCheckpoint": "mltrain has its own callback of this name; use it in 'training.callbacks'",
        "OrbaxCheckpoint": "best and last weights are always kept; 'training.checkpoint' sets how often",
        "ProgbarLogger": "progress is always shown",
        "ReduceLROnPlateau": "mltrain has its own callback of this name; use it in 'training.callbacks'",
        "RemoteMonitor": "it would send data over the network",
        "SwapEMAWeights": "with 'use_ema' the averaged weights are validated and kept anyway",
        "TensorBoard": "it writes outside of the run directory",
    },
    "constraint": {"Constraint": "it is a base class"},
    "initializer": {
        "Initializer": "it is a base class",
        "STFT": "the layer STFTSpectrogram uses it automatically",
    },
    "layer": {
        "CutMix": "it changes the labels too, which a layer of a model cannot",
        "FlaxLayer": "it needs Python code",
        "InputLayer": "mltrain adds it: the input shape follows from the data",
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
        "LossScaleOptimizer": "the precision mixed_float16 adds it automatically",
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
    "loss:name": "a run has one loss, which is always named loss",
    "quantization_config": "an object",
    "renorm_clipping": "a dictionary, it has no effect without batch renormalization",
    "return_state": "it adds outputs, which a model here cannot use",
    "schedule:name": "it is not shown anywhere",
    "sparse": "models here do not take sparse tensors",
    "stateful": "rows are shuffled: the state of the last batch belongs to other rows",
}
