"""`report.md`: the run as a model card (Mitchell et al., 2019), for places that do not show HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mltrain import __version__
from mltrain.report.audit import audit_sentence
from mltrain.report.backbones import backbone_lines
from mltrain.report.explanation import importance_sentences
from mltrain.report.page.facts import Facts, judged_split
from mltrain.report.page.html import text
from mltrain.report.page.parts import interval
from mltrain.report.page.sections.baselines import absent_sentences
from mltrain.report.page.sections.explanation import outdated_sentence, shown_explanation
from mltrain.report.page.sections.model import shape_text
from mltrain.report.page.sections.results import undefined_sentences
from mltrain.report.page.sections.summary import gates_sentence, verdict
from mltrain.report.text import as_sentence, number
from mltrain.run.results import Results
from mltrain.run.split_result import MetricValue
from mltrain.wording import counted

# What Markdown, and the HTML in it, would read as more than a character; the last is the middle of an address.
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&@]|:(?=//))")

_MOST_COLUMNS = 100


def card(facts: Facts) -> bytes:
    """Return `report.md`."""
    blocks = [f"# {plain(facts.name)}", *map(words, verdict(facts.status, facts.results, facts.record))]
    for title, lines in (
        ("Results", _results(facts.results) if facts.results else ()),
        ("Importance", _importance(facts)),
        ("Model", _model(facts)),
        ("Training", _training(facts)),
        ("Data", _data(facts)),
        ("Data audit", _audit(facts)),
        ("Decisions", _decisions(facts)),
        ("Background", _background(facts)),
    ):
        parts = tuple(lines)
        blocks += [f"## {title}", *parts] if parts else []
    blocks.append(f"Made by mltrain {__version__}; `report.html` has the charts.")
    return ("\n\n".join(blocks) + "\n").encode("utf-8", "backslashreplace")


def plain(value: str) -> str:
    """Return text that Markdown shows as it is, in one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text(value).split()))


def words(sentence: str) -> str:
    """Return a sentence as `plain` does, with quotes for back-ticks, which Markdown would read as code."""
    return plain(sentence.replace("`", "'"))


def table(header: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """Return a table; the columns after the first `texts` are numbers, aligned to the right."""
    ruler = ["---" if place < texts else "---:" for place in range(len(header))]
    return "\n".join(
        f"| {' | '.join(row)} |" for row in (tuple(map(plain, header)), ruler, *(map(plain, row) for row in rows))
    )


def _results(results: Results) -> Iterator[str]:
    splits = results.splits
    names = dict.fromkeys(name for split in splits.values() for name in split.metrics)
    rows = [("rows", *(str(split.n) for split in splits.values()))]
    rows += [(name, *(_cell(split.metrics.get(name)) for split in splits.values())) for name in names]
    yield table(("metric", *splits), rows)
    if any(interval(value) for split in splits.values() for value in split.metrics.values()):
        yield "The 95 % intervals are in brackets."
    yield from map(words, undefined_sentences(results))
    yield from map(words, absent_sentences(results))
    judged = judged_split(results)
    outputs = results.splits[judged].outputs if judged is not None else {}
    if outputs and not results.splits[str(judged)].of_kinds:
        measured = dict.fromkeys(name for each in outputs.values() for name in each.metrics)
        by_target = ((name, *(_cell(each.metrics.get(one)) for one in measured)) for name, each in outputs.items())
        yield table((f"{judged}, by target", *measured), by_target)
    if results.threshold is not None:
        aim = (
            f", chosen for {results.threshold.aim} on the {results.threshold.split} rows"
            if results.threshold.aim
            else ""
        )
        yield plain(f"{results.classes[-1]} is predicted above a probability of {results.threshold.value:.4g}{aim}.")
    if results.diagnosis:
        yield "\n".join(f"- {words(one.sentence)}" for one in results.diagnosis)
    if results.gates:
        yield f"{gates_sentence(results)}."
        yield table(
            ("gate", "outcome", "found"),
            ((gate.gate, "passed" if gate.passed else "missed", number(gate.value)) for gate in results.gates),
            texts=2,
        )


def _cell(value: MetricValue | None) -> str:
    if value is None:
        return ""
    shown = interval(value)
    return f"{number(value.value)} ({shown})" if shown else number(value.value)


def _importance(facts: Facts) -> Iterator[str]:
    outdated, found = outdated_sentence(facts), shown_explanation(facts)
    if outdated is not None:
        yield words(outdated)
    if found is None or found.importance is None:
        return
    rows = (
        (each.column, _cell(MetricValue(value=each.value, low=each.low, high=each.high)))
        for each in found.importance.columns[:_MOST_COLUMNS]
    )
    yield table(("column", "importance"), rows)
    for sentence in importance_sentences(found.importance, found.split):
        yield words(as_sentence(sentence))


def _model(facts: Facts) -> Iterator[str]:
    model = facts.architecture
    if model is not None:
        yield f"{len(model.layers)} layers, {model.parameters:,} parameters; {model.trainable:,} of them are trained."
        of_inputs = ("of the input",) if model.inputs else ()
        rows = (
            (
                *(layer.name, *([", ".join(layer.inputs)] if of_inputs else []), layer.kind),
                *(shape_text(layer.output), f"{layer.parameters:,}"),
            )
            for layer in model.layers
        )
        yield table(("layer", *of_inputs, "kind", "output", "parameters"), rows, texts=3 + len(of_inputs))
        yield from map(plain, backbone_lines(model))


def _training(facts: Facts) -> Iterator[str]:
    if facts.results is not None:
        model = facts.results.model
        kept = f"The model has the {model.weights} weights: those of epoch {model.epoch} of {model.epochs}"
        if model.weights == "average":
            kept = f"The model has the average weights of {counted(model.averaged or 0, 'epoch')} of {model.epochs}"
        yield plain(f"{kept}; training ended: {model.stopped}.")


def _data(facts: Facts) -> Iterator[str]:
    data = facts.record.data
    if data is not None:
        yield plain(f"{data.source}, {data.rows:,} rows; the target is {facts.target}.")
    if facts.record.splits:
        yield table(("split", "rows"), ((name, f"{each.rows:,}") for name, each in facts.record.splits.items()))
    if facts.results is not None and facts.results.classes:
        what = "Labels" if facts.results.task == "multilabel" else "Classes"
        yield plain(f"{what}: {', '.join(facts.results.classes[:50])}.")


def _audit(facts: Facts) -> Iterator[str]:
    if facts.audit is not None:
        yield words(audit_sentence(facts.audit))
        if facts.audit.findings:
            yield "\n".join(f"- {one.level}: {words(one.sentence)}" for one in facts.audit.findings)


def _decisions(facts: Facts) -> Iterator[str]:
    if facts.record.decisions:
        rows = ((decision.what, decision.value, decision.reason) for decision in facts.record.decisions)
        yield table(("subject", "decision", "reason"), rows, texts=3)


def _background(facts: Facts) -> Iterator[str]:
    record = facts.record
    pairs = [
        ("command", " ".join(record.command)),
        ("started", record.started),
        ("finished", record.finished or "not yet"),
    ]
    pairs += [("machine", record.machine.processor), ("system", record.machine.system)]
    pairs += [("device", f"{record.device.value}: {record.device.reason}")] if record.device else []
    pairs += [("git commit", record.git.commit)] if record.git else []
    pairs += [(f"seed of the {name}", str(seed)) for name, seed in record.seeds.items()]
    pairs += list(record.versions.items())
    yield table(("", "value"), pairs, texts=2)
