"""What a finished training leaves: metrics.json, plots, model.keras, and the last words in the terminal. Imports
TensorFlow."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from mltrain.data.preparation import Prepared
from mltrain.data.raw_model import raw_model
from mltrain.errors import WriteError
from mltrain.evaluation.diagnosis import diagnose
from mltrain.experiment.spec import ExperimentSpec
from mltrain.gates.gate import judge
from mltrain.procedures.baselines import Judged, measure_baselines
from mltrain.procedures.coefficients import coefficients
from mltrain.procedures.decision import Chosen, choose
from mltrain.procedures.diagnosing import gather
from mltrain.procedures.explanation.explaining import explain_split, unexplained
from mltrain.procedures.fitting import Fitted
from mltrain.procedures.forecast_dates import dates_of_rows, forecast_time
from mltrain.procedures.learned import learned_of
from mltrain.procedures.measurement import Predicted, chance_of, measure_split, predict_split
from mltrain.procedures.network import Network
from mltrain.procedures.pictures import draw
from mltrain.procedures.plan import Plan
from mltrain.procedures.slices import Slice
from mltrain.procedures.training_images import with_training_images
from mltrain.procedures.worst_examples import worst_examples
from mltrain.report.explanation import explanation_sentences
from mltrain.report.plots.fonts import missing
from mltrain.report.terminal import Terminal
from mltrain.run.decision import DecisionRule
from mltrain.run.locked_run import LockedRun
from mltrain.run.predictions import StoredPredictions
from mltrain.stopwatch import NoStopwatch
from mltrain.task import OF_CLASSES, SPLITS, SplitName
from mltrain.training.signals import Interruption

METRICS_FORMAT = 1


def write_results(
    run: LockedRun,
    network: Network,
    prepared: Prepared,
    plan: Plan,
    fitted: Fitted,
    slices: Mapping[SplitName, Sequence[Slice]],
    terminal: Terminal,
    interruption: Interruption,
    stopwatch: NoStopwatch,
) -> dict[str, Any]:
    """Measure every split with the model of the run, write the rest, and return what is in metrics.json.

    Raises:
        InterruptedRunError: a signal came; `resume` finds the training done, and measures again.
    """
    examples, between = prepared.examples, interruption.raise_if_received
    predicted = {name: predict_split(network, each, between) for name, each in examples.items()}
    chosen = _chosen(network, prepared, predicted)
    rule = chosen.rule
    predicted = {name: each.tempered(network, rule) for name, each in predicted.items()}
    splits = {
        name: measure_split(network, examples[name], each, rule.threshold, name, slices.get(name, ()), between)
        for name, each in predicted.items()
    }
    predictions = {name: each.values for name, each in predicted.items()}
    metrics: dict[str, Any] = {
        "format": METRICS_FORMAT,
        "task": network.info.task,
        "classes": list(network.info.classes),
        "objective": {"metric": plan.objective.metric, "direction": plan.objective.direction, "best": fitted.best},
        "model": {
            "weights": fitted.weights,
            **({"averaged": fitted.averaged} if fitted.averaged else {}),
            "epoch": fitted.epoch,
            "epochs": fitted.last_epoch,
            "stopped": fitted.stopped,
        },
        "splits": splits,
        **chosen.results,
    }
    held_out = next(name for name in reversed(SPLITS) if name in prepared.examples)
    if held_out != "train" and network.info.task in OF_CLASSES:
        metrics["chance"] = chance_of(
            network, examples[held_out], predictions[held_out], rule.threshold, examples["train"].truth, held_out
        )
    if network.spec.evaluation.baselines:
        interruption.raise_if_received()
        with stopwatch.phase("baselines"):
            _add_baselines(metrics, network.spec, prepared, plan, Judged(predictions, rule.threshold))
    if _is_linear_regression(network, prepared):
        metrics["coefficients"] = coefficients(prepared.preprocessing, network.model.get_weights())
    history = run.history()
    with stopwatch.phase("diagnosis"):
        found = diagnose(gather(network, prepared, history, splits, predictions, exhausted=fitted.exhausted))
        metrics["diagnosis"] = [asdict(each) for each in found]
    if network.spec.evaluation.gates:
        metrics["gates"] = [each.as_json() for each in judge(network.spec.evaluation.gates, metrics)]
    interruption.raise_if_received()
    with stopwatch.phase("run files"):
        if network.spec.evaluation.decides or run.has_decision():
            run.write_decision(rule)
        run.write_predictions(_kept(prepared, forecast_time(network.spec), predictions))
        if "test" in splits:
            record = run.record()
            run.count_look(record.resumed[-1].command if record.resumed else record.command)
        run.write_metrics(metrics)
    with stopwatch.phase("report"):
        worst = worst_examples(prepared, held_out, predictions[held_out])
        if worst is not None:
            run.write_examples(with_training_images(worst, network, prepared))
    with stopwatch.phase("model.keras"):
        run.write_model(_archive(network, prepared, rule))
    best_epoch = fitted.epoch if fitted.weights == "best" else None
    with stopwatch.phase("plots"):
        learned = learned_of(network, prepared, rule, _formula(metrics.get("coefficients", {})))
        if learned is not None:
            run.write_learned(learned.recorded())
        drawn = draw(history, network, prepared, best_epoch, predictions, rule, learned)
        _write_plots(run, drawn, terminal, interruption)
    depends_on = _explain(
        run, network, prepared, rule, held_out, predictions[held_out], fitted, interruption, stopwatch
    )
    with stopwatch.phase("history and terminal"):
        terminal.results(metrics, run.path, depends_on)
    return metrics


def _write_plots(
    run: LockedRun, drawn: Iterable[tuple[str, bytes]], terminal: Terminal, interruption: Interruption
) -> None:
    """Write the plots. Say once which characters no installed font has."""
    for title, picture in drawn:
        interruption.raise_if_received()  # a picture takes 0.1 to 0.3 s
        run.write_plot(title, picture)
    undrawn = missing()
    if undrawn is not None:
        terminal.note(undrawn)


def _explain(
    run: LockedRun,
    network: Network,
    prepared: Prepared,
    rule: DecisionRule,
    split: SplitName,
    predictions: np.ndarray,
    fitted: Fitted,
    interruption: Interruption,
    stopwatch: NoStopwatch,
) -> tuple[str, ...]:
    """Write what the predictions for a split depend on, where the config asks for it, and return it in short."""
    if not network.spec.evaluation.explain:
        return ()
    examples, rows = prepared.examples[split], dict(prepared.splits.items())[split]
    reason = unexplained(prepared.preprocessing, examples.x, predictions)
    if reason is not None:
        return (reason,)
    epoch, between = fitted.epoch, interruption.raise_if_received
    with stopwatch.phase("explanation"):
        found = explain_split(network, prepared.preprocessing, rule, split, examples, rows, predictions, epoch, between)
        run.write_explanation(found)
    return explanation_sentences(found)


def _chosen(network: Network, prepared: Prepared, predicted: Mapping[SplitName, Predicted]) -> Chosen:
    """Return how probabilities become decisions: what the validation rows say, and no others."""
    spec, task = network.spec.evaluation, network.info.task
    if "validation" not in prepared.examples:
        return choose(spec, task, None, None)
    return choose(spec, task, prepared.examples["validation"].truth, predicted["validation"].values)


def _add_baselines(
    metrics: dict[str, Any], spec: ExperimentSpec, prepared: Prepared, plan: Plan, model: Judged
) -> None:
    found = measure_baselines(spec, prepared, plan.objective, model)
    metrics |= {"baselines": found.fits, "baseline_sentences": found.sentences}
    for split, baselines in found.splits.items():
        metrics["splits"][split]["baselines"] = baselines


def _kept(
    prepared: Prepared, time: str | None, predictions: dict[SplitName, np.ndarray]
) -> dict[str, StoredPredictions]:
    """Return the predictions to keep: for held-out rows, and for training rows only where there are no others."""
    kept = {}
    for name, rows in prepared.splits.items():
        if name != "train" or len(predictions) == 1:
            of = prepared.examples[name]
            kept[str(name)] = StoredPredictions(
                rows, of.truth, predictions[name], of.groups, of.forecasts, dates_of_rows(prepared, time, rows)
            )
    return kept


def _is_linear_regression(network: Network, prepared: Prepared) -> bool:
    of_columns = prepared.preprocessing.array is None
    return network.spec.model.is_linear and network.info.task == "regression" and of_columns


def _formula(found: dict[str, float]) -> str:
    return (
        f"{found['slope']:.4g} x {'-' if found['intercept'] < 0 else '+'} {abs(found['intercept']):.4g}"
        if "slope" in found
        else ""
    )


def _archive(network: Network, prepared: Prepared, rule: DecisionRule) -> bytes:
    """Return the `.keras` archive of the model on raw columns. Keras writes to a path only, and not atomically."""
    try:
        with tempfile.TemporaryDirectory(prefix="mltrain-") as directory:
            path = Path(directory, "model.keras")
            raw_model(prepared.preprocessing, network.probability_model(rule.temperature)).save(path)
            return path.read_bytes()
    except OSError as error:
        place = tempfile.gettempdir()
        raise WriteError(f"{place}: cannot write model.keras there first: {error.strerror}; set TMPDIR") from error
