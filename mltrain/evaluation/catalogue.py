"""Every metric that mltrain measures itself: name, direction, tasks and arguments. The formulas are in formulas.py.

These are exact: computed from all predictions of a split, never averaged over batches. The metrics of Keras, under
`training.metrics`, are running averages inside the loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field

from mltrain.evaluation.metric import (
    CLASSIFICATION,
    LABELS,
    REGRESSION,
    AveragedMetric,
    Metric,
)
from mltrain.outputs import KINDS
from mltrain.spec import normalise
from mltrain.task import Task
from mltrain.wording import in_full


class Accuracy(Metric):
    """Share of the rows whose class is predicted correctly; for multilabel, of the rows with every label correct."""

    direction, tasks = "max", LABELS
    aliases = ("acc", "accuracy_score", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy")
    type: Literal["accuracy"] = "accuracy"


class BalancedAccuracy(Metric):
    """Mean recall of the classes that occur in the split: each class counts the same, however many rows it has."""

    direction, tasks = "max", CLASSIFICATION
    aliases = ("balanced_accuracy_score",)
    type: Literal["balanced_accuracy"] = "balanced_accuracy"


class HammingLoss(Metric):
    """Share of the labels that are wrong, over all rows."""

    direction, tasks = "min", ("multilabel",)
    aliases = ("hamming",)
    type: Literal["hamming_loss"] = "hamming_loss"


class Precision(AveragedMetric):
    """Share of the rows predicted as a class that are of that class."""

    aliases = ("precision_score", "positive_predictive_value")
    type: Literal["precision"] = "precision"


class Recall(AveragedMetric):
    """Share of the rows of a class that are predicted as that class."""

    aliases = ("recall_score", "sensitivity", "true_positive_rate")
    type: Literal["recall"] = "recall"


class F1(AveragedMetric):
    """Harmonic mean of precision and recall."""

    aliases = ("f1_score",)
    type: Literal["f1"] = "f1"


class RocAuc(Metric):
    """Probability that a row of the class has a higher score than another row; for several classes, the mean of each
    class against the rest; for labels, their mean."""

    direction, tasks = "max", LABELS
    aliases = ("auc", "auroc", "roc_auc_score")
    type: Literal["roc_auc"] = "roc_auc"


class PrAuc(Metric):
    """Average precision, the area under the steps of precision over recall; for several classes or labels, their
    mean."""

    direction, tasks = "max", LABELS
    aliases = ("average_precision", "average_precision_score", "auprc")
    type: Literal["pr_auc"] = "pr_auc"


class LogLoss(Metric):
    """Mean of -ln(probability given to the true class), in nats: cross-entropy without class weights or penalties; for
    labels, their mean."""

    direction, tasks = "min", LABELS
    aliases = ("cross_entropy", "binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")
    type: Literal["log_loss"] = "log_loss"


class Brier(Metric):
    """Mean squared error of the probabilities: of the positive class for binary, the mean over the labels for
    multilabel, else the sum over the classes."""

    direction, tasks = "min", LABELS
    aliases = ("brier_score", "brier_score_loss")
    type: Literal["brier"] = "brier"


class Mcc(Metric):
    """Matthews' correlation between targets and predictions: 1 is perfect and 0 is guessing, even if a class is
    rare."""

    direction, tasks = "max", CLASSIFICATION
    aliases = ("matthews_corrcoef", "matthews_correlation")
    type: Literal["mcc"] = "mcc"


class CohenKappa(Metric):
    """How far targets and predictions agree beyond chance (Cohen's kappa): 1 is perfect, 0 is guessing."""

    direction, tasks = "max", CLASSIFICATION
    aliases = ("kappa", "cohens_kappa", "cohen_kappa_score")
    type: Literal["cohen_kappa"] = "cohen_kappa"


class TopKAccuracy(Metric):
    """Share of the rows whose true class is among the k most probable classes."""

    direction, tasks = "max", ("multiclass",)
    aliases = ("top_k", "top_k_accuracy_score", "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy")
    type: Literal["top_k_accuracy"] = "top_k_accuracy"
    k: Annotated[int, Field(ge=1)] = 5
    """How many of the most probable classes count."""

    @property
    def name(self) -> str:
        """`top_k_accuracy` for the default k, else as `top_3_accuracy`."""
        return self.type if self.k == TopKAccuracy.model_fields["k"].default else f"top_{self.k}_accuracy"


class Mse(Metric):
    """Mean squared error, in the squared unit of the target."""

    direction, tasks = "min", REGRESSION
    aliases = ("mean_squared_error",)
    type: Literal["mse"] = "mse"


class Rmse(Metric):
    """Root of the mean squared error, in the unit of the target."""

    direction, tasks = "min", REGRESSION
    aliases = ("root_mean_squared_error",)
    type: Literal["rmse"] = "rmse"


class Mae(Metric):
    """Mean absolute error, in the unit of the target."""

    direction, tasks = "min", REGRESSION
    aliases = ("mean_absolute_error",)
    type: Literal["mae"] = "mae"


class MedianAbsoluteError(Metric):
    """Median of the absolute errors, in the unit of the target: a few extreme rows do not change it."""

    direction, tasks = "min", REGRESSION
    aliases = ("medae",)
    type: Literal["median_absolute_error"] = "median_absolute_error"


class Mape(Metric):
    """Mean of the absolute errors, each divided by its target, as a fraction; very large if a target is 0."""

    direction, tasks = "min", REGRESSION
    aliases = ("mean_absolute_percentage_error",)
    type: Literal["mape"] = "mape"


class Smape(Metric):
    """Mean of the absolute errors, each divided by the mean absolute value of target and prediction: from 0 to 2."""

    direction, tasks = "min", REGRESSION
    aliases = ("symmetric_mean_absolute_percentage_error",)
    type: Literal["smape"] = "smape"


class Mase(Metric):
    """For forecasts: the mean absolute error, divided by that of the naive forecast (the last value, or the value one
    season earlier) on the training part of the series; below 1 is better than the naive forecast."""

    direction, tasks = "min", ("regression", "multiregression")
    aliases = ("mean_absolute_scaled_error",)
    type: Literal["mase"] = "mase"


class PoissonDeviance(Metric):
    """Mean Poisson deviance: 0 is perfect; an error counts more where few are expected."""

    direction, tasks = "min", ("count",)
    aliases = ("mean_poisson_deviance",)
    type: Literal["poisson_deviance"] = "poisson_deviance"


class QuantileLoss(Metric):
    """Mean pinball loss: smallest when a share `quantile` of the targets is below the predictions."""

    direction, tasks = "min", REGRESSION
    aliases = ("pinball", "pinball_loss", "mean_pinball_loss")
    type: Literal["quantile_loss"] = "quantile_loss"
    quantile: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The quantile of the target that the model should predict; 0.5 is the median, and gives half the mae."""

    @property
    def name(self) -> str:
        """`quantile_loss` for the median, else as `quantile_loss_0_9`: a dot would end the name of a split."""
        return self.type if self.quantile == 0.5 else f"{self.type}_{in_full(self.quantile)}".replace(".", "_")


class R2(Metric):
    """Share of the target's variance that is explained: 1 is perfect, 0 is as good as the mean, below 0 is worse."""

    direction, tasks = "max", REGRESSION
    aliases = ("r2_score", "r_squared")
    type: Literal["r2"] = "r2"


class ExplainedVariance(Metric):
    """Like r2, but an error that is the same in all predictions does not count."""

    direction, tasks = "max", REGRESSION
    aliases = ("explained_variance_score",)
    type: Literal["explained_variance"] = "explained_variance"


CATALOGUE: tuple[type[Metric], ...] = (
    Accuracy,
    HammingLoss,
    BalancedAccuracy,
    Precision,
    Recall,
    F1,
    RocAuc,
    PrAuc,
    LogLoss,
    Brier,
    Mcc,
    CohenKappa,
    TopKAccuracy,
    Mse,
    Rmse,
    Mae,
    MedianAbsoluteError,
    Mape,
    Smape,
    Mase,
    PoissonDeviance,
    QuantileLoss,
    R2,
    ExplainedVariance,
)

# The name of each by every spelling, in its normal form.
NAMES: dict[str, str] = {
    normalise(spelling): str(metric.model_fields["type"].default)
    for metric in CATALOGUE
    for spelling in (metric.model_fields["type"].default, *metric.aliases)
}

_BY_NAME = {str(metric.model_fields["type"].default): metric for metric in CATALOGUE}


def _usual(written: str | Mapping[str, str]) -> Metric:
    """Return a metric as a kind of output names it."""
    arguments = {"type": written} if isinstance(written, str) else dict(written)
    return _BY_NAME[arguments["type"]].model_validate(arguments)


# The usual metrics of each task.
DEFAULTS: Mapping[Task, tuple[Metric, ...]] = MappingProxyType(
    {task: tuple(map(_usual, kind.metrics)) for task, kind in KINDS.items()}
)


def loss_metric(task: Task) -> Metric:
    """Return the metric that is nearest to the usual loss of a task; it has a derivative by the weight of each row."""
    return next(metric for metric in DEFAULTS[task] if metric.type == KINDS[task].loss_metric)


# What is measured of each label by itself.
OF_LABEL: tuple[Metric, ...] = (Accuracy(), F1(), RocAuc(), LogLoss(), Precision(), Recall(), PrAuc(), Brier())


def canonical_name(name: str) -> str:
    """Return the metric that `name` means in any spelling (`AUC` is `roc_auc`), and `name` where it is none of ours."""
    return NAMES.get(normalise(name), name)
