"""The training: curves over the epochs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from mltrain.report.page.charts.frame import HEIGHT, Chart, Frame
from mltrain.report.page.charts.lines import LOOK_OF_SPLIT, Line, drawn, hints, key, named_upright, upright
from mltrain.report.page.charts.scale import Scale, around
from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Html, element
from mltrain.report.page.parts import facts as fact_list
from mltrain.report.page.parts import figures, section
from mltrain.report.text import duration, number
from mltrain.run.history import History
from mltrain.run.rate_test import RateTest


def training_section(facts: Facts, charts: Sequence[Chart], images: Html | None = None) -> Html:
    """Return the section on how the model was trained; `charts` are its curves, and `images` what it learned from."""
    history, results = facts.history, facts.results
    if not history.rows:
        return section("training", "Training", element("p", "No epoch was completed."))
    pairs: list[tuple[str, str]] = [("Epochs", f"{len(history.rows):,}")]
    if facts.status.epoch >= len(history.rows):  # a run that was killed did not write its last steps
        pairs.append(("Steps", f"{facts.status.step:,}"))
    if results is not None:
        kept = f"epoch {results.model.epoch}" + (", the best" if facts.best_epoch is not None else ", the last")
        pairs += [("Model kept", kept), ("Ended because", results.model.stopped)]
    if results is not None and results.objective.best is not None:
        pairs.append((f"Best {results.objective.metric}", number(results.objective.best)))
    if "seconds" in history.columns:
        seconds = history.column("seconds")
        pairs.append(("Time per epoch", f"{duration(sorted(seconds)[len(seconds) // 2])} (median)"))
    return section("training", "Training", fact_list(pairs), figures(charts), images)


def rate_chart(test: RateTest) -> Chart:
    """Return the loss over the learning rate of a range test, with the choice marked."""
    rates = test.learning_rates
    lines = [Line("running mean of the loss", rates, test.smoothed, "one")]
    legend = (*key(lines), (f"chosen: {number(test.chosen)}", "mark"))
    across = Scale(rates[0], rates[-1], log=True)
    frame = Frame(across, around(test.smoothed), "learning rate", "training loss", legend=legend)
    marks = [drawn(frame, lines), upright(frame, test.chosen), hints(frame, "learning rate", lines)]
    said = f"Loss of {len(rates)} updates with growing learning rates; {number(test.chosen)} was chosen"
    caption = f"The range test before the training: {number(test.chosen)} was chosen ({test.rule}); {test.ended}."
    return Chart("learning-rate", frame.draw(said, marks), caption)


def curves(history: History, best_epoch: int | None) -> Iterator[Chart]:
    """Yield a chart for each quantity that was measured after every epoch, the loss first."""
    measured = [name.partition(".") for name in history.columns if name.partition(".")[0] in LOOK_OF_SPLIT]
    for quantity in dict.fromkeys(name for _, _, name in measured):
        splits = [split for split, _, name in measured if name == quantity]
        yield _curve(history, quantity, splits, best_epoch)


def _curve(history: History, quantity: str, splits: Sequence[str], best_epoch: int | None) -> Chart:
    epochs = history.column("epoch")
    lines = [Line(split, epochs, history.column(f"{split}.{quantity}"), LOOK_OF_SPLIT[split]) for split in splits]
    shown = [value for line in lines for value in line.y]
    first, last = min(epochs), max(epochs)
    across = Scale(first, last) if last > first else Scale(first - 0.5, last + 0.5)
    marked = best_epoch is not None and first <= best_epoch <= last
    legend = (*key(lines), (f"best: epoch {best_epoch}", "mark")) if marked else key(lines)
    frame = Frame(across, around(shown, log=True), "epoch", quantity, height=HEIGHT - 20, legend=legend)
    ends = ", ".join(f"{line.name} ends at {number(line.y[-1])}" for line in lines)
    description = f"{quantity} over {len(epochs)} epochs: {ends}"
    marks = [drawn(frame, lines, marked=True)]
    caption = f"{quantity} after each epoch" + (", on a logarithmic scale" if frame.y.log else "")
    if best_epoch is not None and marked:
        marks.append(upright(frame, best_epoch))
        description += f"; the model is from epoch {best_epoch}"
    for stage, begin in enumerate(stage_begins(history), start=2):
        marks.append(named_upright(frame, begin - 0.5, f"stage {stage}"))
        description += f"; stage {stage} begins with epoch {begin}"
    marks.append(hints(frame, "epoch", lines))
    return Chart(f"curve-{file_name(quantity)}", frame.draw(description, marks, whole_x=True), f"{caption}.")


def stage_begins(history: History) -> list[int]:
    """Return the first epoch of each stage of the training but the first."""
    if "stage" not in history.columns:
        return []
    stages = pairwise(zip(history.column("epoch"), history.column("stage"), strict=True))
    return [int(epoch) for (_, before), (epoch, stage) in stages if stage != before]


def file_name(name: str) -> str:
    """Return a name as part of a file name: what a path may not have becomes `_`."""
    return (
        "".join(one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in name)[:40].lstrip("._-")
        or "x"
    )
