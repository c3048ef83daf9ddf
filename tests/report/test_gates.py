"""What became of the gates, for people and for other programs: nothing of a name can drive any of them."""

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mltrain.problems import Place, Source
from mltrain.report.gates import annotation, gates_table, junit_xml, missed_sentence, step_summary
from mltrain.run.results import Judgement

PASSED = Judgement(gate="test.f1 >= 0.8", value=0.85, passed=True)
MISSED = Judgement(gate="test.accuracy >= 0.9", value=0.875, passed=False)
NASTY = Judgement(
    gate="test[a=\x1b[31m|<b>&\n::error::,%].f1 > 0",
    passed=False,
    reason="there is no slice '\x00\r\n]]>\udc80'",
)


def test_the_table_has_the_missed_ones_last():
    assert gates_table([MISSED, PASSED]).splitlines() == [
        "passed  test.f1 >= 0.8        0.8500",
        "missed  test.accuracy >= 0.9  0.8750",
    ]


def test_one_line_names_what_was_missed():
    assert missed_sentence([PASSED, MISSED]) == "1 of 2 gates missed: test.accuracy >= 0.9 (0.8750)"
    assert len(missed_sentence([NASTY]).splitlines()) == 1


@pytest.mark.parametrize("write", [gates_table, missed_sentence])
def test_no_name_drives_a_terminal(write):
    assert all(character.isprintable() or character == "\n" for character in write([PASSED, NASTY]))


def test_junit_is_of_the_common_schema():
    data = junit_xml([PASSED, MISSED, NASTY], "runs/a", datetime(2026, 11, 20, 20, 15, tzinfo=UTC))
    root = ElementTree.fromstring(data)  # noqa: S314 (our own)
    (suite,) = root
    assert (root.tag, suite.tag) == ("testsuites", "testsuite")
    # All that the strict form requires, and nothing that the loose one does not know.
    assert suite.attrib == {
        "name": "mltrain gates",
        "package": "mltrain",
        "id": "0",
        "tests": "3",
        "failures": "2",
        "errors": "0",
        "time": "0",
        "hostname": "localhost",
        "timestamp": "2026-11-20T20:15:00",
    }
    assert [child.tag for child in suite] == ["properties", *["testcase"] * 3, "system-out", "system-err"]
    assert [child.attrib for child in suite[0]] == [{"name": "run", "value": "runs/a"}]  # Jenkins wants one or more
    for case, judged in zip(suite.iter("testcase"), (PASSED, MISSED, NASTY), strict=True):
        assert case.attrib.keys() == {"classname", "name", "time"}
        failures = list(case)
        assert len(failures) == (0 if judged.passed else 1)
        assert all(each.tag == "failure" and each.attrib.keys() == {"type", "message"} for each in failures)
    assert suite[2].attrib == {"classname": "runs/a", "name": "test.accuracy >= 0.9", "time": "0"}
    assert suite[2][0].attrib == {"type": "VerdictError", "message": "0.8750"}


def test_a_summary_for_github_holds_no_markup_of_others():
    text = step_summary([PASSED, MISSED, NASTY], "runs/<img>|x")
    assert text.startswith("### Gates: 2 of 3 missed\n")
    rows = [line for line in text.splitlines() if line.startswith(("| passed", "| missed"))]
    assert len(rows) == 3
    for line in text.splitlines()[1:]:
        bare = line.replace("\\\\", "").replace("\\<", "").replace("\\|", "").replace("\\[", "").replace("\\`", "")
        assert not set("<[`") & set(bare)
    assert all(row.replace("\\\\", "").replace("\\|", "").count("|") == 5 for row in rows)


def test_an_annotation_points_at_the_line_of_the_yaml(tmp_path):
    source = Source(str(tmp_path / "a,b:c%.yaml"), ("",) * 9)
    line = annotation(MISSED, Place(source, 7, 5), tmp_path)
    assert line == ("::error file=a%2Cb%3Ac%25.yaml,line=7,col=5,title=gate missed::test.accuracy >= 0.9: 0.8750")
    elsewhere = annotation(MISSED, Place(source, 7, 5), Path("/another"))
    assert f"file={tmp_path}/a%2Cb" in elsewhere


def test_an_annotation_is_one_command_on_one_line():
    line = annotation(NASTY, None, None)
    assert line.startswith("::error title=gate missed::test[a=")
    assert len(line.splitlines()) == 1
    assert "%25]" in line
    assert "\x1b" not in line
