"""The results of a cross-validation in words and as tables, from what is in folds.json. The text is safe to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mltrain.problems import printable
from mltrain.report.page.card import plain, table
from mltrain.report.runs_table import aligned, fitting, not_shown, values
from mltrain.report.text import interval, number
from mltrain.run.folds_form import CrossValidation, FoldBaseline, FoldMean
from mltrain.run.layout import FOLDS


def verdict_sentence(
    metric: str, direction: str, folds: int, found: FoldMean, baselines: Mapping[str, FoldBaseline]
) -> str:
    """Return whether the model beats the best of its baselines, in one sentence.

    Args:
        metric: by which.
        direction: "min" or "max": whether smaller or larger is better.
        folds: how many.
        found: the mean of the model.
        baselines: by name.
    """
    if found.mean is None:
        return f"the test {metric} has no mean over the {folds} folds: {found.undefined}"
    value = f"the mean test {metric} of {number(found.mean)} {interval(found.low, found.high)}"
    model = f"over {folds} folds {value}"
    means = {name: each.metrics[metric].mean for name, each in baselines.items() if metric in each.difference}
    known = {name: mean for name, mean in means.items() if mean is not None}
    if not known:
        return f"{model} has no baseline beside it"
    best = (max if direction == "max" else min)(known, key=lambda name: known[name])
    difference = baselines[best].difference[metric]
    other = f"the {number(known[best])} of the baseline {best}"
    if difference.verdict is None or difference.mean is None or difference.low is None or difference.high is None:
        return f"{model} cannot be compared with {other}: {difference.undefined}"
    if difference.verdict == "equal":
        return f"{model} equals {other}"
    ends = (difference.low, difference.high) if difference.mean > 0 else (-difference.high, -difference.low)
    apart = f"{number(abs(difference.mean))} {interval(*ends)}"
    if difference.verdict == "not resolved":
        side = "higher" if difference.mean > 0 else "lower"
        return f"no significant difference between {value} and {other} over {folds} folds: {apart} {side}"
    return f"{model} {'beats' if difference.verdict == 'better' else 'is worse than'} {other} by {apart}"


def folds_text(found: CrossValidation) -> str:
    """Return the table of folds and metrics, and the sentence."""
    names = fitting(list(found.metrics), found.metric)
    lines = [*aligned(_table(found, names)), *not_shown(list(found.metrics), names, FOLDS)]
    return "\n".join([*lines, "", *map(printable, _sentences(found))])


def folds_markdown(found: CrossValidation, name: str) -> bytes:
    """Return the same as Markdown."""
    header, *rows = _table(found, list(found.metrics))
    blocks = [f"# {plain(name)}: {len(found.folds)} folds", table(header, rows), *map(plain, _sentences(found))]
    if found.gates:
        judged = [(each.gate, "passed" if each.passed else "missed", number(each.value)) for each in found.gates]
        blocks.append(table(("gate", "outcome", "found"), judged, texts=2))
    return ("\n\n".join(blocks) + "\n").encode("utf-8", "backslashreplace")


def _sentences(found: CrossValidation) -> list[str]:
    undefined = [f"{name} has no mean: {each.undefined}" for name, each in found.metrics.items() if each.undefined]
    left_out = [f"the baseline {name} is left out: {why}" for name, why in found.baselines_left_out.items()]
    return [*undefined, *left_out, found.sentence]


def _table(found: CrossValidation, names: Sequence[str]) -> list[list[str]]:
    """Return a row a fold, then what they say together."""
    rows = [["", "rows", *map(printable, names)]]
    for each in found.folds:
        rows.append([each.run, f"{each.rows.get('test', 0):,}", *values(each.metrics, names)])
    together = {
        "mean": [number(found.metrics[name].mean) for name in names],
        "± deviation": [number(found.metrics[name].std) for name in names],
        "95 % low": [number(found.metrics[name].low) for name in names],
        "95 % high": [number(found.metrics[name].high) for name in names],
    }
    rows += [[label, "", *cells] for label, cells in together.items()]
    if found.pooled.metrics:
        rows.append(["pooled", f"{found.pooled.n:,}", *values(found.pooled.metrics, names)])
    for baseline, each_of in found.baselines.items():
        means = [each_of.metrics[name].mean if name in each_of.metrics else None for name in names]
        rows.append([printable(f"baseline {baseline}"), "", *map(number, means)])
    return rows
