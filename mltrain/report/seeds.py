"""The results of several seeds in words and as tables, from what is in seeds.json. The text is safe to print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mltrain.problems import printable
from mltrain.report.page.card import plain, table
from mltrain.report.runs_table import aligned, fitting, not_shown, values
from mltrain.report.text import interval, number
from mltrain.run.layout import SEEDS
from mltrain.run.seeds_form import SeveralSeeds
from mltrain.wording import counted


def seeds_sentences(found: SeveralSeeds, direction: str) -> Iterator[str]:
    """Yield what the seeds say together, a sentence each.

    Args:
        found: without its sentences.
        direction: "min" or "max": whether smaller or larger is better.
    """
    split, _, name = found.metric.partition(".")
    part, count = found.splits[split], len(found.seeds)
    mean = part.metrics[name]
    if mean.value is None or mean.std is None or found.best is None or found.worst is None:
        yield f"the {found.metric} has no mean over the {count} seeds: {mean.undefined}"
        return
    yield (
        f"over {count} seeds the mean {found.metric} is {number(mean.value)} {interval(mean.low, mean.high)}, with a "
        f"standard deviation of {number(mean.std)}; best {number(found.best.value)} (seed {found.best.seed}), worst "
        f"{number(found.worst.value)} (seed {found.worst.seed})"
    )
    yield (
        f"these intervals cover chance in the training, on the same {counted(found.rows[split], f'{split} row')}; the "
        "intervals in each run cover the chance of the rows"
    )
    known = {
        baseline: each.metrics[name].value
        for baseline, each in part.baselines.items()
        if name in each.metrics and each.metrics[name].value is not None
    }
    if known:
        sign = 1 if direction == "max" else -1
        best = max(known, key=lambda baseline: sign * (known[baseline] or 0.0))
        reached = [each.metrics[split][name].value for each in found.seeds]
        better = sum(value is not None and sign * value > sign * (known[best] or 0.0) for value in reached)
        yield (
            f"{better} of {count} seeds are better than the {number(known[best])} of the baseline {best}, on these rows"
        )


def seeds_text(found: SeveralSeeds) -> str:
    """Return the table of seeds and metrics, and the sentences."""
    metrics = found.splits[found.split].metrics
    names = fitting(list(metrics), found.metric.partition(".")[2])
    lines = aligned(_table(found, found.split, names))
    return "\n".join([*lines, *not_shown(list(metrics), names, SEEDS), "", *map(printable, _sentences(found))])


def seeds_markdown(found: SeveralSeeds, name: str) -> bytes:
    """Return the same as Markdown, with a table for each split."""
    blocks = [f"# {plain(name)}: {len(found.seeds)} seeds"]
    for split in reversed(tuple(found.splits)):
        header, *rows = _table(found, split, list(found.splits[split].metrics))
        blocks += [f"## {split}, {counted(found.rows[split], 'row')}", table(header, rows)]
    blocks += map(plain, _sentences(found))
    if found.gates:
        judged = [(each.gate, "passed" if each.passed else "missed", number(each.value)) for each in found.gates]
        blocks.append(table(("gate", "outcome", "found"), judged, texts=2))
    return ("\n\n".join(blocks) + "\n").encode("utf-8", "backslashreplace")


def _sentences(found: SeveralSeeds) -> list[str]:
    metrics = found.splits[found.split].metrics
    undefined = [f"{name} has no mean: {each.undefined}" for name, each in metrics.items() if each.undefined]
    return [*undefined, *found.sentences]


def _table(found: SeveralSeeds, split: str, names: Sequence[str]) -> list[list[str]]:
    """Return a row for each seed, then what they say together."""
    part = found.splits[split]
    rows = [[split, *map(printable, names)]]
    rows += [[each.run, *values(each.metrics.get(split, {}), names)] for each in found.seeds]
    means = [part.metrics[name] for name in names]
    together = {
        "mean": [each.value for each in means],
        "± deviation": [each.std for each in means],
        "95 % low": [each.low for each in means],
        "95 % high": [each.high for each in means],
    }
    rows += [[label, *map(number, cells)] for label, cells in together.items()]
    rows += [[printable(f"baseline {name}"), *values(each.metrics, names)] for name, each in part.baselines.items()]
    return rows
