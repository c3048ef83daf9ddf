"""What Keras' own signatures do not say: the type of each argument, and other names.

Only the generator reads this; everyone else reads the catalogue that it writes. Types are texts as in `argument_types`;
` | null` is added wherever Keras' default is None, and `RANK` becomes the 1, 2 or 3 of a class like `Conv2D`.
"""

from __future__ import annotations

_SHARE = "number >= 0 <= 1"
_SHARES = "number >= 0 <= 1 | [number >= 0 <= 1; 2]"
_SIGNED_SHARES = "number >= -1 <= 1 | [number >= -1 <= 1; 2]"
_BELOW_ONE = "number >= 0 < 1"
_AXES = "integer | [integer]"
_FLOAT = "'float32' | 'float16' | 'bfloat16' | 'float64'"
_POLICY = f"{_FLOAT} | 'mixed_float16' | 'mixed_bfloat16'"
_INTERPOLATION = "'nearest' | 'bilinear' | 'bicubic' | 'lanczos3' | 'lanczos5'"
_EDGES = {
    "1D": "integer >= 0 | [integer >= 0; 2]",
    "2D": "integer >= 0 | [integer >= 0; 2] | [[integer >= 0; 2]; 2]",
    "3D": "integer >= 0 | [integer >= 0; 3] | [[integer >= 0; 2]; 3]",
}


def _same(type_text: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), type_text)


# By the name of the argument alone. Names that end in _initializer, _regularizer or _constraint are components.
TYPES: dict[str, str] = {
    **_same(
        _BELOW_ONE,
        """adam_beta_1 adam_beta_2 beta_1 beta_2 dropout ema_momentum label_smoothing rate
        recurrent_dropout""",
    ),
    **_same(_SHARE, "momentum precision recall renorm_momentum rho sensitivity specificity thresholds"),
    **_same(
        _SHARES,
        """addition_factor contrast_factor factor hue_factor saturation_factor threshold_factor x_factor
        y_factor""",
    ),
    **_same(
        "integer >= 1",
        """bins chain_depth decay_steps depth_multiplier ema_overwrite_frequency fft_length filters first_decay_steps
        frame_length frame_step groups head_dim height input_dim k key_dim lora_rank n ns_steps num_bins num_chains
        num_classes num_heads num_key_value_heads num_labels num_mel_bins num_query_heads num_tokens output_dim
        power_iterations sampling_rate sequence_length sequence_stride sliding_window top_k units value_dim width""",
    ),
    **_same("integer >= 0", "class_id num_regressors warmup_steps num_ops"),
    **_same("integer", "axis ignore_class"),
    **_same("integer | [integer]", "input_axes output_axes shared_axes attention_axes"),
    **_same("integer >= 1 | [integer >= 1; RANK]", "dilation_rate kernel_size output_size pool_size size strides"),
    **_same(
        "boolean",
        """amsgrad antialias apply_class_balancing center centered crop_to_aspect_ratio cycle exclude_embeddings
        expand_dims flash_attention from_logits from_sorted_ids go_backwards invert keepdims mask_zero multi_label
        nesterov normalize pad_to_aspect_ratio periodic power_to_db raise_error relative_step remove_diagonal renorm
        reset_after return_sequences sparse_y_pred sparse_y_true staircase synchronized tie_weights trainable
        unit_forget_bias unroll use_bias use_ema use_gate use_scale zero_output_for_mask all_ops""",
    ),
    **_same(
        "number >= 0",
        """clip_limit clip_threshold clipnorm clipvalue decay_rate delta end_learning_rate epsilon epsilon_1 epsilon_2
        gain global_clipnorm initial_accumulator_value initial_learning_rate l1 l1_regularization_strength l2
        l2_regularization_strength l2_shrinkage_regularization_strength logit_soft_cap m_mul mag_exp max_freq min_freq
        min_power min_value negative_slope ref_power stddev t_mul top_db warmup_target weight_decay adam_weight_decay
        adam_lr_ratio alpha gamma rms_rate""",
    ),
    **_same(
        "number",
        """beta_2_decay fill_value learning_rate_power lora_alpha margin maxval mean minval muon_a muon_b muon_c offset
        power threshold value""",
    ),
    **_same("activation", "activation recurrent_activation"),
    "activity_regularizer": "regularizer",
    "average": "'micro' | 'macro' | 'weighted'",
    "axes": "integer | [integer; 2]",
    "backward_layer": "layer",
    "beta": "number >= 0",
    "bias_axes": "text",
    "bin_boundaries": "[number]",
    "boundaries": "[number >= 0]",
    "cell": "cell | [cell]",
    "cells": "[cell]",
    "class_aggregation": "'uniform_average' | 'variance_weighted_average'",
    "curve": "'ROC' | 'PR' | 'PRGAIN'",
    "data_format": "'channels_last' | 'channels_first'",
    "dims": "[integer >= 1]",
    "distribution": "'truncated_normal' | 'untruncated_normal' | 'uniform'",
    "dtype": _FLOAT,
    "equation": "text",
    "exclude_layers": "[text]",
    "fill_mode": "'constant' | 'nearest' | 'reflect' | 'wrap'",
    "gradient_accumulation_steps": "integer >= 2",
    "interpolation": "'nearest' | 'bilinear'",
    "label_weights": "[number >= 0]",
    "layer": "layer",
    "learning_rate": "number >= 0 | schedule",
    "loss_scale_factor": "number > 0",
    "max_value": "number >= 0",
    "merge_mode": "'sum' | 'mul' | 'concat' | 'ave'",
    "name": "name",
    "noise_shape": "[integer >= 1 | null]",
    "num_thresholds": "integer >= 2",
    "output_padding": "integer >= 0 | [integer >= 0; RANK]",
    "output_shape": "integer >= 1 | [integer >= 1]",
    "padding": "'valid' | 'same'",
    "q": "number > 0 < 1",
    "reduction": "'sum_over_batch_size' | 'sum' | 'mean' | 'mean_with_sample_weight'",
    "reverse_dtype": _FLOAT,
    "salt": "integer >= 0 | [integer >= 0; 2]",
    "scaling": "'density' | 'spectrum'",
    "score_mode": "'dot' | 'concat'",
    # Keras makes an unsigned 32-bit number of it.
    "seed": "integer >= 0 <= 4294967295",
    "summation_method": "'interpolation' | 'minoring' | 'majoring'",
    "target_class_ids": "[integer >= 0]",
    "target_shape": "[integer >= -1]",
    "tile_grid_size": "[integer >= 1; 2]",
    "use_cudnn": "'auto' | boolean",
    "value_range": "[number; 2]",
    "values": "[number >= 0]",
    "mask_value": "number",
    "output_mode": "'int' | 'one_hot' | 'multi_hot' | 'count'",
    "sigma": "number > 0 <= 1 | [number > 0 <= 1; 2]",
    "scale": "boolean",
    "window": "'hann' | 'hamming'",
}

