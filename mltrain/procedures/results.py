"""What a finished training leaves: metrics.json, plots, model.keras, and the last words in the terminal. Imports
TensorFlow."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from mltrain.data.examples import Examples
from mltrain.data.preparation import Prepared
from mltrain.data.raw_model import raw_model
from mltrain.errors import WriteError
from mltrain.gates.judging import judge
from mltrain.outputs import KINDS
from mltrain.procedures.baselines import Judged, measure_baselines
from mltrain.procedures.baselines_of_outputs import baselines_of_outputs, with_baselines
from mltrain.procedures.boosting import BoostedGuesses, BoostingBeside
from mltrain.procedures.decision import Chosen, choose, choose_each
from mltrain.procedures.diagnosing import findings, gather
from mltrain.procedures.explanation.explaining import Explained, explain_split, unexplained
from mltrain.procedures.fitting import Fitted
from mltrain.procedures.forecast_dates import dates_of_rows, forecast_time
from mltrain.procedures.learned import coefficients, learned_of
from mltrain.procedures.measurement import (
    Predicted,
    chance_of,
    measure_split,
    predict_out_of_fold,
    predict_split,
)
from mltrain.procedures.member_folds import MemberFolds
from mltrain.procedures.network import Network
from mltrain.procedures.pictures import draw
from mltrain.procedures.run_context import RunContext
from mltrain.procedures.setup import Setup
from mltrain.procedures.training_images import with_training_images
from mltrain.procedures.worst_examples import worst_examples
from mltrain.report.explanation import explanation_sentences
from mltrain.report.plots.fonts import missing
from mltrain.report.plots.rate_test import rate_test_plot
from mltrain.run.decision import DecisionRule
from mltrain.run.locked_run import LockedRun
from mltrain.run.predictions import StoredPredictions
from mltrain.run.results import FORMAT, FindingResult, ObjectiveResult, Results, TrainedModel
from mltrain.run.split_result import SplitResult
from mltrain.task import OUT_OF_FOLD, SPLITS, SplitName


def write_results(setup: Setup, fitted: Fitted, context: RunContext, boosting: BoostingBeside | None = None) -> Results:
    """Measure every split with the model of the run, write the rest, and return the results.

    Args:
        setup: the data and the network.
        fitted: how the training ended.
        context: of the run.
        boosting: which began beside the training; None where it was not asked for.

    Raises:
        InterruptedRunError: a signal came; `resume` finds the training done, and measures again.
    """
    network, prepared, plan = setup.network, setup.prepared, setup.plan
    run, phase, between = context.run, context.stopwatch.phase, context.raise_if_interrupted
    examples = prepared.examples
    predicted = {name: predict_split(network, each, between) for name, each in examples.items()}
    chosen = _chosen(network, prepared, predicted)
    rule, more = chosen.rule, dict(chosen.results)
    predicted = {name: each.tempered(network, rule) for name, each in predicted.items()}
    splits, kept = _measured(setup, predicted, rule, between)
    predictions = {name: each.values for name, each in predicted.items()}
    held_out = next(name for name in reversed(SPLITS) if name in prepared.examples)
    # A test on the counts says nothing of weighted rows.
    if held_out != "train" and KINDS[network.info.task].of_classes and examples[held_out].weights is None:
        more["chance"] = chance_of(
            network, examples[held_out], predictions[held_out], rule.threshold, examples["train"].truth, held_out
        )
    if network.spec.evaluation.baselines:
        between()
        with phase("baselines"):
            baselines, splits = _with_baselines(setup, splits, predictions, rule, _awaited(boosting, between))
        more |= baselines
    if _is_linear_regression(network, prepared):
        more["coefficients"] = coefficients(prepared.preprocessing, network.model.get_weights())
    history = run.history()
    with phase("diagnosis"):
        facts = gather(network, prepared, history, splits, predictions, exhausted=fitted.exhausted)
        more["diagnosis"] = [
            FindingResult(**asdict(each)) for each in findings(facts, network, prepared, splits, predictions)
        ]
    if network.spec.evaluation.gates:
        more["gates"] = judge(network.spec.evaluation.gates, splits)
    results = Results(
        format=FORMAT,
        task=network.info.task,
        classes=network.info.output.classes,
        objective=ObjectiveResult(metric=plan.objective.metric, direction=plan.objective.direction, best=fitted.best),
        model=TrainedModel(
            weights=fitted.weights,
            epoch=fitted.epoch,
            epochs=fitted.last_epoch,
            stopped=fitted.stopped,
            **({"averaged": fitted.averaged} if fitted.averaged else {}),
        ),
        splits=splits,
        **more,
    )
    between()
    with phase("run files"):
        if network.spec.evaluation.decides or run.has_decision():
            run.write_decision(rule)
        run.write_predictions(kept)
        if "test" in splits:
            _count_look(run)
        run.write_results(results)
    with phase("report"):
        # Of targets of different kinds no row is the worst: each has others.
        worst = None if KINDS[network.info.task].mixed else worst_examples(prepared, held_out, predictions[held_out])
        if worst is not None:
            run.write_examples(with_training_images(worst, network, prepared))
    with phase("model.keras"):
        run.write_model(_archive(network, prepared, rule))
    with phase("plots"):
        learned = learned_of(network, prepared, rule, _formula(results.coefficients))
        if learned is not None:
            run.write_learned(learned.recorded())
        best_epoch = fitted.epoch if fitted.weights == "best" else None
        _write_plots(
            chain(draw(history, network, prepared, best_epoch, predictions, rule, learned), _of_rate_test(run)), context
        )
    depends_on = _explain(setup, rule, held_out, predictions[held_out], fitted.epoch, context)
    with phase("history and terminal"):
        context.terminal.results(results, run.path, depends_on)
    return results


def _measured(
    setup: Setup, predicted: Mapping[SplitName, Predicted], rule: DecisionRule, between: Callable[[], None]
) -> tuple[dict[str, SplitResult], dict[str, StoredPredictions]]:
    """Return the results of each split, and the predictions to keep."""
    network, prepared, slices = setup.network, setup.prepared, setup.slices.held_out
    splits: dict[str, SplitResult] = {
        name: measure_split(network, prepared.examples[name], each, rule, name, slices.get(name, ()), between)
        for name, each in predicted.items()
    }
    values = {name: each.values for name, each in predicted.items()}
    kept = _kept(prepared, forecast_time(network.spec), values)
    if setup.folds is not None:
        of_folds, kept[OUT_OF_FOLD] = _out_of_fold(setup, setup.folds, rule, between)
        splits = {"train": splits["train"], OUT_OF_FOLD: of_folds, **splits}
    return splits, kept


def _out_of_fold(
    setup: Setup, folds: MemberFolds, rule: DecisionRule, between: Callable[[], None]
) -> tuple[SplitResult, StoredPredictions]:
    """Return the results and the predictions of the training rows, each by the network that has left it out."""
    network, prepared = setup.network, setup.prepared
    train = prepared.examples["train"]
    predicted = predict_out_of_fold(network, folds, train, between).tempered(network, rule)
    return measure_split(network, train, predicted, rule, OUT_OF_FOLD), _stored(prepared, None, train, predicted.values)


def _awaited(boosting: BoostingBeside | None, between: Callable[[], None]) -> Mapping[str, BoostedGuesses | str]:
    return {} if boosting is None else boosting.results(between)


def _with_baselines(
    setup: Setup,
    splits: dict[str, SplitResult],
    predictions: dict[SplitName, np.ndarray],
    rule: DecisionRule,
    boosting: Mapping[str, BoostedGuesses | str],
) -> tuple[dict[str, Any], dict[str, SplitResult]]:
    """Return what the results say of the baselines, and those of the splits with them."""
    network, prepared, objective = setup.network, setup.prepared, setup.plan.objective
    changed: dict[str, SplitResult]
    if KINDS[network.info.task].mixed:
        of_outputs = baselines_of_outputs(network.spec, prepared, objective, predictions, rule, boosting)
        changed = {name: with_baselines(splits[name], each) for name, each in of_outputs.splits.items()}
        return {"baselines": of_outputs.fits, "baseline_sentences": of_outputs.sentences}, splits | changed
    boosted, judged = boosting.get(network.info.output.name), Judged(predictions, rule.threshold)
    found = measure_baselines(network.spec, prepared, objective, judged, boosted)
    changed = {name: splits[name].model_copy(update={"baselines": each}) for name, each in found.splits.items()}
    return {"baselines": found.fits, "baseline_sentences": found.sentences}, splits | changed


def _count_look(run: LockedRun) -> None:
    record = run.record()
    run.count_look(record.resumed[-1].command if record.resumed else record.command)


def _of_rate_test(run: LockedRun) -> Iterator[tuple[str, bytes]]:
    test = run.rate_test()
    if test is not None:
        yield "learning_rate", rate_test_plot(test.learning_rates, test.losses, test.smoothed, test.chosen)


def _write_plots(drawn: Iterable[tuple[str, bytes]], context: RunContext) -> None:
    """Write the plots. Say once which characters no installed font has."""
    for title, picture in drawn:
        context.raise_if_interrupted()  # a picture takes 0.1 to 0.3 s
        context.run.write_plot(title, picture)
    undrawn = missing()
    if undrawn is not None:
        context.terminal.note(undrawn)


def _explain(
    setup: Setup, rule: DecisionRule, split: SplitName, predictions: np.ndarray, epoch: int, context: RunContext
) -> tuple[str, ...]:
    """Write what the predictions for a split depend on, where the config asks for it, and return it in short."""
    prepared = setup.prepared
    if not setup.spec.evaluation.explain:
        return ()
    examples = prepared.examples[split]
    reason = unexplained(prepared.info.task, predictions)
    if reason is not None:
        return (reason,)
    explained = Explained(split, examples, predictions)
    with context.stopwatch.phase("explanation"):
        found = explain_split(
            setup.network, prepared.preprocessing, rule, explained, epoch, context.raise_if_interrupted
        )
        context.run.write_explanation(found)
    return explanation_sentences(found)


def _chosen(network: Network, prepared: Prepared, predicted: Mapping[SplitName, Predicted]) -> Chosen:
    """Return how probabilities become decisions: what the validation rows say, and no others."""
    spec, output = network.spec.evaluation, network.info.output
    there = "validation" in prepared.examples
    truth = prepared.examples["validation"].truth if there else None
    values = predicted["validation"].values if there else None
    if KINDS[output.task].mixed:
        return choose_each(spec, output, truth, values)
    return choose(spec, output.task, truth, values, prepared.examples["validation"].weights if there else None)


def _kept(
    prepared: Prepared, time: str | None, predictions: dict[SplitName, np.ndarray]
) -> dict[str, StoredPredictions]:
    """Return the predictions to keep: for held-out rows, and for training rows only where there are no others."""
    return {
        str(name): _stored(prepared, time, of, predictions[name])
        for name, of in prepared.examples.items()
        if name != "train" or len(predictions) == 1
    }


def _stored(prepared: Prepared, time: str | None, of: Examples, values: np.ndarray) -> StoredPredictions:
    dates = dates_of_rows(prepared, time, of.rows)
    return StoredPredictions(of.rows, of.truth, values, of.groups, of.forecasts, dates, of.weights)


def _is_linear_regression(network: Network, prepared: Prepared) -> bool:
    single = network.spec.networks == 1
    linear = single and network.spec.model.is_linear and KINDS[network.info.task].activation == "linear"
    linear = linear and network.target.parts[0].log_limits is None  # else it is a line in logarithms
    return linear and network.info.output.units == 1 and bool(prepared.preprocessing.of_table)


def _formula(found: Mapping[str, float]) -> str:
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
            raw_model(prepared.preprocessing, network.probability_model(rule)).save(path)
            return path.read_bytes()
    except OSError as error:
        place = tempfile.gettempdir()
        raise WriteError(f"{place}: cannot write model.keras there first: {error.strerror}; set TMPDIR") from error
