"""mltrain: a command-line trainer for Keras. What stands here is for plugins, as `from mltrain import metric`."""

from __future__ import annotations

from mltrain.metric_function import MetricFunction, NoValueError, metric
from mltrain.own_function import loss, model

__all__ = ["MetricFunction", "NoValueError", "loss", "metric", "model"]
__version__ = "0.1.0"