# Where the same name means something else: "Class.argument" or "kind:argument".
EXCEPTIONS: dict[str, str] = {
    "AUC.thresholds": "[number >= 0 <= 1]",
    "AugMix.alpha": "number > 0",
    "AugMix.factor": _SHARE,
    "BinaryAccuracy.threshold": _SHARE,
    "BinaryFocalCrossentropy.alpha": _SHARE,
    "BinaryIoU.threshold": _SHARE,
    "CategoricalFocalCrossentropy.alpha": _SHARE,
    "CategoryEncoding.output_mode": "'multi_hot' | 'one_hot' | 'count'",
    "Conv1D.padding": "'valid' | 'same' | 'causal'",
    "Cropping1D.cropping": _EDGES["1D"],
    "Cropping2D.cropping": _EDGES["2D"],
    "Cropping3D.cropping": _EDGES["3D"],
    "Dice.axis": _AXES,
    # "auto" is ours: as many as the texts have tokens; see models/indices.py.
    "Embedding.input_dim": "integer >= 1 | 'auto'",
    "F1Score.threshold": "number > 0 <= 1",
    "FBetaScore.beta": "number > 0",
    "FBetaScore.threshold": "number > 0 <= 1",
    "Ftrl.learning_rate_power": "number <= 0",
    "HashedCrossing.output_mode": "'int' | 'one_hot'",
    "Hashing.mask_value": "integer | text",
    "LayerNormalization.axis": _AXES,
    "Lion.beta_1": "number > 0 < 1",
    "MaxNorm.axis": _AXES,
    "MinMaxNorm.axis": _AXES,
    "MinMaxNorm.rate": _SHARE,
    "Normalization.axis": _AXES,
    "Normalization.mean": "number | [number]",
    "Normalization.variance": "number >= 0 | [number >= 0]",
    "OrthogonalRegularizer.factor": "number >= 0",
    "OrthogonalRegularizer.mode": "'rows' | 'columns'",
    "RMSNormalization.axis": _AXES,
    "RandAugment.factor": _SHARE,
    "RandomBrightness.factor": _SIGNED_SHARES,
    "RandomColorJitter.brightness_factor": _SIGNED_SHARES,
    "RandomElasticTransform.scale": _SHARES,
    "RandomErasing.scale": "[number >= 0 <= 1; 2]",
    "RandomFlip.mode": "'horizontal' | 'vertical' | 'horizontal_and_vertical'",
    "RandomGaussianBlur.kernel_size": "integer >= 1 | [integer >= 1; 2]",
    "RandomGrayscale.factor": _SHARE,
    "RandomPerspective.scale": _SHARE,
    "RandomPosterization.factor": "integer >= 1 <= 8",
    "RandomRotation.factor": _SIGNED_SHARES,
    "RandomTranslation.height_factor": _SIGNED_SHARES,
    "RandomTranslation.width_factor": _SIGNED_SHARES,
    "RandomZoom.height_factor": "number > -1 <= 1 | [number > -1 <= 1; 2]",
    "RandomZoom.width_factor": "number > -1 <= 1 | [number > -1 <= 1; 2]",
    "ReLU.threshold": "number >= 0",
    "Rescaling.offset": "number | [number]",
    "Rescaling.scale": "number | [number]",
    "Resizing.fill_mode": "'constant'",
    "Resizing.interpolation": _INTERPOLATION,
    "STFTSpectrogram.mode": "'log' | 'magnitude' | 'psd' | 'real' | 'imag' | 'angle' | 'stft'",
    "Softmax.axis": _AXES,
    "Tversky.axis": _AXES,
    "UnitNorm.axis": _AXES,
    "UnitNormalization.axis": _AXES,
    "cell:dtype": _POLICY,
    "layer:dtype": _POLICY,
    "GaussianNoise.stddev": _SHARE,
    "UpSampling1D.size": "integer >= 1",
    "UpSampling2D.interpolation": _INTERPOLATION,
    "VarianceScaling.mode": "'fan_in' | 'fan_out' | 'fan_avg'",
    "VarianceScaling.scale": "number > 0",
    "ZeroPadding1D.padding": _EDGES["1D"],
    "ZeroPadding2D.padding": _EDGES["2D"],
    "ZeroPadding3D.padding": _EDGES["3D"],
}

