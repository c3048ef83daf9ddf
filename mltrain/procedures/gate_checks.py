"""`evaluate --gate`: what can be wrong with the gates is found before TensorFlow is imported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mltrain.config.plugins import Plugins
from mltrain.errors import ConfigError, RunError, UsageError
from mltrain.experiment.gate_rules import gate_problem
from mltrain.experiment.target_rules import possible_tasks
from mltrain.gates.gate import DATA, Gate
from mltrain.gates.judging import judge
from mltrain.procedures.recorded_config import recorded_config
from mltrain.run.results import Judgement
from mltrain.run.rundir import RunDirectory
from mltrain.run.split_result import SplitResult
from mltrain.task import SPLITS


def checked_gates(
    run: RunDirectory, gates: Sequence[str], split: str | None, of_file: bool, plugins: Plugins
) -> tuple[Gate, ...]:
    """Return the gates. Refuse those that what is measured cannot answer.

    Args:
        run: that is measured.
        gates: of the command line.
        split: that is measured; None takes test, else validation, else train.
        of_file: whether the rows of another file are measured instead.
        plugins: as for `load`.

    Raises:
        UsageError: names the first such gate, and what is wrong with it.
        RunError: the run is damaged.
    """
    if not gates:
        return ()
    try:
        spec = recorded_config(run, plugins=plugins).spec
    except ConfigError as error:
        raise RunError(f"{run.path}: config.resolved.yaml is damaged, or of another version: {error}") from error
    tasks = possible_tasks(spec)
    there = run.splits()
    measured = DATA if of_file else split or [name for name in SPLITS if name in there][-1]
    checked = []
    for number, text in enumerate(gates, start=1):
        try:
            gate = Gate.parse(text)
        except ValueError as error:
            raise UsageError(f"--gate #{number}: {error}") from None
        problem = gate_problem(gate, spec, tasks, {measured})
        if gate.quantity.baseline is not None:
            problem = "baselines are measured by `mltrain train` only: write the gate under evaluation.gates"
        if gate.of_seeds:
            problem = f"one run has no .{gate.quantity.bound}, which is over several seeds: expected .low or .high"
        if problem:
            raise UsageError(f"--gate #{number} '{gate}': {problem}")
        checked.append(gate)
    return tuple(checked)


def judge_measured(gates: Sequence[Gate], splits: Mapping[str, SplitResult], of_file: bool) -> tuple[Judgement, ...]:
    """Return what becomes of the gates.

    Args:
        gates: checked.
        splits: what `evaluate` measured, of one split.
        of_file: whether it is that of another file: gates call it `data`.
    """
    if of_file:
        (part,) = splits.values()
        splits = {DATA: part}
    return judge(gates, splits)
