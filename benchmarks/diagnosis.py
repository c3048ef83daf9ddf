"""How often is a finding of the diagnosis wrong? `python -m benchmarks.diagnosis [--seeds 3] [--folder DIR]`.

Each training of `diagnosis_cases` runs for its epochs, and again for four times as many. What a rule reports after an
epoch is compared with what happened afterwards. Where the advice is another setting, the training runs with that
setting, too. Runs in the folder are used again. Imports TensorFlow.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.diagnosis_cases import LONGER, Case, cases
from mltrain.cli.app import main as mltrain
from mltrain.evaluation.diagnosis import Curves, Finding
from mltrain.evaluation.diagnosis import curves as rules

# A later best counts as better from here on.
BETTER = 0.99


@dataclass(frozen=True)
class Curve:
    """The losses of a run, one per epoch, and what it said at its end."""

    train: Sequence[float]
    validation: Sequence[float]
    findings: Sequence[str]

    def until(self, epoch: int) -> Curves:
        """Return the first epochs, as the rules see them at their end."""
        columns = {"train.loss": self.train[:epoch], "validation.loss": self.validation[:epoch]}
        return Curves(columns, epoch, exhausted=True)


@dataclass
class Count:
    """How often a finding spoke, and where it was wrong."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)


class Trainings:
    """Runs in a folder, each made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, name: str, config: str) -> Curve:
        """Return the curve of a config."""
        directory = self.folder / name
        if not (directory / "metrics.json").exists():
            (self.folder / f"{name}.yaml").write_text(config)
            sys.argv = ["mltrain", "train", str(self.folder / f"{name}.yaml"), "--run-dir", str(directory), "--quiet"]
            said = io.StringIO()
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
                try:
                    mltrain()
                except SystemExit as ended:
                    if ended.code:
                        raise SystemExit(f"{name}: {said.getvalue()}") from ended
        with (directory / "history.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        found = json.loads((directory / "metrics.json").read_text())["diagnosis"]
        train, validation = ([float(row[f"{part}.loss"]) for row in rows] for part in ("train", "validation"))
        return Curve(train, validation, [each["finding"] for each in found])


def judge(case: Case, trainings: Trainings) -> Iterator[tuple[str, bool, str]]:
    """Yield each finding on a training, whether it was right, and when it spoke."""
    short = trainings.run(case.name, case.config())
    long = trainings.run(f"{case.name}.long", case.config(longer=LONGER))

    def rerun(what: str, *, optimizer: str = "", data: str = "") -> bool:
        """Return whether another setting is better."""
        other = trainings.run(f"{case.name}.{what}", case.config(optimizer=optimizer, data=data))
        return min(other.validation) < BETTER * min(short.validation)

    epoch = _first(long, rules.overfitting)
    if epoch:
        yield "overfitting, during training", not _better(long.validation, epoch), f"epoch {epoch}"
    epoch = _first(long, rules.high_learning_rate)
    if epoch:
        yield (
            "high_learning_rate, during training",
            rerun("smaller", optimizer=case.optimizer_times(0.2)),
            f"epoch {epoch}",
        )
    if "first_loss" in short.findings:
        scaled = case.data.replace("scale: none", "scale: standard")
        others = {"scaled": case.config(data=scaled), "smaller": case.config(optimizer=case.optimizer_times(0.2))}
        tried = [min(trainings.run(f"{case.name}.{what}", config).train) for what, config in others.items()]
        # It speaks of the training loss, and is compared with that.
        yield "first_loss, during training", min(tried) < BETTER * min(short.train), "epoch 1"
    end = f"epoch {case.epochs}"
    for rule, right in _at_the_end(case, long, rerun):
        if rule(long.until(case.epochs)):
            yield f"{rule.__name__}, at the end", right(), end
    if "never_predicted" in short.findings:
        others = (case.config(optimizer=case.optimizer_times(rate)) for rate in (0.2, 10))
        tried = (trainings.run(f"{case.name}.rate{number}", other) for number, other in enumerate(others))
        yield "never_predicted, at the end", any("never_predicted" not in each.findings for each in (long, *tried)), end
    if "dead_units" in short.findings:
        yield "dead_units, at the end", "dead_units" in long.findings, end
    if "memorising" in short.findings:
        yield "memorising, at the end", not _better(long.validation, case.epochs), end
    if "underfitting" in short.findings and not rules.still_learns(short.train):
        yield "underfitting, at the end", min(long.train) > 0.9 * min(short.train), end
    for name in {"leaked_feature", "perfect_at_once"} & {*short.findings}:
        yield f"{name}, at the end", False, end  # no case has such a column


Rule = Callable[[Curves], Finding | None]


def _at_the_end(case: Case, long: Curve, rerun: Callable[..., bool]) -> list[tuple[Rule, Callable[[], bool]]]:
    asked = case.epochs
    return [
        (rules.overfitting, lambda: not _better(long.validation, asked)),
        (rules.plateau, lambda: not (_better(long.validation[:asked], asked // 2) or _better(long.validation, asked))),
        (rules.still_falling, lambda: _better(long.validation, asked)),
        (
            rules.low_learning_rate,
            lambda: _better(long.validation, asked) or rerun("larger", optimizer=case.optimizer_times(10)),
        ),
    ]


def _better(loss: Sequence[float], epoch: int) -> bool:
    """Return whether the best after an epoch is better than that before it."""
    return min(loss[epoch:], default=loss[0]) < BETTER * min(loss[:epoch])


def _first(curve: Curve, rule: Rule) -> int:
    """Return the first epoch after which a rule speaks; 0 for none. As many epochs are left, to see what comes."""
    epochs = range(1, len(curve.train) // 2 + 1)
    return next((epoch for epoch in epochs if rule(curve.until(epoch))), 0)


def main() -> None:
    """Print a table: a line for each finding."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.diagnosis", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where the runs are kept; default: a new one that is removed")
    parser.add_argument("--quick", action="store_true", help="three trainings only")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        trainings, counts, tried = Trainings(folder), defaultdict[str, Count](Count), 0
        for case in list(cases(folder, 1 if arguments.quick else arguments.seeds))[: 3 if arguments.quick else None]:
            tried += 1
            for finding, right, when in judge(case, trainings):
                counts[finding].right += right
                if not right:
                    counts[finding].wrong.append(f"{case.name} ({when})")
    print(f"{tried} trainings\n\n| finding | spoke | wrong | where it was wrong |\n|---|---|---|---|")
    for finding, count in sorted(counts.items()):
        where = ", ".join(count.wrong) or "–"
        print(f"| {finding} | {count.right + len(count.wrong)} | {len(count.wrong)} | {where} |")


if __name__ == "__main__":
    main()