# Required here, though Keras has a default that fails later.
REQUIRED = {
    "CategoryEncoding.num_tokens",
    "Discretization.bin_boundaries",
    "F1Score.average",  # without it the metric is a vector, which no history can hold
    "FBetaScore.average",
    "Normalization.mean",
    "Normalization.variance",
}

# Layers that live inside an RNN, and cannot stand in a model by themselves.
CELLS = {"GRUCell", "LSTMCell", "SimpleRNNCell", "StackedRNNCells"}

# Layers that are called on several tensors.
MANY_INPUTS = {
    *("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"),
    *("AdditiveAttention", "Attention", "GroupQueryAttention", "MultiHeadAttention", "HashedCrossing"),
}

# Names that are no spelling of the class' name, from the `get` functions of Keras.
SHORT_NAMES: dict[str, dict[str, str]] = {
    "activation": {"hard_swish": "hard_silu", "swish": "silu"},
    "initializer": {"normal": "RandomNormal", "one": "Ones", "uniform": "RandomUniform", "zero": "Zeros"},
    "loss": {
        "bce": "BinaryCrossentropy",
        "kld": "KLDivergence",
        "mae": "MeanAbsoluteError",
        "mape": "MeanAbsolutePercentageError",
        "mse": "MeanSquaredError",
        "msle": "MeanSquaredLogarithmicError",
    },
    "metric": {
        "bce": "BinaryCrossentropy",
        "mae": "MeanAbsoluteError",
        "mape": "MeanAbsolutePercentageError",
        "mse": "MeanSquaredError",
        "msle": "MeanSquaredLogarithmicError",
    },
}

# Keras has no class for these two, only names that `compile` understands.
BY_SHAPE = {
    "accuracy": {
        "doc": "Share of right predictions; binary, categorical or sparse categorical, by the shape of the output.",
        "aliases": ["acc"],
        "arguments": {},
    },
    "crossentropy": {
        "doc": "Binary, categorical or sparse categorical crossentropy, by the shape of the output.",
        "aliases": ["ce"],
        "arguments": {},
    },
}
