"""The tables of the benchmark, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy.stats import rankdata

from benchmarks.tables import comparison
from benchmarks.tables.cache import Result
from benchmarks.tables.comparison import Table
from benchmarks.tables.methods import METHODS
from benchmarks.tables.scores import MAIN, SECOND
from benchmarks.tables.sets import CHOOSING, SETS

Results = Mapping[tuple[str, int, str], Result]


def report(results: Results, methods: Sequence[str], half: str, mine: str, sets: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the whole report."""
    found = comparison.table(results, methods, sets)
    yield _halves(half)
    yield ""
    yield from _what_is_compared(results, found)
    if len(found.sets) < 2 or len(methods) < 2:
        yield ""
        yield "There are too few sets or methods with results to compare."
        return
    yield ""
    yield from _ranks(results, found)
    if mine in methods:
        yield ""
        yield from _duels(results, found, mine)
    yield ""
    yield from _scores(results, found)


def title(method: str) -> str:
    """Return the name of a method in the tables; one that was kept under another name has that."""
    return METHODS[method].title if method in METHODS else f"mltrain, {method}"


def _halves(half: str) -> str:
    chosen = ", ".join(name for name in SETS if name in CHOOSING)
    reported = ", ".join(name for name in SETS if name not in CHOOSING)
    shown = {
        "both": "the sets of both halves",
        "choosing": "the sets for choosing",
        "reporting": "the sets for reporting",
        "some": "sets that were asked for by name",
    }
    return (
        f"These are {shown[half]}. mltrain's defaults were chosen on {chosen}. They are reported on {reported}: on "
        "these, nothing was chosen."
    )


def _what_is_compared(results: Results, found: Table) -> Iterator[str]:
    splits = sorted({found.scores[name].shape[1] for name in found.sets})
    number = "no" if not splits else f"{splits[0]}" if len(splits) == 1 else f"{splits[0]} to {splits[-1]}"
    yield (
        f"{len(found.sets)} sets, {number} splits each. Scores: R² (regression), area under the ROC curve (binary), "
        "accuracy (multiclass), of the test rows. Every method has the same training and validation rows; those of a "
        "set of more than 20,000 rows are cut to the number in the last table."
    )
    if found.left_out:
        yield f"Not every method was measured on {', '.join(found.left_out)}: left out."
    for (name, split, method), result in sorted(results.items()):
        if result.failed and method in found.methods and name in found.sets:
            yield f"{title(method)} failed on {name}, split {split}, and has a trivial score there: {result.failed}"


def _ranks(results: Results, found: Table) -> Iterator[str]:
    normalised, ranks = comparison.normalised(found), comparison.ranks(found)
    yield "| method | mean rank | normalised score | median | mean rank by log loss (classes) | median seconds |"
    yield "|---|---|---|---|---|---|"
    losses = _loss_ranks(results, found)
    for place in np.argsort(ranks.mean(axis=0), kind="stable"):
        method = found.methods[place]
        alone = [
            result.seconds
            for result in results.values()
            if result.method == method and result.set in found.sets and result.alone and not result.failed
        ]
        seconds = f"{np.median(alone):.1f}" if alone else "–"
        loss = "–" if losses is None else str(comparison.over_sets(losses[:, place]))
        yield (
            f"| {title(method)} | {comparison.over_sets(ranks[:, place])} | "
            f"{comparison.over_sets(normalised[:, place])} | {np.median(normalised[:, place]):.2f} | {loss} | "
            f"{seconds} |"
        )
    yield ""
    yield (
        "Normalised: 0 for the worst method on a set and 1 for the best, as in Grinsztajn et al. (2022) and McElfresh "
        "et al. (2023). In brackets: the 95 % interval over sets, a percentile bootstrap."
    )


def _loss_ranks(results: Results, found: Table) -> np.ndarray | None:
    rows = []
    for name in found.sets:
        if SETS[name].task == "regression":
            continue
        splits = [split for split in range(5) if all((name, split, method) in results for method in found.methods)]
        cells = [[results[name, split, method] for split in splits] for method in found.methods]
        worst = [[cell.scores.get("log_loss", np.inf) for cell in line] for line in cells]
        rows.append(rankdata(np.array(worst).mean(axis=1)))
    return np.array(rows) if len(rows) > 1 else None


def _duels(results: Results, found: Table, mine: str) -> Iterator[str]:
    ranks = comparison.ranks(found)
    own = found.methods.index(mine)
    yield f"| {title(mine)} against | won | lost | undecided | difference in mean rank | times as fast | lost on |"
    yield "|---|---|---|---|---|---|---|"
    for place, method in enumerate(found.methods):
        if method == mine:
            continue
        sets = comparison.duel(found, mine, method)
        logs = comparison.times(results, mine, method, found.sets)
        speed = "–"
        if len(logs) > 1:
            seen = comparison.over_sets(logs)
            speed = f"{np.exp(seen.value):.2f} ({np.exp(seen.low):.2f} to {np.exp(seen.high):.2f})"
        yield (
            f"| {title(method)} | {len(sets['won'])} | {len(sets['lost'])} | {len(sets['undecided'])} | "
            f"{comparison.over_sets(ranks[:, own] - ranks[:, place])} | {speed} | {', '.join(sets['lost']) or '–'} |"
        )
    yield ""
    yield (
        "Won or lost: the difference over the splits is beyond its 95 % interval (Nadeau and Bengio, 2003). A "
        "difference in mean rank below 0 is better. Times as fast: the geometric mean over sets of the ratio of median "
        "seconds, of commands that ran alone."
    )
    if "linear" in found.methods and mine != "linear":
        worse = comparison.duel(found, mine, "linear")["lost"]
        yield f"Worse than the linear model by more than the interval: {', '.join(worse) or 'on no set'}."


def _scores(results: Results, found: Table) -> Iterator[str]:
    yield f"| set | task | training rows | {' | '.join(title(method) for method in found.methods)} |"
    yield f"|---|---|---|{'---|' * len(found.methods)}"
    for name in found.sets:
        task = SETS[name].task
        rows = next(result.rows[0] for (place, _, _), result in results.items() if place == name)
        means = found.scores[name].mean(axis=1)
        shown = [f"**{mean:.4f}**" if mean == means.max() else f"{mean:.4f}" for mean in means]
        yield f"| {name} | {MAIN[task]} | {rows:,} | {' | '.join(shown)} |"
    yield ""
    yield f"The cache also has {', '.join(sorted(set(SECOND.values())))} and the classification error."
