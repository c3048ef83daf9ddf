"""mltrain: a command-line trainer for Keras. What stands here is for plugins: `from mltrain import metric`."""

from __future__ import annotations

from mltrain.metric_function import MetricFunction, NoValueError, metric

__all__ = ["MetricFunction", "NoValueError", "metric"]
__version__ = "0.1.0"
