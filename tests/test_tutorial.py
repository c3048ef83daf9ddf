"""The tutorial is followed to the letter: its files are written, its commands are run in their order."""

import json
import re
import shlex

import pytest

from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "tutorial.md"


@pytest.fixture
def followed(mltrain, shell, tmp_path):
    """Follow the page block by block and return (command, outcome) of each line."""
    outcomes, config = [], tmp_path / "churn.yaml"
    for language, text in re.findall(
        r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        if language == "python":
            (tmp_path / "customers.py").write_text(text)
        elif language == "yaml" and not config.exists():
            config.write_text(text)
        elif language == "yaml":
            config.write_text(re.sub(r"^data:\n(  .*\n)+", text, config.read_text(), flags=re.MULTILINE))
        elif language == "sh":
            for line in text.splitlines():
                command, _, otherwise = line.partition(" || ")
                words = shlex.split(command)
                outcome = mltrain(*words[1:]) if words[0] == "mltrain" else shell(command)
                assert outcome.code == (10 if otherwise else 0), (line, outcome.err)
                outcomes.append((line, outcome))
    return outcomes


@pytest.mark.long
def test_the_tutorial_does_what_it_says(followed, tmp_path):
    said = dict(followed)
    assert "refund" in said["mltrain audit churn.yaml"].err + said["mltrain audit churn.yaml"].out
    run = said["mltrain train churn.yaml"].run
    metrics = json.loads((tmp_path / run / "metrics.json").read_text())["splits"]["test"]["metrics"]["roc_auc"]
    assert [round(metrics[key], 2) for key in ("value", "low", "high")] == [0.86, 0.81, 0.9]
    assert (tmp_path / run / "report.html").is_file()
    header, *rows = (tmp_path / "predicted.csv").read_text().splitlines()
    assert header.startswith((tmp_path / "new.csv").read_text().splitlines()[0] + ",prediction,probability_")
    assert len(rows) == 20
    assert 'failures="0"' in (tmp_path / "gates.xml").read_text()


def test_the_workflow_runs_the_commands_of_the_tutorial():
    text = PAGE.read_text(encoding="utf-8")
    workflow = text[text.index("```yml") :]
    commands = re.findall(r"- run: (mltrain .*)", workflow)
    assert len(commands) == 3
    before = text[: text.index("```yml")].splitlines()
    assert all(command.replace(" --quiet", "") in before for command in commands)
