"""The results of the gates: for people, for JUnit, for GitHub.

Every text in it is checked, as the names of classes and slices come from the data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from mltrain.problems import Place, printable
from mltrain.report.text import number
from mltrain.run.results import Judgement
from mltrain.wording import counted


def gates_table(judged: Sequence[Judgement], most: int | None = None) -> str:
    """Return one line per gate: `missed  test.f1.low >= 0.8  0.7512`, those that were missed last.

    Args:
        judged: the gates.
        most: the largest number of lines; the gates that are left out are counted in one line more. None is all.
    """
    ordered = sorted(judged, key=lambda each: not each.passed)
    left_out = ordered[: max(len(ordered) - most, 0)] if most is not None else []
    if left_out:
        ordered = ordered[len(left_out) :]
        passed = sum(each.passed for each in left_out)
        counts = [f"{passed} passed"] * bool(passed) + [f"{len(left_out) - passed} missed"] * (passed < len(left_out))
        return f"… and {counted(len(left_out), 'more gate')}: {', '.join(counts)}\n{gates_table(ordered)}"
    gates, values = [printable(each.gate) for each in ordered], [number(each.value) for each in ordered]
    widths = max(map(len, gates), default=0), max(map(len, values), default=0)
    return "\n".join(
        f"{_word(each)}  {gate:<{widths[0]}}  {value:>{widths[1]}}  {printable(each.reason)}".rstrip()
        for each, gate, value in zip(ordered, gates, values, strict=True)
    )


def missed_sentence(judged: Sequence[Judgement]) -> str:
    """Return which gates were missed, in one line: the message of a VerdictError."""
    missed = [each for each in judged if not each.passed]
    named = "; ".join(f"{each.gate} ({_found(each)})" for each in missed)
    return printable(f"{len(missed)} of {counted(len(judged), 'gate')} missed: {named}")


def junit_xml(judged: Sequence[Judgement], run: str, now: datetime | None = None) -> bytes:
    """Return the gates as JUnit XML, one test case per gate, in the form that Jenkins and Ant share.

    Args:
        judged: the gates.
        run: the run directory.
        now: the time that it says; None is now.
    """
    counts = {"tests": str(len(judged)), "failures": str(sum(not each.passed for each in judged)), "errors": "0"}
    from xml.etree import ElementTree  # `show` says what became of gates, and writes no XML

    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        # The strict form of the schema requires each of these; a host name is nobody's business.
        {"name": "mltrain gates", "package": "mltrain", "id": "0", **counts, "time": "0", "hostname": "localhost"}
        | {"timestamp": f"{now or datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"},
    )
    # The strict form requires `properties`, the one of Jenkins a property in it.
    properties = ElementTree.SubElement(suite, "properties")
    ElementTree.SubElement(properties, "property", {"name": "run", "value": printable(run)})
    for each in judged:
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": printable(run), "name": printable(each.gate), "time": "0"}
        )
        if not each.passed:
            failure = ElementTree.SubElement(case, "failure", {"type": "VerdictError", "message": _found(each)})
            failure.text = printable(f"{each.gate}: {_found(each)}")
    ElementTree.SubElement(suite, "system-out").text = "\n".join(
        printable(f"{each.gate}: {_found(each)}") for each in judged
    )
    ElementTree.SubElement(suite, "system-err")
    ElementTree.indent(root)
    return b"<?xml version='1.0' encoding='UTF-8'?>\n" + ElementTree.tostring(root, "utf-8") + b"\n"


def step_summary(judged: Sequence[Judgement], run: str) -> str:
    """Return the gates as Markdown, for the summary of a step on GitHub."""
    missed = sum(not each.passed for each in judged)
    verdict = f"{missed} of {len(judged)} missed" if missed else f"all {len(judged)} passed"
    lines = [f"### Gates: {verdict}", "", f"Run: {_markdown(run)}", ""]
    lines += ["| | gate | value | |", "|---|---|---:|---|"]
    lines += [
        f"| {_word(each)} | {_markdown(each.gate)} | {number(each.value)} | {_markdown(each.reason)} |"
        for each in judged
    ]
    return "\n".join([*lines, "", ""])


def annotation(each: Judgement, place: Place | None, workspace: Path | None) -> str:
    """Return the workflow command that makes GitHub show a missed gate at its line of the YAML.

    Args:
        each: the gate.
        place: where it is written; None where that is not in a file.
        workspace: the checkout, to which GitHub's paths are relative.
    """
    properties = {"title": "gate missed"}
    if place is not None:
        path = Path(place.source.name).absolute()
        inside = workspace is not None and path.is_relative_to(workspace)
        file = path.relative_to(workspace) if inside and workspace is not None else path
        properties = {"file": str(file), "line": str(place.line), "col": str(place.column), **properties}
    named = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::error {named}::{_data(f'{each.gate}: {_found(each)}')}"


def _word(each: Judgement) -> str:
    return "passed" if each.passed else "missed"


def _found(each: Judgement) -> str:
    return printable("; ".join(filter(None, [number(each.value) if each.value is not None else "", each.reason])))


def _markdown(text: str) -> str:
    # CommonMark takes a backslash before any punctuation: nothing of a name can be a link, a tag or a cell.
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", printable(text))


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
